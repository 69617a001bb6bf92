"""How sure a share of pages, or the difference of two models on the same pages, is.

The unit of chance is a group of documents that the split keeps together, not a page: pages of one document are right or
wrong together, and intervals over pages would be far too narrow. No interval has zero width.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import hypot, sqrt

from idp_finetuning.evaluation.quantiles import beta_quantile, t_quantile
from idp_finetuning.wire import WireModel

CONFIDENCE = 0.95
_UPPER = (1 + CONFIDENCE) / 2
# At most so many times the effective number of units counts as independent. Found by simulation
# (benchmarks/evaluation_statistics.py): without a cap, intervals of packets whose pages are right or wrong together are
# too narrow; with 2 for differences, too few true ones are found.
_CAP_OF_SHARES = 2
_CAP_OF_DIFFERENCES = 4
# Below it, no pattern of signs is significant at 5 %: 2 of 2^5 is 0.0625.
FEWEST_DIFFERING = 6
# Standard errors of a difference that is found in four of five cases: 1.96 for the level of 5 % and 0.84 for the power.
DETECTABLE_ERRORS = 2.8


class Interval(WireModel):
    """A value with its 95 % limits."""

    value: float
    lower: float
    upper: float


class Unit(WireModel):
    """A group of documents: how many items (pages, or sections) it has, and how many of them are right."""

    items: int
    right: int


def share_interval(units: Sequence[Unit]) -> Interval:
    """Return the share of the pages that are right, for at least one unit.

    Korn and Graubard (Survey Methodology 24, 1998): Clopper-Pearson with the effective number of pages, here with a
    cap, and at 0 and 1 with the effective number of units.
    """
    return _korn_graubard(units, _CAP_OF_SHARES)


def difference_interval(first: Sequence[Unit], second: Sequence[Unit], both: Sequence[Unit]) -> Interval:
    """Return how much larger the second model's share of right pages is, -1 to 1.

    `both` has the pages that both models have right; the units are the same in all three. Method: variance estimates
    recovery (Zou and Donner, Statistics in Medicine 27, 2008) of the shares that only one of them has right.
    """
    gained = _korn_graubard(_only(second, both), _CAP_OF_DIFFERENCES)
    lost = _korn_graubard(_only(first, both), _CAP_OF_DIFFERENCES)
    value = gained.value - lost.value
    return Interval(
        value=value,
        lower=value - hypot(gained.value - gained.lower, lost.upper - lost.value),
        upper=value + hypot(gained.upper - gained.value, lost.value - lost.lower),
    )


def sign_flip_p(differences: Sequence[int]) -> float:
    """Return the two-sided p value of the sum of the units' differences, if each could as well have the other sign.

    Exact for any number of units: all 2^n sums are counted, as the coefficients of a product of polynomials that is
    packed into one integer.
    """
    weights = [abs(difference) for difference in differences if difference]
    total, observed = sum(weights), abs(sum(differences))
    if not observed:
        return 1.0
    slot = len(weights) // 8 + 1  # bytes: no count is above 2^n
    counts = 1
    for weight in weights:
        counts += counts << (8 * slot * weight)
    packed = counts.to_bytes(slot * (total + 1), "little")
    # With a subset of sum s positive and the rest negative, the sum is 2 s - total: as far from 0 as observed, or more.
    extreme = range((total - observed) // 2 + 1)
    tail = sum(int.from_bytes(packed[slot * s : slot * (s + 1)], "little") for s in extreme)
    return 2 * tail / (1 << len(weights))


def detectable_difference(differences: Sequence[int], pages: Sequence[int]) -> float | None:
    """Return the difference that this evaluation finds in four of five cases; None if too few units differ.

    2.8 standard errors of the paired difference.
    """
    if sum(difference != 0 for difference in differences) < FEWEST_DIFFERING:
        return None
    total = sum(pages)
    mean = sum(differences) / total
    squares = sum((d - mean * m) ** 2 for d, m in zip(differences, pages, strict=True))
    return DETECTABLE_ERRORS * sqrt(len(pages) / (len(pages) - 1) * squares) / total


def _korn_graubard(units: Sequence[Unit], cap: int) -> Interval:
    groups, pages = len(units), sum(unit.items for unit in units)
    right = sum(unit.right for unit in units)
    share = right / pages
    effective_groups = pages**2 / sum(unit.items**2 for unit in units)
    effective = effective_groups
    if groups > 1 and 0 < right < pages:
        squares = sum((unit.right - share * unit.items) ** 2 for unit in units)
        variance = groups / (groups - 1) * squares / pages**2
        if variance > 0:
            spread = (t_quantile(_UPPER, pages - 1) / t_quantile(_UPPER, groups - 1)) ** 2
            effective = min(share * (1 - share) / variance * spread, pages, cap * effective_groups)
    lower, upper = 0.0, 1.0
    if right > 0:
        lower = beta_quantile(1 - _UPPER, share * effective, (1 - share) * effective + 1)
    if right < pages:
        upper = beta_quantile(_UPPER, share * effective + 1, (1 - share) * effective)
    return Interval(value=share, lower=lower, upper=upper)


def _only(model: Sequence[Unit], both: Sequence[Unit]) -> list[Unit]:
    return [Unit(items=m.items, right=m.right - b.right) for m, b in zip(model, both, strict=True)]
