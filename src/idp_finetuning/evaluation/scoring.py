"""From the answers of all contestants to the report: the same documents for each, and nothing silently left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from idp_finetuning.classification.classification import ClassifiedPage
from idp_finetuning.evaluation.answered import Answered, Answers, judge_answers, unusable_of
from idp_finetuning.evaluation.comparison import Metric, compare, find_agreement, score_share
from idp_finetuning.evaluation.cost import cost_of, total_cost, usage_of
from idp_finetuning.evaluation.judged import JudgedDocument, all_pages
from idp_finetuning.evaluation.page_scores import Confusion, PageScores, score_pages
from idp_finetuning.evaluation.plan import DocumentAnswers, EvaluatedDocument, EvaluationPlan
from idp_finetuning.evaluation.report import (
    ClassCount,
    ComparisonWith,
    ContestantAnswer,
    ContestantScores,
    EvaluatedPage,
    EvaluationReport,
    Finding,
    OutOfScope,
    PageFinding,
    Part,
    PartScores,
)
from idp_finetuning.evaluation.section_scores import score_as_accelerator, score_sections
from idp_finetuning.evaluation.uncertainty import Unit, share_interval
from idp_finetuning.evaluation.wording import verdict_sentence
from idp_finetuning.jobs.evaluation import EvaluationRun
from idp_finetuning.nova.prices import Usage, prices

SHOWN_PAGES = 200
OTHER_CLASS = "a class that no label has"


def evaluated_pages(
    plan: EvaluationPlan, documents: Sequence[EvaluatedDocument], answers: Answers
) -> Iterator[EvaluatedPage]:
    """Yield every scored page. Raises ValueError as `make_report` does."""
    taking_part = judge_answers(plan, documents, answers).taking_part
    known = frozenset(plan.classes)
    for number, document in enumerate(taking_part[0].judged):
        for index, page in enumerate(document.pages):
            said = [(item, item.judged[number].pages[index]) for item in taking_part]
            yield EvaluatedPage(
                path=document.path,
                page=index + 1,
                label=page.truth.class_name,
                label_boundary=page.truth.boundary,
                answers=tuple(
                    ContestantAnswer(
                        kind=item.kind,
                        name=item.title,
                        class_name=_shown(given.class_name, known),
                        boundary=given.boundary,
                    )
                    for item, given in said
                ),
            )


def make_report(
    run: EvaluationRun,
    plan: EvaluationPlan,
    documents: Sequence[EvaluatedDocument],
    answers: Answers,
    *,
    created_at: str,
    judged_before: int = 0,
) -> EvaluationReport:
    """Score what the contestants answered, by their digest and the document's id.

    The verdict is on the plan's first contestant beside the second. Raises ValueError, with the reason, if the first
    answered too little to be scored.
    """
    found = judge_answers(plan, documents, answers)
    first, second = found.contestants[:2]
    comparisons = tuple(_compare(other, first, plan) for other in found.taking_part[1:])
    findings = _findings(first.judged, second.judged if second.contestant else (), frozenset(plan.classes))
    foreign = [item for item in documents if item.out_of_scope]
    scores = tuple(
        _score(item, plan, answers).model_copy(update={"out_of_scope": score_out_of_scope(item, foreign, plan)})
        for item in found.contestants
    )
    against_second = next((item.sentence for item in comparisons if item.name == second.title), None)
    repeated = _repeated(answers.get(plan.first.digest, {}), answers.get(plan.repetition.digest, {}))
    return EvaluationReport(
        job_id=run.job_id,
        number=run.number,
        test_set_id=plan.test_set_id if plan.is_other_test_set else None,
        created_at=created_at,
        metric=plan.metric,
        documents=len(found.documents),
        pages=sum(item.pages for item in found.documents),
        sentence=against_second or _alone(first, second, plan.metric),
        contestants=scores,
        comparisons=comparisons,
        findings=tuple(findings[:SHOWN_PAGES]),
        findings_count=len(findings),
        repeated_pages=len(repeated),
        flipped_pages=sum(once != again for once, again in repeated),
        cost=total_cost(scores),
        prices_as_of=prices().as_of,
        judged_before=judged_before,
        left_out=(*plan.left_out, *found.left_out, *unusable_of(foreign, answers)),
        notes=plan.notes,
    )


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


def _score(answered: Answered, plan: EvaluationPlan, answers: Answers) -> ContestantScores:
    contestant = answered.contestant
    usage = usage_of(contestant, plan, answers) if contestant else Usage()
    scores = ContestantScores(
        kind=answered.kind,
        name=answered.title,
        model=contestant.model if contestant else None,
        asked_as=contestant.digest if contestant else None,
        documents=len(answered.judged),
        reason=answered.reason,
        usage=usage,
        cost=cost_of(contestant, usage) if contestant else None,
    )
    if not answered.judged:
        return scores
    return scores.model_copy(
        update={
            "accuracy": score_share(answered.judged, Metric.PAGES),
            "exact_sections": score_share(answered.judged, Metric.SECTIONS),
            "pages": _hide_classes(score_pages(list(all_pages(answered.judged))), frozenset(plan.classes)),
            "split": score_sections(answered.judged),
            "accelerator": score_as_accelerator(answered.judged),
            "parts": _score_parts(answered.judged),
        }
    )


def score_out_of_scope(
    answered: Answered, documents: Sequence[EvaluatedDocument], plan: EvaluationPlan
) -> OutOfScope | None:
    """Return on how many pages of documents of no class a model named one; None without an answer."""
    if answered.contestant is None:
        return None
    given = [(item, found) for item in documents if (found := answered.answers.get(item.document_id)) and found.answers]
    if not given:
        return None
    known = frozenset(plan.classes)
    named = Counter(_shown(page.class_name, known) for _, found in given for page in found.answers)
    del named[None]
    units: Counter[str] = Counter()
    right: Counter[str] = Counter()
    for item, found in given:
        units[item.group] += len(found.answers)
        right[item.group] += sum(page.class_name is not None for page in found.answers)
    return OutOfScope(
        documents=len(given),
        pages=units.total(),
        named=share_interval([Unit(items=items, right=right[group]) for group, items in units.items()]),
        classes=tuple(
            ClassCount(name=name, pages=pages)
            for name, pages in sorted(named.items(), key=lambda item: (-item[1], str(item[0])))
            if name is not None
        ),
    )


def _score_parts(judged: Sequence[JudgedDocument]) -> tuple[PartScores, ...]:
    """Return the scores of packets and of single documents; nothing if there is only one kind."""
    parts = {
        Part.PACKETS: [item for item in judged if item.is_packet],
        Part.SINGLE_DOCUMENTS: [item for item in judged if not item.is_packet],
    }
    if not all(parts.values()):
        return ()
    return tuple(
        PartScores(
            part=part,
            documents=len(of_part),
            accuracy=score_share(of_part, Metric.PAGES),
            exact_sections=score_share(of_part, Metric.SECTIONS),
        )
        for part, of_part in parts.items()
    )


def _hide_classes(scores: PageScores, known: frozenset[str]) -> PageScores:
    counts: Counter[tuple[str, str | None]] = Counter()
    for item in scores.confusions:
        counts[item.truth, _shown(item.given, known)] += item.pages
    confusions = (Confusion(truth=truth, given=given, pages=pages) for (truth, given), pages in counts.items())
    return scores.model_copy(update={"confusions": tuple(confusions)})


def _shown(class_name: str | None, known: frozenset[str]) -> str | None:
    return class_name if class_name is None or class_name in known else OTHER_CLASS


def _compare(other: Answered, first: Answered, plan: EvaluationPlan) -> ComparisonWith:
    comparison = compare(other.judged, first.judged, plan.metric, plan.margin)
    return ComparisonWith(
        kind=other.kind,
        name=other.title,
        comparison=comparison,
        agreement=find_agreement(other.judged, first.judged),
        sentence=verdict_sentence(comparison, other.title, first.title),
    )


def _alone(first: Answered, second: Answered, metric: Metric) -> str:
    """Say how good the first is if the second has no scores."""
    share = score_share(first.judged, metric)
    return (
        f"{first.title[0].upper()}{first.title[1:]} has {100 * share.value:.1f} % right (95 % interval "
        f"{100 * share.lower:.1f} to {100 * share.upper:.1f} %). Whether it is better than {second.title} is not "
        f"known: {second.reason}"
    )


def _findings(
    custom: Sequence[JudgedDocument], base: Sequence[JudgedDocument], known: frozenset[str]
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
