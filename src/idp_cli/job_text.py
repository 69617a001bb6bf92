"""Fine-tuning jobs as text: the guide's output, and what the guide leaves open."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from idp_cli.api_names import in_cli_words
from idp_cli.evaluation_text import verdict_line
from idp_cli.output import table
from idp_cli.times import moment

if TYPE_CHECKING:
    from idp_sdk import (
        BedrockRecords,
        DatasetDocument,
        DatasetReport,
        Job,
        JobEvent,
        JobSummary,
        SplitReport,
        TrainingMetrics,
        Validation,
    )

HELD_OUT_SHOWN = 10  # by `finetuning report`; --csv has all
WARNINGS_SHOWN = 10  # by `finetuning status`: there may be one for each pair of identical files


def validation_lines(validation: Validation) -> list[str]:
    """Return the guide's output of `finetuning validate`."""
    return [
        "Test Set Validation Results:",
        f"  Valid: {'Yes' if validation.is_valid else 'No'}",
        f"  Documents: {validation.document_count}",
        f"  Classes: {validation.class_count}",
        f"  Train/Validation Split: {validation.train_count}/{validation.validation_count}",
        "",
        "Class Distribution:",
        *(f"  {name}: {count}" for name, count in validation.class_distribution.items()),
        *_expectation_lines(validation),
        *_list_lines("Warnings:", validation.warnings),
        *_list_lines("Errors:", validation.errors),
    ]


def _expectation_lines(validation: Validation) -> list[str]:
    """Say what the held-out documents can prove; the guide's output, without a base model, has nothing of it."""
    expected = validation.evaluation
    if expected is None:
        return []
    gain = expected.detectable_gain
    return [
        "",
        "What the Held-Out Documents Can Prove:",
        f"  With {expected.held_out}: "
        + (f"a gain of {100 * gain:.0f} points or more" if gain is not None else "nothing; hold more documents out"),
        f"  For 10 points: {expected.documents_for_ten_points} documents; for 5: {expected.documents_for_five_points}",
        f"  (in four of five cases, if the models differ on {100 * expected.differing_share:.0f} % of the documents, "
        f"{_seen(expected.earlier_evaluations)})",
    ]


def _seen(evaluations: int) -> str:
    if not evaluations:
        return "which is assumed"
    return "as in the earlier evaluation" if evaluations == 1 else f"as in {evaluations} earlier evaluations"


def created_lines(job: Job) -> list[str]:
    """Return the guide's output of `finetuning create`."""
    return [
        "Fine-tuning job created:",
        f"  Job ID: {job.id}",
        f"  Status: {job.status}",
        "  ",
        "Monitor progress with:",
        f"  idp-cli finetuning status --job-id {job.id}",
    ]


def status_lines(job: Job) -> list[str]:
    """Return the guide's output of `finetuning status`; an ended job also shows its model or its error."""
    times = (
        ("Created", job.created_at),
        ("Training Started", job.training_started_at),
        ("Training Completed", job.training_completed_at),
        ("Deployment Completed", job.deployment_completed_at),
    )
    return [
        "Fine-Tuning Job Status:",
        f"  Job ID: {job.id}",
        f"  Name: {job.name}",
        f"  Status: {job.status}",
        f"  Base Model: {job.base_model_name}",
        "  ",
        "  Timeline:",
        *(f"    {name}: {moment(at)}" for name, at in times if at is not None),
        *_metrics_lines(job),
        *(["    ", f"  Waiting For: {job.waiting_for}"] if job.waiting_for else []),
        *(_outcome_lines(job) if job.ended else []),
    ]


def _metrics_lines(job: Job) -> list[str]:
    if not has_losses(job.training_metrics):
        return []
    lines = [f"    {name} Loss: {value}" for name, value in losses(job.training_metrics)]
    if job.ended and len(lines) == 1:
        lines.append("    Validation Loss: not reported")
    return ["    ", "  Training Metrics:", *lines]


def _outcome_lines(job: Job) -> list[str]:
    lines = []
    if job.documents:
        lines += ["    ", f"  Documents: {documents_text(job)}"]
    if job.custom_model_deployment_arn:
        lines += ["    ", f"  Model: {job.custom_model_deployment_arn}"]
    if job.evaluation:
        lines += ["    ", f"  Evaluation: {verdict_line(job.evaluation)}"]
    if job.error_message:
        stage = f" in {job.error_stage}" if job.error_stage else ""
        lines += ["    ", f"  Error{stage}: {in_cli_words(job.error_message)}"]
    if job.warnings:
        lines += ["    ", "  Warnings:", *(f"    - {in_cli_words(text)}" for text in job.warnings[:WARNINGS_SHOWN])]
        if len(job.warnings) > WARNINGS_SHOWN:
            lines.append(f"    - and {len(job.warnings) - WARNINGS_SHOWN} more; --json shows all of them")
    return lines


