"""The models of two jobs on the documents that both held out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from idp_finetuning.evaluation.comparison import Comparison, Metric, compare_units
from idp_finetuning.evaluation.plan import ContestantKind
from idp_finetuning.evaluation.report import EvaluatedPage
from idp_finetuning.evaluation.uncertainty import Unit
from idp_finetuning.evaluation.wording import verdict_sentence
from idp_finetuning.wire import WireModel


class JobComparison(WireModel):
    """The second job's model beside the first's; `comparison` is that of pages with the right class."""

    documents: int
    pages: int
    comparison: Comparison
    sentence: str


def compare_jobs(
    first: Iterable[EvaluatedPage], second: Iterable[EvaluatedPage], first_name: str, second_name: str
) -> JobComparison | None:
    """Compare two evaluations of one test set, or return None if they have no document in common.

    Documents that only one of the jobs held out are left out: the other may have trained with them.
    """
    of_first, of_second = _by_document(first), _by_document(second)
    common = sorted(path for path in of_first if len(of_first[path]) == len(of_second.get(path, ())))
    if not common:
        return None
    pairs = [list(zip(of_first[path], of_second[path], strict=True)) for path in common]
    comparison = compare_units(
        [Unit(items=len(pages), right=sum(one for one, _ in pages)) for pages in pairs],
        [Unit(items=len(pages), right=sum(other for _, other in pages)) for pages in pairs],
        [Unit(items=len(pages), right=sum(one and other for one, other in pages)) for pages in pairs],
        Metric.PAGES,
    )
    return JobComparison(
        documents=len(common),
        pages=comparison.items,
        comparison=comparison,
        sentence=verdict_sentence(comparison, first_name, second_name),
    )


def _by_document(pages: Iterable[EvaluatedPage]) -> dict[str, list[bool]]:
    """Return whether the custom model has each page of each document right, in the order of the pages."""
    right: defaultdict[str, dict[int, bool]] = defaultdict(dict)
    for page in pages:
        said = next(item for item in page.answers if item.kind is ContestantKind.CUSTOM_MODEL)
        right[page.path][page.page] = said.class_name == page.label
    return {path: [by_number[number] for number in sorted(by_number)] for path, by_number in right.items()}
