"""What an evaluation will be able to prove, before anything is trained."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import count
from math import comb, sqrt

from idp_finetuning.evaluation.uncertainty import DETECTABLE_ERRORS, FEWEST_DIFFERING
from idp_finetuning.jobs.evaluation import JobEvaluation
from idp_finetuning.wire import WireModel

# The share of documents on which two models are not equally good, if nothing is known: an assumption. A gain cannot be
# larger than it.
ASSUMED_DISCORDANCE = 0.2
# Of all earlier evaluations together; fewer documents tell too little about the next one.
_FEWEST_SEEN = 30
_SQUARED = DETECTABLE_ERRORS**2
_POWER = 0.8


class ExpectedEvaluation(WireModel):
    """What so many held-out documents can prove, if the models differ on this share of them or as many as they must.

    `detectable_gain` is the difference in shares (0.1 is 10 points) found in four of five cases, None if there are too
    few documents for any; the others are how many documents would find 10 and 5 points. `differing_share` is that of
    `earlier_evaluations` of this deployment; an assumption if there are none.
    """

    held_out: int
    detectable_gain: float | None
    documents_for_ten_points: int
    documents_for_five_points: int
    differing_share: float
    earlier_evaluations: int


def expect(held_out: int, earlier: Sequence[JobEvaluation] = ()) -> ExpectedEvaluation:
    """Return what so many held-out documents can prove, by what earlier evaluations beside a base model saw."""
    seen = [item for item in earlier if item.documents and item.differing_documents is not None]
    documents = sum(item.documents or 0 for item in seen)
    if documents < _FEWEST_SEEN:
        seen, share = [], ASSUMED_DISCORDANCE
    else:
        # Never nothing and never all, and round: the numbers of documents are worked out once for each share.
        share = round((sum(item.differing_documents or 0 for item in seen) + 1) / (documents + 2), 2)
    return ExpectedEvaluation(
        held_out=held_out,
        detectable_gain=detectable_gain(held_out, share),
        documents_for_ten_points=documents_needed(0.10, share),
        documents_for_five_points=documents_needed(0.05, share),
        differing_share=share,
        earlier_evaluations=len(seen),
    )


def detectable_gain(documents: int, differing_share: float = ASSUMED_DISCORDANCE) -> float | None:
    """Return the gain found in four of five cases, None if there is none.

    It is 2.8 standard errors of a paired difference: with gain d and discordance q, which is at least d, the variance
    of a document's difference is q - d^2. And enough documents differ in four of five cases.
    """
    if documents < FEWEST_DIFFERING:
        return None
    few = _SQUARED / (documents + _SQUARED)  # q = d
    gain = few if few > differing_share else sqrt(differing_share * few)
    if _enough_differ(documents, max(differing_share, gain)):
        return gain
    low, high = gain, 1.0
    while high - low > 1e-4:
        middle = (low + high) / 2
        low, high = (low, middle) if _enough_differ(documents, middle) else (middle, high)
    return high


@cache
def documents_needed(gain: float, differing_share: float = ASSUMED_DISCORDANCE) -> int:
    """Return how many documents find this gain in four of five cases."""
    sizes = count(FEWEST_DIFFERING)
    return next(size for size in sizes if (detectable_gain(size, differing_share) or 1) <= gain)


def _enough_differ(documents: int, discordance: float) -> bool:
    too_few = sum(
        comb(documents, differing) * discordance**differing * (1 - discordance) ** (documents - differing)
        for differing in range(FEWEST_DIFFERING)
    )
    return 1 - too_few >= _POWER