def has_losses(metrics: TrainingMetrics | None) -> bool:
    """Return whether Bedrock has reported a loss."""
    return bool(losses(metrics))


def losses(metrics: TrainingMetrics | None) -> list[tuple[str, str]]:
    """Return `("Training", "0.05")` and `("Validation", "0.08")`: what Bedrock has reported, to four digits."""
    if metrics is None:
        return []
    given = (("Training", metrics.training_loss), ("Validation", metrics.validation_loss))
    return [(name, f"{value:.4g}") for name, value in given if value is not None]


def documents_text(job: Job) -> str:
    """Return `150 found, 135 to train, 15 held out, 2 rejected`, or nothing before the test set is read."""
    if job.documents is None:
        return ""
    counts = job.documents
    rejected = "" if counts.rejected is None else f", {counts.rejected} rejected"
    return f"{counts.found} found, {counts.train} to train, {counts.validation} held out{rejected}"


def list_lines(jobs: Iterable[JobSummary], *, is_filtered: bool = False) -> list[str]:
    """Return a table of jobs, or a sentence if there are none, or none match."""
    rows = [(job.id, job.status, job.base_model_name, moment(job.created_at), job.name) for job in jobs]
    if not rows:
        return ["No fine-tuning jobs match." if is_filtered else "No fine-tuning jobs yet."]
    return table([("JOB ID", "STATUS", "BASE MODEL", "CREATED", "NAME"), *rows])


def event_lines(events: Sequence[JobEvent]) -> list[str]:
    """Return a table of a job's events, newest first."""
    return table([(moment(event.at), event.type, event.message) for event in events]) if events else ["No events."]


def document_rows(documents: Iterable[DatasetDocument]) -> Iterator[Sequence[object]]:
    """Yield the rows of a CSV file, its header first; the classes of a packet are on lines of their cell."""
    yield "document", "side", "classes", "pages", "rejected", "reason"
    for item in documents:
        yield item.path, item.side, "\n".join(item.classes), item.pages, item.code, item.reason


def held_out_paths(documents: Iterable[DatasetDocument]) -> list[str]:
    """Return the paths of those that are held out and were not rejected."""
    return [item.path for item in documents if item.side == "validation" and item.code is None]


def report_lines(report: DatasetReport, held_out: Sequence[str] = ()) -> list[str]:
    """Return the counts of documents, pages by class on both sides, held-out documents, and each rejected document."""
    more = report.validation.documents - len(held_out[:HELD_OUT_SHOWN])
    rest = [f"and {more} more; --csv FILE has all of them"] if more else []
    return [
        "Data Set Report:",
        f"  Documents: {report.found} found = {report.accepted} accepted + {report.rejected} rejected",
        f"  To Train: {report.train.documents} documents, {report.train.pages} pages{_times(report.repeat)}",
        f"  Held Out: {report.validation.documents} documents, {report.validation.pages} pages",
        *_class_lines(report.train, report.validation),
        *_list_lines("Held-Out Documents:", [*held_out[:HELD_OUT_SHOWN], *rest] if held_out else []),
        *_bedrock_lines(report.bedrock_records or ()),
        *_list_lines("Rejected:", [f"{item.key}: {item.reason}" for item in report.rejected_documents]),
        *_list_lines("Warnings:", report.warnings),
    ]


def _class_lines(train: SplitReport, held_out: SplitReport) -> list[str]:
    sides = [{item.name: item.pages for item in side.classes} for side in (train, held_out)]
    names = dict.fromkeys([*sides[0], *sides[1]])
    rows = [(name, *(str(side.get(name, 0)) for side in sides)) for name in names]
    shown = table([("CLASS", "TO TRAIN", "HELD OUT"), *rows], right=(1, 2))
    return ["", "Pages by Class:", *(f"  {line}" for line in shown)] if rows else []


def _times(repeat: int) -> str:
    return f", each {repeat} times" if repeat > 1 else ""


def _bedrock_lines(files: Sequence[BedrockRecords]) -> list[str]:
    rows = [(f.file_name, str(f.total), str(f.accepted), str(f.partially_accepted), str(f.rejected)) for f in files]
    shown = table([("FILE", "RECORDS", "ACCEPTED", "IN PART", "REJECTED"), *rows], right=(1, 2, 3, 4))
    return ["", "Records by Bedrock's Count:", *(f"  {line}" for line in shown)] if rows else []


def _list_lines(title: str, texts: Sequence[str]) -> list[str]:
    return ["", title, *(f"  - {in_cli_words(text)}" for text in texts)] if texts else []
