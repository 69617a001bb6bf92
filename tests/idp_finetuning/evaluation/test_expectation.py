"""What is promised before a training is what evaluations of that size then find."""

from __future__ import annotations

import random

import pytest

from idp_finetuning.evaluation.comparison import Metric, Verdict, compare_units
from idp_finetuning.evaluation.expectation import ASSUMED_DISCORDANCE, detectable_gain, documents_needed, expect
from idp_finetuning.evaluation.uncertainty import Unit


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
