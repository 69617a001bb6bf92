"""The short form of `make bench`'s simulation: evaluations whose truth is known."""

from __future__ import annotations

import pytest

from benchmarks.evaluation_statistics import Setting, measure_half_width, measure_power, measure_setting

REPEATS = 150


@pytest.mark.parametrize(
    ("layout", "documents", "accuracy", "clustering"),
    [("one page", 10, 0.97, 0.2), ("five pages", 20, 0.85, 0.7), ("mixed", 50, 0.85, 0.7), ("mixed", 20, 0.97, 0.2)],
)
def test_intervals_cover_the_truth_and_equal_models_are_rarely_called_better(
    layout: str, documents: int, accuracy: float, clustering: float
) -> None:
    found = measure_setting(Setting(layout, documents), accuracy, clustering, REPEATS, seed=1)

    assert found["shareCoverage"] >= 0.90
    assert found["differenceCoverage"] >= 0.90
    assert found["falseBetter"] <= 0.035
    assert found["falseBetterUnequalSpread"] <= 0.09
    assert found["zeroWidths"] == 0


def test_they_are_narrow_enough_to_be_of_use() -> None:
    assert measure_half_width(REPEATS, seed=1) <= 0.09
    assert measure_power((0.85, 0.95), 50, REPEATS, seed=1) >= 0.70
    assert measure_power((0.50, 0.90), 20, REPEATS, seed=1) >= 0.90
