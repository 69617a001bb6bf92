"""Evaluations as text: the verdict, the contestants, the classes, and the pages to look at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from idp_cli.api_names import in_cli_words
from idp_cli.output import table

if TYPE_CHECKING:
    from idp_sdk import (
        BaselineEvaluation,
        ContestantScores,
        CostBound,
        EvaluatedPage,
        EvaluationReport,
        GateResult,
        Interval,
        JobEvaluation,
    )

FINDINGS_SHOWN = 10  # --csv has every page
PARTS = {"PACKETS": "packets", "SINGLE_DOCUMENTS": "single documents"}
# A table has less room than a sentence.
_SHORT = {
    "the custom model": "custom model",
    "the base model with the same prompt": "base, same prompt",
    "the base model with the built-in prompt": "base, built-in prompt",
    "the active configuration version": "active version",
    "always naming the most frequent class": "most frequent",
    "the label of the nearest training page": "nearest page",
}


def state_lines(job_id: str, evaluation: JobEvaluation | None) -> list[str]:
    """Return how the latest evaluation of a job stands."""
    if evaluation is None:
        return [f"Job {job_id} was not evaluated."]
    if evaluation.status == "RUNNING":
        return [f"Evaluation {evaluation.number} of job {job_id} is RUNNING."]
    return [f"Evaluation {evaluation.number} of job {job_id} is {evaluation.status}.", verdict_line(evaluation)]


def baseline_lines(evaluation: BaselineEvaluation) -> list[str]:
    """Return how an evaluation before any job stands."""
    name = f"Evaluation {evaluation.number} of test set {evaluation.test_set_id}"
    if evaluation.report:
        return [f"{name} is {evaluation.status}.", evaluation.report.sentence]
    if evaluation.error_message:
        return [f"{name} is {evaluation.status}.", f"It failed: {in_cli_words(evaluation.error_message)}"]
    return [f"{name} is {evaluation.status}."]


def verdict_line(evaluation: JobEvaluation) -> str:
    """Return what is proven, or why the evaluation failed."""
    if evaluation.status == "RUNNING":
        return "The models are being asked."
    return evaluation.sentence or f"It failed: {in_cli_words(evaluation.error_message or '')}"


def evaluation_lines(report: EvaluationReport) -> list[str]:
    """Return the verdict, a table of the contestants, one of the classes, and the first pages to look at."""
    others = [item for item in report.comparisons if item.sentence != report.sentence]
    return [
        "Evaluation Report:",
        f"  Documents: {report.documents}, Pages: {report.pages}, from {documents_of(report)}",
        f"  Verdict: {report.sentence}",
        *(f"  {item.sentence}" for item in others),
        f"  Repeatability: {repeatability(report)}",
        f"  Cost: {cost_line(report)}",
        *(f"  {line}" for line in judged_lines(report)),
        "",
        *_contestant_lines(report.contestants),
        *part_lines(report),
        *_class_lines(report.contestants[0]),
        *_listed("Documents of No Class:", out_of_scope_lines(report)),
        *_finding_lines(report),
        *_listed("Left Out:", [f"{item.path}: {item.reason}" for item in report.left_out]),
        *_listed("Notes:", report.notes),
    ]


def documents_of(report: EvaluationReport) -> str:
    """Return whose documents the models were asked about."""
    return f"test set {report.test_set_id}" if report.test_set_id else "what the job held out"


def subject_of(report: EvaluationReport) -> str:
    """Return what was evaluated."""
    return f"job {report.job_id}" if report.job_id else f"test set {report.test_set_id} before training"


def gate_lines(result: GateResult) -> list[str]:
    """Return whether the model may go live, what speaks for or against it, and what could not be judged."""
    small = ", ".join(result.not_judged)
    return [
        f"Passed: {'Yes' if result.passed else 'No'}",
        *(f"  - {reason}" for reason in result.reasons),
        *([f"  - Not judged, with fewer than ten held-out pages: {small}"] if small else []),
    ]


def repeatability(report: EvaluationReport) -> str:
    """Say how often the first contestant answered differently when it was asked twice."""
    if not report.repeated_pages:
        return "no page was asked about twice"
    return f"{report.flipped_pages} of {report.repeated_pages} pages asked about twice were answered differently"


def cost_line(report: EvaluationReport) -> str:
    """Say what the evaluation cost, or for which contestants that is not known."""
    calls = sum({item.asked_as: item.usage.calls for item in report.contestants}.values())
    if report.prices_as_of is None:
        return "not recorded"
    if not calls:
        return "nothing was asked for, all answers were there"
    if report.cost is None:
        unknown = [short_name(item) for item in report.contestants if item.usage.calls and item.cost is None]
        return f"not known for {calls:,} answers, without a price of: {', '.join(unknown)}"
    # Answers of the flex tier cost less.
    return f"${report.cost:.4f} at most for {calls:,} answers, with standard prices of {report.prices_as_of}"


def estimate_lines(bound: CostBound) -> list[str]:
    """Say what an evaluation could cost at most."""
    asked = f"for {bound.answers:,} answers about {bound.pages:,} pages"
    if bound.cost is None:
        return [f"What it could cost is not known {asked}, without a price of: {', '.join(bound.without_price)}."]
    return [
        f"It could cost ${bound.cost:.4f} at most {asked}, with standard prices of {bound.prices_as_of}.",
        "Answers that are there are counted, too, and are not paid for again.",
    ]


def judged_lines(report: EvaluationReport) -> list[str]:
    """Say how many other models the test set has judged, if it has."""
    count = report.judged_before
    if not count:
        return []
    models = "1 other model" if count == 1 else f"{count} other models"
    return [f"Its test set has judged {models} before: of many, the best owes something to chance."]


def page_rows(report: EvaluationReport, pages: Iterable[EvaluatedPage]) -> Iterator[Sequence[object]]:
    """Yield the rows of a CSV file, its header first: each page with its label, and two columns a contestant."""
    scored = [item for item in report.contestants if item.pages]
    names = [name for item in scored for name in (short_name(item), f"{short_name(item)}, boundary")]
    yield "document", "page", "label", "label, boundary", *names
    for page in pages:
        said = {answer.name: answer for answer in page.answers}
        cells = [part for item in scored for part in (said[item.name].class_name, said[item.name].boundary)]
        yield page.path, page.page, page.label, page.label_boundary, *cells


def out_of_scope_lines(report: EvaluationReport) -> list[str]:
    """Say of each contestant how often it named a class on pages that belong to none."""
    lines: list[str] = []
    for item in report.contestants:
        if found := item.out_of_scope:
            classes = ", ".join(f"{named.name} {named.pages}" for named in found.classes)
            lines.append(
                f"{item.name} named a class on {_percent(found.named)} of {found.pages} pages"
                + (f": {classes}" if classes else "")
            )
    return lines


def short_name(contestant: ContestantScores) -> str:
    """Return the name of a contestant for a table."""
    return _SHORT.get(contestant.name, contestant.name.removeprefix("configuration "))


def _contestant_lines(contestants: Sequence[ContestantScores]) -> list[str]:
    rows = [
        (
            short_name(item),
            _percent(item.accuracy),
            _percent(item.exact_sections),
            f"{item.pages.macro_f1:.3f}" if item.pages else "-",
            str(item.pages.unusable) if item.pages else "-",
        )
        for item in contestants
    ]
    shown = table([("CONTESTANT", "PAGES RIGHT", "SECTIONS EXACT", "F1", "UNUSABLE"), *rows], right=(3, 4))
    reasons = [f"{item.name} was not scored: {item.reason}" for item in contestants if item.reason]
    return [*shown, *reasons]


def part_lines(report: EvaluationReport) -> list[str]:
    """Return a table with the scores of packets and of single documents, if there are both."""
    rows = [
        (
            short_name(item),
            f"{part.documents} {PARTS[part.part]}",
            _percent(part.accuracy),
            _percent(part.exact_sections),
        )
        for item in report.contestants
        for part in item.parts
    ]
    return ["", *table([("CONTESTANT", "FILES", "PAGES RIGHT", "SECTIONS EXACT"), *rows])] if rows else []


def _percent(interval: Interval | None) -> str:
    if interval is None:
        return "-"
    return f"{100 * interval.value:.1f} % ({100 * interval.lower:.0f} to {100 * interval.upper:.0f})"


def _class_lines(scores: ContestantScores) -> list[str]:
    if not scores.pages:
        return []
    rows = [
        (item.name, str(item.support), f"{item.precision:.2f}", f"{item.recall:.2f}", f"{item.f1:.2f}")
        for item in scores.pages.classes
    ]
    return [
        "",
        f"Classes ({short_name(scores)}):",
        *table([("CLASS", "PAGES", "PRECISION", "RECALL", "F1"), *rows], right=(1, 2, 3, 4)),
    ]


def finding_words(report: EvaluationReport) -> dict[str, str]:
    """Return what each kind of finding says of the first two contestants."""
    first, second = report.contestants[:2]
    return {
        "BROKEN": "broken by the custom model" if report.job_id else f"only {first.name} is wrong",
        "SUSPECTED_LABEL": "both name the same other class: is the label right?",
        "BOTH_WRONG": "wrong by both" if second.model else "wrong",
        "FIXED": "fixed by the custom model" if report.job_id else f"only {second.name} is wrong",
    }


def _finding_lines(report: EvaluationReport) -> list[str]:
    first, second = report.contestants[:2]
    words = finding_words(report)
    to_look_at = [item for item in report.findings if item.finding != "FIXED"]
    shown = to_look_at[:FINDINGS_SHOWN]
    more = len(to_look_at) - len(shown)
    rest = [f"and {more} more; --csv FILE has the answers of all pages"] if more else []
    return _listed(
        "Pages to Look At:",
        [
            *(
                f"{item.path}, page {item.page}: {words[item.finding]} (label {item.label}; "
                f"{short_name(first)}: {item.custom or 'unusable'}"
                f"{f'; {short_name(second)}: ' + (item.base or 'unusable') if second.model else ''})"
                for item in shown
            ),
            *rest,
        ],
    )


def _listed(title: str, texts: Sequence[str]) -> list[str]:
    return ["", title, *(f"  - {text}" for text in texts)] if texts else []
