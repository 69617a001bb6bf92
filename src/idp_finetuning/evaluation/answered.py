"""The answers of all contestants beside the labels, on the documents that every one of them answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from idp_finetuning.classification.classification import ClassifiedPage
from idp_finetuning.evaluation.judged import JudgedDocument
from idp_finetuning.evaluation.plan import (
    NAMES,
    NEAREST,
    Contestant,
    ContestantKind,
    DocumentAnswers,
    EvaluatedDocument,
    EvaluationPlan,
    LeftOut,
    answer_always,
)

NO_ANSWER = "Asking left no result. Evaluate again."
# A contestant that answered fewer is not compared: what it did answer may be the easy part.
_ENOUGH = 0.5

# By the digest of the contestant and the id of the document.
Answers = Mapping[str, Mapping[str, DocumentAnswers]]


@dataclass(frozen=True)
class Answered:
    """A contestant and its answers. It takes part if it answered enough; `judged` are then its scored documents.

    `reason` says why it has no answer about some document. `contestant` is None if it is no model.
    """

    kind: ContestantKind
    title: str
    contestant: Contestant | None
    answers: Mapping[str, DocumentAnswers]
    reason: str | None = None
    judged: tuple[JudgedDocument, ...] = ()

    def about(self, document: EvaluatedDocument) -> tuple[ClassifiedPage, ...] | None:
        """Return the answer for each page of a document, or None if there is none for some page."""
        given = self.answers.get(document.document_id)
        return given.answers if given and len(given.answers) == document.pages else None


@dataclass(frozen=True)
class Judgement:
    """All contestants, the plan's first first, the documents that those taking part are judged on, and the others."""

    contestants: list[Answered]
    documents: list[EvaluatedDocument]
    left_out: list[LeftOut]

    @property
    def taking_part(self) -> list[Answered]:
        """Those that have scores."""
        return [item for item in self.contestants if item.judged]


def judge_answers(plan: EvaluationPlan, documents: Sequence[EvaluatedDocument], answers: Answers) -> Judgement:
    """Judge those that answered enough on the documents that all of these answered.

    Raises ValueError, with the reason, if the plan's first contestant did not answer enough.
    """
    askable, unusable = _askable([item for item in documents if not item.out_of_scope], answers)
    everyone = [
        _answered(item.kind, item.title, item, answers.get(item.digest, {}), askable) for item in plan.contestants
    ]
    always = {item.document_id: answer_always(plan.majority_class, item.pages) for item in askable}
    named = {document_id: DocumentAnswers(answers=given) for document_id, given in always.items()}
    majority = ContestantKind.MAJORITY_CLASS
    everyone.append(_answered(majority, NAMES[majority], None, named, askable))
    if plan.nearest_page:
        nearest = ContestantKind.NEAREST_PAGE
        everyone.append(_answered(nearest, NAMES[nearest], None, answers.get(NEAREST, {}), askable))
    enough = [item for item in everyone if _enough(item, askable)]
    if not enough or enough[0] is not everyone[0]:
        raise ValueError(everyone[0].reason or NO_ANSWER)
    scored = [item for item in askable if all(other.about(item) is not None for other in enough)]
    if not scored:
        raise ValueError("There is no document that all models answered. Evaluate again.")
    taking_part = {item.title for item in enough}
    chosen = {item.document_id for item in scored}
    return Judgement(
        [replace(item, judged=_judge(item, scored)) if item.title in taking_part else item for item in everyone],
        scored,
        [*unusable, *(_left_out(item, enough) for item in askable if item.document_id not in chosen)],
    )


def _answered(
    kind: ContestantKind,
    title: str,
    contestant: Contestant | None,
    answers: Mapping[str, DocumentAnswers],
    documents: Sequence[EvaluatedDocument],
) -> Answered:
    """Return the contestant with the first reason for a document without answers."""
    found = Answered(kind, title, contestant, answers)
    missing = [item for item in documents if found.about(item) is None]
    reasons = [_reason(found, item) for item in missing]
    reason = next((item for item in reasons if item != NO_ANSWER), NO_ANSWER) if missing else None
    return replace(found, reason=reason)


def _reason(contestant: Answered, document: EvaluatedDocument) -> str:
    given = contestant.answers.get(document.document_id)
    return given.reason if given and given.reason else NO_ANSWER


def _enough(contestant: Answered, documents: Sequence[EvaluatedDocument]) -> bool:
    count = sum(contestant.about(item) is not None for item in documents)
    return 0 < count >= _ENOUGH * len(documents)


def unusable_of(documents: Sequence[EvaluatedDocument], answers: Answers) -> list[LeftOut]:
    """Return the documents that nobody could be asked about, with the reason."""
    given = {
        document.document_id: item[document.document_id]
        for document in documents
        for item in answers.values()
        if document.document_id in item
    }
    return [
        LeftOut(path=item.path, reason=found.reason)
        for item in documents
        if (found := given.get(item.document_id)) and found.unusable and found.reason
    ]


def _askable(documents: Sequence[EvaluatedDocument], answers: Answers) -> tuple[list[EvaluatedDocument], list[LeftOut]]:
    """Return the documents that models could be asked about, with the pages that drawing found, and the others.

    Raises ValueError, with the first reason, if there is none.
    """
    askable: list[EvaluatedDocument] = []
    unusable: list[LeftOut] = []
    for document in documents:
        given = [item[document.document_id] for item in answers.values() if document.document_id in item]
        if reason := next((item.reason for item in given if item.unusable), None):
            unusable.append(LeftOut(path=document.path, reason=reason))
        else:
            drawn = 0 if document.pages_known else max((len(item.answers) for item in given), default=0)
            askable.append(document.model_copy(update={"pages": drawn or document.pages}))
    if not askable:
        raise ValueError(f"No document could be used ({len(unusable)} left out). The first: {unusable[0].reason}")
    return askable, unusable


def _left_out(document: EvaluatedDocument, taking_part: Sequence[Answered]) -> LeftOut:
    silent = next(item for item in taking_part if item.about(document) is None)
    title = silent.title[0].upper() + silent.title[1:]
    return LeftOut(path=document.path, reason=f"{title} did not answer: {_reason(silent, document)}")


def _judge(contestant: Answered, documents: Sequence[EvaluatedDocument]) -> tuple[JudgedDocument, ...]:
    return tuple(
        JudgedDocument(path=item.path, group=item.group, sections=item.sections, answers=contestant.about(item) or ())
        for item in documents
    )
