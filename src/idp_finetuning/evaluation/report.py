"""The report of an evaluation: the scores of each contestant, what is proven, and the pages a person should look at."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from pydantic import model_validator

from idp_finetuning.evaluation.comparison import Agreement, Comparison, Metric
from idp_finetuning.evaluation.page_scores import PageScores
from idp_finetuning.evaluation.plan import NAMES, ContestantKind, LeftOut
from idp_finetuning.evaluation.section_scores import AcceleratorScores, SectionScores
from idp_finetuning.evaluation.uncertainty import Interval
from idp_finetuning.nova.prices import Usage
from idp_finetuning.nova.prompt import Boundary
from idp_finetuning.wire import WireModel


class Finding(StrEnum):
    """Why a person should look at a page."""

    BROKEN = "BROKEN"
    FIXED = "FIXED"
    BOTH_WRONG = "BOTH_WRONG"
    SUSPECTED_LABEL = "SUSPECTED_LABEL"


class PageFinding(WireModel):
    """A page on which the custom or the base model is wrong; `page` counts from 1, None is an unusable answer.

    Before any job, `custom` and `base` are the first and the second contestant; None if the second is no model.
    SUSPECTED_LABEL: both name the same other class, so that the label may be wrong.
    """

    finding: Finding
    path: str
    page: int
    label: str
    custom: str | None
    base: str | None


class ClassCount(WireModel):
    """On how many pages a class was named."""

    name: str
    pages: int


class OutOfScope(WireModel):
    """What a contestant said of documents that belong to no class: on how many pages it named one all the same.

    `named` is the share of pages with its limits; `classes` are those named, the most frequent first.
    """

    documents: int
    pages: int
    named: Interval
    classes: tuple[ClassCount, ...]


class _OfContestant(WireModel):
    """Something of one contestant; reports of before there were names have them by the kind."""

    kind: ContestantKind
    name: str

    @model_validator(mode="before")
    @classmethod
    def _name_by_kind(cls, values: Any) -> Any:
        if isinstance(values, dict) and "name" not in values and values.get("kind") in NAMES:
            return {**values, "name": NAMES[ContestantKind(values["kind"])]}
        return values


class Part(StrEnum):
    """Files with several documents in them, or with one."""

    PACKETS = "PACKETS"
    SINGLE_DOCUMENTS = "SINGLE_DOCUMENTS"


class PartScores(WireModel):
    """Scores over the packets alone, or over the files of one document alone."""

    part: Part
    documents: int
    accuracy: Interval
    exact_sections: Interval


class ContestantScores(WireModel):
    """How good one contestant is; `reason` says why there are no scores.

    `asked_as` is equal for equal model, prompt and temperature. `usage` is of the answers that this evaluation asked
    for, `cost` what they cost in US dollars; None if no price of the model is known.
    """

    kind: ContestantKind
    name: str
    model: str | None = None
    asked_as: str | None = None
    documents: int
    reason: str | None = None
    usage: Usage = Usage()
    cost: float | None = None
    accuracy: Interval | None = None
    exact_sections: Interval | None = None
    pages: PageScores | None = None
    split: SectionScores | None = None
    accelerator: AcceleratorScores | None = None
    out_of_scope: OutOfScope | None = None
    parts: tuple[PartScores, ...] = ()


class ComparisonWith(_OfContestant):
    """The first contestant, in a job's evaluation the custom model, beside another one on the same documents."""

    comparison: Comparison
    agreement: Agreement
    sentence: str


class ContestantAnswer(_OfContestant):
    """What a contestant said of a page; None for what cannot be used."""

    class_name: str | None
    boundary: Boundary | None


class EvaluatedPage(WireModel):
    """A scored page with its label and all answers; `page` counts from 1."""

    path: str
    page: int
    label: str
    label_boundary: Boundary
    answers: tuple[ContestantAnswer, ...]


class EvaluationReport(WireModel):
    """What an evaluation found. All scores are over the same documents: those that every contestant answered.

    `job_id` is None for an evaluation before any job. `test_set_id` is that of another test set than the job's; None
    for the documents that the job held out. The first contestant was asked
    about `repeated_pages` twice, and answered `flipped_pages` of them differently. That decides nothing. `cost` is that
    of all answers that this evaluation asked for in US dollars, with the prices of the day `prices_as_of`; None if a
    price is not known. `judged_before` counts other models that documents of this test set judged earlier: of many, the
    best one owes something to chance.
    """

    job_id: str | None = None
    number: int
    test_set_id: str | None = None
    created_at: str
    metric: Metric
    documents: int
    pages: int
    sentence: str
    contestants: tuple[ContestantScores, ...]
    comparisons: tuple[ComparisonWith, ...]
    findings: tuple[PageFinding, ...]
    findings_count: int
    repeated_pages: int
    flipped_pages: int
    cost: float | None = None
    prices_as_of: str | None = None
    judged_before: int = 0
    left_out: tuple[LeftOut, ...]
    notes: tuple[str, ...] = ()

    def comparison_with(self, kind: ContestantKind) -> ComparisonWith | None:
        """Return the comparison with a contestant, or None if it had no answers."""
        return next((item for item in self.comparisons if item.kind is kind), None)
