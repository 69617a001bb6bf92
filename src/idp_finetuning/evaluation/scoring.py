"""From the answers of all contestants to the report: the same documents for each, and nothing silently left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from idp_finetuning.classification.classification import ClassifiedPage
from idp_finetuning.evaluation.comparison import Metric, compare, find_agreement, score_share
from idp_finetuning.evaluation.cost import cost_of, total_cost, usage_of
from idp_finetuning.evaluation.judged import JudgedDocument, all_pages
from idp_finetuning.evaluation.page_scores import Confusion, PageScores, score_pages
from idp_finetuning.evaluation.plan import (
    Contestant,
    ContestantKind,
    DocumentAnswers,
    EvaluatedDocument,
    EvaluationPlan,
    LeftOut,
    answer_always,
)
from idp_finetuning.evaluation.report import (
    ComparisonWith,
    ContestantAnswer,
    ContestantScores,
    EvaluatedPage,
    EvaluationReport,
    Finding,
    PageFinding,
)
from idp_finetuning.evaluation.section_scores import score_as_accelerator, score_sections
from idp_finetuning.evaluation.uncertainty import Interval
from idp_finetuning.evaluation.wording import verdict_sentence
from idp_finetuning.nova.prices import Usage, prices

SHOWN_PAGES = 200
OTHER_CLASS = "a class that no label has"
NO_ANSWER = "Asking left no result. Evaluate the job again."
# A contestant that answered fewer is not compared: what it did answer may be the easy part.
_ENOUGH = 0.5
NAMES = {
    ContestantKind.CUSTOM_MODEL: "the custom model",
    ContestantKind.BASE_MODEL: "the base model with the same prompt",
    ContestantKind.ACTIVE_VERSION: "the active configuration version",
    ContestantKind.MAJORITY_CLASS: "always naming the most frequent class",
}

Answers = Mapping[str, Mapping[str, DocumentAnswers]]


class _Judged(NamedTuple):
    """The documents that every contestant of those taking part answered, and how each did on them."""

    documents: list[EvaluatedDocument]
    by_contestant: dict[ContestantKind, list[JudgedDocument]]


def evaluated_pages(
    plan: EvaluationPlan, documents: Sequence[EvaluatedDocument], answers: Answers
) -> Iterator[EvaluatedPage]:
    """Yield every scored page. Raises ValueError as `make_report` does."""
    documents, _ = _askable(documents, answers)
    _, judged = _judge_all(plan, documents, answers)
    known = frozenset(plan.classes)
    for number, document in enumerate(judged[ContestantKind.CUSTOM_MODEL]):
        for index, page in enumerate(document.pages):
            said = {kind: of_kind[number].pages[index] for kind, of_kind in judged.items()}
            yield EvaluatedPage(
                path=document.path,
                page=index + 1,
                label=page.truth.class_name,
                label_boundary=page.truth.boundary,
                answers=tuple(
                    ContestantAnswer(kind=kind, class_name=_shown(given.class_name, known), boundary=given.boundary)
                    for kind, given in said.items()
                ),
            )


def make_report(
    plan: EvaluationPlan,
    documents: Sequence[EvaluatedDocument],
    answers: Answers,
    *,
    job_id: str,
    number: int,
    created_at: str,
) -> EvaluationReport:
    """Score what the contestants answered, by their digest and the document's id.

    Raises ValueError, with the reason, if the custom model answered too little to be scored.
    """
    documents, unusable = _askable(documents, answers)
    scored, judged = _judge_all(plan, documents, answers)
    reasons = {item.kind: _reason(answers.get(item.digest, {}), documents) for item in plan.contestants}
    custom = judged[ContestantKind.CUSTOM_MODEL]
    comparisons = tuple(
        _compare(kind, judged[kind], custom, plan) for kind in judged if kind is not ContestantKind.CUSTOM_MODEL
    )
    findings = _findings(custom, judged.get(ContestantKind.BASE_MODEL), frozenset(plan.classes))
    scores = (
        *(
            _score(item, judged.get(item.kind), reasons[item.kind], plan, usage_of(item, plan, answers))
            for item in plan.contestants
        ),
        _score(None, judged[ContestantKind.MAJORITY_CLASS], None, plan),
    )
    against_base = next((item.sentence for item in comparisons if item.kind is ContestantKind.BASE_MODEL), None)
    share = score_share(custom, plan.metric)
    repeated = _repeated(answers.get(plan.custom.digest, {}), answers.get(plan.repetition.digest, {}))
    return EvaluationReport(
        job_id=job_id,
        number=number,
        test_set_id=plan.test_set_id if plan.is_other_test_set else None,
        created_at=created_at,
        metric=plan.metric,
        documents=len(scored),
        pages=sum(item.pages for item in scored),
        sentence=against_base or _without_base(share, reasons.get(ContestantKind.BASE_MODEL)),
        contestants=scores,
        comparisons=comparisons,
        findings=tuple(findings[:SHOWN_PAGES]),
        findings_count=len(findings),
        repeated_pages=len(repeated),
        flipped_pages=sum(once != again for once, again in repeated),
        cost=total_cost(scores),
        prices_as_of=prices().as_of,
        left_out=(
            *plan.left_out,
            *unusable,
            *_left_out(documents, {item.document_id for item in scored}, list(judged), plan.contestants, answers),
        ),
        notes=plan.notes,
    )


def _judge_all(plan: EvaluationPlan, documents: Sequence[EvaluatedDocument], answers: Answers) -> _Judged:
    """Judge those that answered enough on the documents that all of them answered."""
    answered = {item.kind: _usable(answers.get(item.digest, {}), documents) for item in plan.contestants}
    taking_part = [kind for kind, given in answered.items() if given and len(given) >= _ENOUGH * len(documents)]
    if ContestantKind.CUSTOM_MODEL not in taking_part:
        raise ValueError(_reason(answers.get(plan.custom.digest, {}), documents) or NO_ANSWER)
    scored = [item for item in documents if all(item.document_id in answered[kind] for kind in taking_part)]
    if not scored:
        raise ValueError("There is no document that all models answered. Evaluate the job again.")
    judged = {kind: [_judge(item, answered[kind][item.document_id]) for item in scored] for kind in taking_part}
    judged[ContestantKind.MAJORITY_CLASS] = [
        _judge(item, answer_always(plan.majority_class, item.pages)) for item in scored
    ]
    return _Judged(scored, judged)


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


def _repeated(
    once: Mapping[str, DocumentAnswers], again: Mapping[str, DocumentAnswers]
) -> list[tuple[ClassifiedPage, ClassifiedPage]]:
    """Return both answers about each page that was asked about twice."""
    return [
        pair
        for document_id, repeated in sorted(again.items())
        if document_id in once
        for pair in zip(once[document_id].answers, repeated.answers, strict=False)
    ]


def _usable(
    given: Mapping[str, DocumentAnswers], documents: Sequence[EvaluatedDocument]
) -> dict[str, tuple[ClassifiedPage, ...]]:
    return {
        item.document_id: given[item.document_id].answers
        for item in documents
        if item.document_id in given and len(given[item.document_id].answers) == item.pages
    }


def _reason(given: Mapping[str, DocumentAnswers], documents: Sequence[EvaluatedDocument]) -> str | None:
    """Return the first reason for a document without answers, or None if there is an answer for every one."""
    missing = [item for item in documents if item.document_id not in _usable(given, documents)]
    reasons = [given[item.document_id].reason for item in missing if item.document_id in given]
    return next((reason for reason in reasons if reason), NO_ANSWER) if missing else None


def _left_out(
    documents: Sequence[EvaluatedDocument],
    scored: set[str],
    taking_part: Sequence[ContestantKind],
    contestants: Sequence[Contestant],
    answers: Answers,
) -> list[LeftOut]:
    asked = [item for item in contestants if item.kind in taking_part]
    return [
        LeftOut(
            path=document.path,
            reason=next(
                f"{NAMES[item.kind].capitalize()} did not answer: {reason}"
                for item in asked
                if (reason := _reason(answers.get(item.digest, {}), [document]))
            ),
        )
        for document in documents
        if document.document_id not in scored
    ]


def _judge(document: EvaluatedDocument, answers: tuple[ClassifiedPage, ...]) -> JudgedDocument:
    return JudgedDocument(path=document.path, group=document.group, sections=document.sections, answers=tuple(answers))


def _score(
    contestant: Contestant | None,
    judged: Sequence[JudgedDocument] | None,
    reason: str | None,
    plan: EvaluationPlan,
    usage: Usage | None = None,
) -> ContestantScores:
    kind = contestant.kind if contestant else ContestantKind.MAJORITY_CLASS
    scores = ContestantScores(
        kind=kind,
        name=NAMES[kind],
        model=contestant.model if contestant else None,
        asked_as=contestant.digest if contestant else None,
        documents=0,
        reason=reason,
        usage=usage or Usage(),
        cost=cost_of(contestant, usage) if contestant and usage else None,
    )
    if judged is None:
        return scores
    return scores.model_copy(
        update={
            "documents": len(judged),
            "accuracy": score_share(judged, Metric.PAGES),
            "exact_sections": score_share(judged, Metric.SECTIONS),
            "pages": _hide_classes(score_pages(list(all_pages(judged))), frozenset(plan.classes)),
            "split": score_sections(judged),
            "accelerator": score_as_accelerator(judged),
        }
    )


def _hide_classes(scores: PageScores, known: frozenset[str]) -> PageScores:
    counts: Counter[tuple[str, str | None]] = Counter()
    for item in scores.confusions:
        counts[item.truth, _shown(item.given, known)] += item.pages
    confusions = (Confusion(truth=truth, given=given, pages=pages) for (truth, given), pages in counts.items())
    return scores.model_copy(update={"confusions": tuple(confusions)})


def _shown(class_name: str | None, known: frozenset[str]) -> str | None:
    return class_name if class_name is None or class_name in known else OTHER_CLASS


def _compare(
    kind: ContestantKind, other: Sequence[JudgedDocument], custom: Sequence[JudgedDocument], plan: EvaluationPlan
) -> ComparisonWith:
    comparison = compare(other, custom, plan.metric, plan.margin)
    return ComparisonWith(
        kind=kind,
        comparison=comparison,
        agreement=find_agreement(other, custom),
        sentence=verdict_sentence(comparison, NAMES[kind], NAMES[ContestantKind.CUSTOM_MODEL]),
    )


def _without_base(share: Interval, reason: str | None) -> str:
    return (
        f"The custom model has {100 * share.value:.1f} % right (95 % interval {100 * share.lower:.1f} to "
        f"{100 * share.upper:.1f} %). Whether it is better than the base model is not known: "
        f"{reason or 'the base model was not asked.'}"
    )


def _findings(
    custom: Sequence[JudgedDocument], base: Sequence[JudgedDocument] | None, known: frozenset[str]
) -> list[PageFinding]:
    """Return the pages to look at: what the custom model broke first, then suspected labels, then the others."""
    found: list[PageFinding] = []
    for number, document in enumerate(custom):
        of_base = base[number].pages if base else (None,) * len(document.pages)
        for page, (own, other) in enumerate(zip(document.pages, of_base, strict=True), 1):
            kind = _finding(own.class_right, other.class_right if other else None)
            if kind is Finding.BOTH_WRONG and other and own.class_name and own.class_name == other.class_name:
                kind = Finding.SUSPECTED_LABEL
            if kind:
                found.append(
                    PageFinding(
                        finding=kind,
                        path=document.path,
                        page=page,
                        label=own.truth.class_name,
                        custom=_shown(own.class_name, known),
                        base=_shown(other.class_name, known) if other else None,
                    )
                )
    order = [Finding.BROKEN, Finding.SUSPECTED_LABEL, Finding.BOTH_WRONG, Finding.FIXED]
    return sorted(found, key=lambda item: (order.index(item.finding), item.path, item.page))


def _finding(custom_right: bool, base_right: bool | None) -> Finding | None:
    if custom_right:
        return Finding.FIXED if base_right is False else None
    return Finding.BROKEN if base_right else Finding.BOTH_WRONG
