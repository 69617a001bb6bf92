from __future__ import annotations

import random
from itertools import product

import pytest
from scipy import stats

from idp_finetuning.evaluation.uncertainty import (
    Unit,
    detectable_difference,
    difference_interval,
    share_interval,
    sign_flip_p,
)


def units(*counts: tuple[int, int]) -> list[Unit]:
    return [Unit(items=items, right=right) for items, right in counts]


def test_a_share_of_single_pages_is_close_to_clopper_pearson() -> None:
    found = share_interval(units(*[(1, 1)] * 85, *[(1, 0)] * 15))

    expected = stats.binomtest(85, 100).proportion_ci(method="exact")
    assert found.value == 0.85
    # The variance has 99 in its denominator where the binomial has 100.
    assert found.lower == pytest.approx(expected.low, abs=0.001)
    assert found.upper == pytest.approx(expected.high, abs=0.001)


def test_pages_that_are_right_or_wrong_together_count_as_one() -> None:
    alone = share_interval(units(*[(1, 1)] * 8, *[(1, 0)] * 2))
    together = share_interval(units(*[(20, 20)] * 8, *[(20, 0)] * 2))

    assert together.value == alone.value == 0.8
    assert together.upper - together.lower >= alone.upper - alone.lower


@pytest.mark.parametrize("right", [0, 1, 5])
@pytest.mark.parametrize("count", [1, 2, 30])
def test_no_share_has_zero_width(right: int, count: int) -> None:
    found = share_interval(units(*[(5, right)] * count))

    assert 0 <= found.lower < found.upper <= 1
    assert found.lower <= found.value <= found.upper


def test_a_perfect_share_is_only_as_sure_as_its_documents_are_many() -> None:
    found = share_interval(units(*[(10, 10)] * 20))

    # Clopper-Pearson at 20 of 20: 0.025 ** (1/20)
    assert found.upper == 1.0
    assert found.lower == pytest.approx(0.025 ** (1 / 20))


def test_equal_models_have_a_difference_of_zero_with_limits() -> None:
    same = units(*[(3, 2)] * 10)

    found = difference_interval(same, same, same)

    assert found.value == 0
    assert found.lower == pytest.approx(-found.upper)
    assert found.upper > 0


def test_a_difference_has_the_sign_of_the_better_model_and_mirrors() -> None:
    worse, better = units(*[(4, 1)] * 12), units(*[(4, 4)] * 11, (4, 0))
    both = units(*[(4, 1)] * 11, (4, 0))

    found, mirrored = difference_interval(worse, better, both), difference_interval(better, worse, both)

    assert found.lower > 0
    limits = [mirrored.value, mirrored.lower, mirrored.upper]
    assert limits == pytest.approx([-found.value, -found.upper, -found.lower])


@pytest.mark.parametrize("seed", range(20))
def test_the_sign_flip_test_is_that_of_all_sign_patterns(seed: int) -> None:
    generator = random.Random(seed)
    differences = [generator.randint(-4, 5) for _ in range(generator.randint(0, 11))]
    observed = abs(sum(differences))

    patterns = list(product((1, -1), repeat=len(differences)))
    extreme = sum(abs(sum(s * d for s, d in zip(signs, differences, strict=True))) >= observed for signs in patterns)

    assert sign_flip_p(differences) == pytest.approx(extreme / len(patterns))


def test_six_of_six_documents_better_is_significant_and_five_is_not() -> None:
    assert sign_flip_p([1] * 6) == 2 / 64
    assert sign_flip_p([1] * 5) == 2 / 32


def test_a_thousand_documents_are_tested_exactly() -> None:
    assert sign_flip_p([1] * 1000) == pytest.approx(2.0**-999)


def test_below_six_differing_documents_no_detectable_difference_is_stated() -> None:
    assert detectable_difference([1, -1, 1, -1, 1, 0, 0], [1] * 7) is None
    assert detectable_difference([1, -1, 1, -1, 1, -1], [1] * 6) == pytest.approx(2.8 * (6 / 5 * 6) ** 0.5 / 6)
