"""Two models on the same documents: which is better, how sure that is, and what could have been found out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from enum import StrEnum

from idp_finetuning.evaluation.judged import JudgedDocument, all_pages
from idp_finetuning.evaluation.page_scores import share
from idp_finetuning.evaluation.uncertainty import (
    FEWEST_DIFFERING,
    Interval,
    Unit,
    detectable_difference,
    difference_interval,
    share_interval,
    sign_flip_p,
)
from idp_finetuning.wire import WireModel

SIGNIFICANT = 0.05
DEFAULT_MARGIN = 0.03


class Metric(StrEnum):
    """What is counted: pages with the right class, or sections found with exactly their pages and class."""

    PAGES = "PAGES"
    SECTIONS = "SECTIONS"


class Verdict(StrEnum):
    """What is proven about the second model beside the first."""

    BETTER = "BETTER"
    WORSE = "WORSE"
    NO_WORSE = "NO_WORSE"
    NOT_PROVEN = "NOT_PROVEN"


class Comparison(WireModel):
    """The second model's share of right items minus the first's, in shares (0.1 is 10 points), and what follows.

    `units` are groups of documents, `differing_units` those in which the models are not equally good. `margin` is the
    loss that NO_WORSE excludes; it must be fixed before anyone looks. `detectable` is the difference that would be
    found in four of five such evaluations; None if fewer than six units differ.
    """

    metric: Metric
    items: int
    units: int
    differing_units: int
    difference: Interval
    p_value: float
    detectable: float | None
    margin: float
    verdict: Verdict


class Agreement(WireModel):
    """Pages by whether two models give the same usable class, and how many of them the second has wrong."""

    agreed: int
    wrong_if_agreed: int
    differed: int
    wrong_if_differed: int

    @property
    def error_if_agreed(self) -> float:
        """The share of wrong pages among those with the same answer; 0 if there are none."""
        return share(self.wrong_if_agreed, self.agreed)

    @property
    def error_if_differed(self) -> float:
        """The share of wrong pages among those with different answers; 0 if there are none."""
        return share(self.wrong_if_differed, self.differed)


def primary_metric(documents: Sequence[JudgedDocument]) -> Metric:
    """Choose what a verdict is about, from the labels alone: sections if most files are packets."""
    packets = sum(document.is_packet for document in documents)
    return Metric.SECTIONS if 2 * packets > len(documents) else Metric.PAGES


def score_share(documents: Sequence[JudgedDocument], metric: Metric) -> Interval:
    """Return the share of right items of at least one document, with its limits."""
    outcomes = [(document.group, _outcomes(document, metric)) for document in documents]
    return share_interval(_units(outcomes))


def compare(
    first: Sequence[JudgedDocument], second: Sequence[JudgedDocument], metric: Metric, margin: float = DEFAULT_MARGIN
) -> Comparison:
    """Compare two models on the same documents, given in the same order."""
    of_first = [(document.group, _outcomes(document, metric)) for document in first]
    of_second = [(document.group, _outcomes(document, metric)) for document in second]
    of_both = [
        (group, [a and b for a, b in zip(one, other, strict=True)])
        for (group, one), (_, other) in zip(of_first, of_second, strict=True)
    ]
    return compare_units(_units(of_first), _units(of_second), _units(of_both), metric, margin)


def compare_units(
    first: Sequence[Unit], second: Sequence[Unit], both: Sequence[Unit], metric: Metric, margin: float = DEFAULT_MARGIN
) -> Comparison:
    """Compare two models by what each, and both, have right of the same units."""
    differences = [b.right - a.right for a, b in zip(first, second, strict=True)]
    interval = difference_interval(first, second, both)
    differing = sum(difference != 0 for difference in differences)
    p_value = sign_flip_p(differences)
    sizes = [unit.items for unit in first]
    return Comparison(
        metric=metric,
        items=sum(sizes),
        units=len(sizes),
        differing_units=differing,
        difference=interval,
        p_value=p_value,
        detectable=detectable_difference(differences, sizes),
        margin=margin,
        verdict=_judge(interval, p_value, differing, margin),
    )


def find_agreement(first: Sequence[JudgedDocument], second: Sequence[JudgedDocument]) -> Agreement:
    """Count where two models agree; pages on which they differ are the ones to have a person look at."""
    counts = {True: [0, 0], False: [0, 0]}
    for one, other in zip(all_pages(first), all_pages(second), strict=True):
        agreed = other.class_name is not None and one.class_name == other.class_name
        counts[agreed][0] += 1
        counts[agreed][1] += not other.class_right
    (agreed_pages, agreed_wrong), (differed_pages, differed_wrong) = counts[True], counts[False]
    return Agreement(
        agreed=agreed_pages,
        wrong_if_agreed=agreed_wrong,
        differed=differed_pages,
        wrong_if_differed=differed_wrong,
    )


def _judge(difference: Interval, p_value: float, differing: int, margin: float) -> Verdict:
    if differing >= FEWEST_DIFFERING and p_value <= SIGNIFICANT:
        if difference.lower > 0:
            return Verdict.BETTER
        if difference.upper < 0:
            return Verdict.WORSE
    return Verdict.NO_WORSE if difference.lower > -margin else Verdict.NOT_PROVEN


def _outcomes(document: JudgedDocument, metric: Metric) -> list[bool]:
    """Return whether each page or each true section is right."""
    if metric is Metric.PAGES:
        return [page.class_right for page in document.pages]
    return [section in document.given_sections for section in document.true_sections]


def _units(outcomes: Iterable[tuple[str, Sequence[bool]]]) -> list[Unit]:
    """Add up the outcomes of each group of documents, in the order of the groups' first documents."""
    counts: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0])
    for group, right in outcomes:
        counts[group][0] += len(right)
        counts[group][1] += sum(right)
    return [Unit(items=items, right=right) for items, right in counts.values()]
