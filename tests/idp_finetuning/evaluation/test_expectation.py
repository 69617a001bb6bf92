"""What is promised before a training is what evaluations of that size then find."""

from __future__ import annotations

import random

import pytest

from idp_finetuning.evaluation.comparison import Metric, Verdict, compare_units
from idp_finetuning.evaluation.expectation import ASSUMED_DISCORDANCE, detectable_gain, documents_needed, expect
from idp_finetuning.evaluation.uncertainty import Unit
from idp_finetuning.jobs.evaluation import EvaluationStatus, JobEvaluation


@pytest.mark.parametrize("documents", [12, 25, 60, 160])
def test_the_promised_gain_is_found_in_about_four_of_five_evaluations(documents: int) -> None:
    gain = detectable_gain(documents)
    assert gain
    discordance = max(ASSUMED_DISCORDANCE, gain)
    better = (discordance + gain) / 2  # the share of documents that only the second model has right
    drawn = random.Random(documents)
    found = 0
    for _ in range(200):
        first, second, both = [], [], []
        for _ in range(documents):
            draw = drawn.random()
            one, other = (0, 1) if draw < better else (1, 0) if draw < discordance else (1, 1)
            first.append(Unit(items=1, right=one))
            second.append(Unit(items=1, right=other))
            both.append(Unit(items=1, right=one * other))
        found += compare_units(first, second, both, Metric.PAGES).verdict is Verdict.BETTER
    assert 0.6 <= found / 200 <= 0.95


def test_more_documents_prove_more_and_both_functions_agree() -> None:
    gains = [detectable_gain(documents) for documents in range(6, 700)]
    assert gains == sorted(gains, key=lambda gain: -(gain or 0))
    for gain in (0.05, 0.10, 0.15, 0.3):
        needed = documents_needed(gain)
        assert (detectable_gain(needed) or 1) <= gain < (detectable_gain(needed - 1) or 1)


@pytest.mark.parametrize("documents", [0, 1, 5])
def test_too_few_documents_prove_nothing(documents: int) -> None:
    assert expect(documents).detectable_gain is None


def earlier(documents: int | None, differing: int | None) -> JobEvaluation:
    """An evaluation that has ended."""
    return JobEvaluation(
        number=1,
        status=EvaluationStatus.COMPLETED,
        started_at="2026-11-22T12:00:00.000Z",
        documents=documents,
        differing_documents=differing,
    )


def test_earlier_evaluations_say_on_what_share_models_differ() -> None:
    expected = expect(30, [earlier(20, 16), earlier(20, 14), earlier(None, None)])
    assert (expected.differing_share, expected.earlier_evaluations) == (0.74, 2)  # 31 of 42
    assumed = expect(30)
    assert (assumed.differing_share, assumed.earlier_evaluations) == (ASSUMED_DISCORDANCE, 0)
    assert expected.detectable_gain
    assert assumed.detectable_gain
    assert expected.detectable_gain > assumed.detectable_gain  # more differs by chance
    assert expected.documents_for_five_points > assumed.documents_for_five_points


@pytest.mark.parametrize(("documents", "differing"), [(10, 5), (None, None), (29, 29)])
def test_too_few_documents_say_nothing(documents: int | None, differing: int | None) -> None:
    assert expect(30, [earlier(documents, differing)]) == expect(30)


@pytest.mark.parametrize(("differing", "share"), [(0, 0.01), (100, 0.99)])
def test_a_share_is_never_nothing_and_never_all(differing: int, share: float) -> None:
    expected = expect(50, [earlier(100, differing)])
    assert expected.differing_share == share
    assert expected.detectable_gain
