"""Simulates evaluations whose truth is known: how often intervals cover it, and how often a verdict is false."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from scipy.special import expit
from scipy.stats import beta, norm

from idp_finetuning.evaluation.comparison import Comparison, Metric, Verdict, compare_units
from idp_finetuning.evaluation.uncertainty import Interval, Unit, share_interval

CORRELATION = 0.7  # of two models' accuracy on the same document
LAYOUTS = ("one page", "five pages", "mixed")
DOCUMENTS = (10, 20, 50, 200)
ACCURACIES = (0.85, 0.97)
CLUSTERINGS = (0.2, 0.7)  # intraclass correlation of a document's pages


class Evaluation(NamedTuple):
    """One simulated evaluation of two models: an array for the pages of each document, and three of right ones."""

    pages: np.ndarray
    first: np.ndarray
    second: np.ndarray
    both: np.ndarray

    def compare(self) -> Comparison:
        """Return the comparison that a user would see."""
        return compare_units(self._units(self.first), self._units(self.second), self._units(self.both), Metric.PAGES)

    def share(self) -> Interval:
        """Return the first model's share of right pages as a user would see it."""
        return share_interval(self._units(self.first))

    def _units(self, right: np.ndarray) -> list[Unit]:
        return [Unit(items=int(m), right=int(c)) for m, c in zip(self.pages, right, strict=True)]


class Setting(NamedTuple):
    """What the documents are like."""

    layout: str
    documents: int

    def sizes(self, generator: np.random.Generator) -> np.ndarray:
        """Draw the number of pages of each document."""
        many = 1 + generator.poisson(4, self.documents)
        if self.layout == "one page":
            return np.ones(self.documents, dtype=int)
        if self.layout == "five pages":
            return many
        packets = generator.random(self.documents) < 0.3
        return np.where(packets, generator.integers(5, 21, self.documents), 1)

    def draw(self, generator: np.random.Generator, first: np.ndarray, second: np.ndarray) -> Evaluation:
        """Draw an evaluation from the models' accuracy on each document."""
        pages = self.sizes(generator)
        answers = [
            (generator.random(m) < a, generator.random(m) < b) for m, a, b in zip(pages, first, second, strict=True)
        ]
        return Evaluation(
            pages=pages,
            first=np.array([one.sum() for one, _ in answers]),
            second=np.array([other.sum() for _, other in answers]),
            both=np.array([(one & other).sum() for one, other in answers]),
        )

    def draw_beta(self, generator: np.random.Generator, accuracy: float, clustering: tuple[float, float]) -> Evaluation:
        """Draw one of two equally good models, whose accuracy on a document is beta-distributed."""
        scales = [(1 - rho) / rho for rho in clustering]
        first, second = (
            beta.ppf(norm.cdf(normal), accuracy * scale, (1 - accuracy) * scale)
            for normal, scale in zip(_correlated(generator, self.documents), scales, strict=True)
        )
        return self.draw(generator, first, second)

    def draw_logistic(self, generator: np.random.Generator, means: tuple[float, float]) -> Evaluation:
        """Draw models of unequal accuracy, logit-normal with a standard deviation of 2.5."""
        first, second = (
            expit(_logit_mean(mean) + 2.5 * normal)
            for normal, mean in zip(_correlated(generator, self.documents), means, strict=True)
        )
        return self.draw(generator, first, second)


def measure_evaluation_statistics(repeats: int = 1000, seed: int = 1) -> Mapping[str, Any]:
    """Return the worst coverage and error rates over all settings, and the power of two."""
    rows = [
        measure_setting(Setting(layout, documents), accuracy, clustering, repeats, seed)
        for layout, documents, accuracy, clustering in product(LAYOUTS, DOCUMENTS, ACCURACIES, CLUSTERINGS)
    ]
    return {
        "settings": len(rows),
        "repeats": repeats,
        "shareCoverage": min(row["shareCoverage"] for row in rows),
        "differenceCoverage": min(row["differenceCoverage"] for row in rows),
        "falseBetter": max(row["falseBetter"] for row in rows),
        "falseBetterUnequalSpread": max(row["falseBetterUnequalSpread"] for row in rows),
        "zeroWidths": sum(row["zeroWidths"] for row in rows),
        "halfWidth": measure_half_width(repeats, seed),
        "power85to95": measure_power((0.85, 0.95), 50, repeats, seed),
        "power50to90": measure_power((0.50, 0.90), 20, repeats, seed),
    }


def measure_setting(
    setting: Setting, accuracy: float, clustering: float, repeats: int, seed: int
) -> Mapping[str, float]:
    """Return coverage and error rates, 0 to 1, of one setting with two equally good models."""
    generator = np.random.default_rng([seed, LAYOUTS.index(setting.layout), setting.documents])
    other = next(rho for rho in CLUSTERINGS if rho != clustering)
    shares, alike, unlike = [], [], []
    for _ in range(repeats):
        evaluation = setting.draw_beta(generator, accuracy, (clustering, clustering))
        shares.append(evaluation.share())
        alike.append(evaluation.compare())
        unlike.append(setting.draw_beta(generator, accuracy, (clustering, other)).compare())
    differences = [comparison.difference for comparison in alike]
    return {
        "shareCoverage": _covered(shares, accuracy),
        "differenceCoverage": _covered(differences, 0.0),
        "falseBetter": _share_better(alike),
        "falseBetterUnequalSpread": _share_better(unlike),
        "zeroWidths": sum(item.lower >= item.upper for item in (*shares, *differences)),
    }


def measure_half_width(repeats: int, seed: int) -> float:
    """Return the mean half-width of a share at 50 documents of five pages, accuracy 0.85, clustering 0.2."""
    generator = np.random.default_rng([seed, 50])
    setting = Setting("five pages", 50)
    found = [setting.draw_beta(generator, 0.85, (0.2, 0.2)).share() for _ in range(repeats)]
    return round(float(np.mean([(item.upper - item.lower) / 2 for item in found])), 4)


def measure_power(means: tuple[float, float], documents: int, repeats: int, seed: int) -> float:
    """Return how often the better of two models is found to be, on documents of five pages."""
    generator = np.random.default_rng([seed, documents])
    setting = Setting("five pages", documents)
    return _share_better([setting.draw_logistic(generator, means).compare() for _ in range(repeats)])


def _correlated(generator: np.random.Generator, count: int) -> Iterator[np.ndarray]:
    """Yield two standard normal arrays with the correlation of two models."""
    first = generator.standard_normal(count)
    yield first
    yield CORRELATION * first + np.sqrt(1 - CORRELATION**2) * generator.standard_normal(count)


def _logit_mean(mean: float) -> float:
    """Return the location at which a logit-normal variable of standard deviation 2.5 has this mean."""
    grid = norm.ppf((np.arange(2000) + 0.5) / 2000)
    low, high = -20.0, 20.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if expit(middle + 2.5 * grid).mean() < mean else (low, middle)
    return middle


def _covered(intervals: list[Interval], truth: float) -> float:
    return sum(item.lower <= truth <= item.upper for item in intervals) / len(intervals)


def _share_better(comparisons: list[Comparison]) -> float:
    return sum(comparison.verdict is Verdict.BETTER for comparison in comparisons) / len(comparisons)
