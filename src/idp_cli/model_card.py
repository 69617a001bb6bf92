"""A model card: what a model was made of, how good it is, and what is known to go wrong, in Markdown."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from idp_cli.evaluation_text import cost_line, documents_of, repeatability
from idp_cli.job_text import losses
from idp_cli.times import moment

if TYPE_CHECKING:
    from idp_sdk import BaseModel, ContestantScores, DatasetReport, EvaluationReport, Interval, Job, Prompt

CONFUSIONS_SHOWN = 10


def prompt_hash(prompt: Prompt) -> str:
    """Return the SHA-256 of the prompt as JSON with sorted keys."""
    return hashlib.sha256(json.dumps(prompt.to_wire(), sort_keys=True).encode()).hexdigest()


def card_content(
    job: Job, dataset: DatasetReport, prompt: Prompt, evaluation: EvaluationReport | None, base: BaseModel | None
) -> dict[str, Any]:
    """Return the card as JSON, with the names of the API."""
    return {
        "job": job.to_wire(),
        "dataset": dataset.to_wire(),
        "promptSha256": prompt_hash(prompt),
        "classes": [item.to_wire() for item in prompt.classes],
        "evaluation": evaluation.to_wire() if evaluation else None,
        "baseModel": base.to_wire() if base else None,
    }


def card_lines(
    job: Job,
    dataset: DatasetReport,
    prompt: Prompt,
    evaluation: EvaluationReport | None,
    base: BaseModel | None,
    stand_in: str | None,
) -> list[str]:
    """Return the card as Markdown; `stand_in` is what to say if the models were no real ones."""
    return [
        f"# {_text(job.name)}",
        "",
        *([f"**{_text(stand_in)}**", ""] if stand_in else []),
        *_table(("", ""), _facts(job, prompt, base)),
        "",
        "## Data",
        "",
        f"{dataset.accepted} of {dataset.found} documents were used, {dataset.rejected} were rejected. Pages:",
        "",
        *_table(("class", "to train", "held out"), _pages(dataset)),
        "",
        "## Evaluation",
        "",
        *(_evaluation(evaluation) if evaluation else ["The model was not evaluated."]),
    ]


def _facts(job: Job, prompt: Prompt, base: BaseModel | None) -> Iterator[tuple[str, str]]:
    version = f", version {job.test_set_version}" if job.test_set_version else ""
    given = job.hyper_parameters.model_dump(by_alias=True, exclude_none=True)
    yield "Base model", f"{job.base_model_name} ({job.base_model})"
    if base and base.lifecycle_warning:
        yield "Base model's life", base.lifecycle_warning
    yield "Deployment", job.custom_model_deployment_arn or "none"
    yield "Job", f"{job.id}, {job.status}, by {job.created_by}"
    yield "Trained", " to ".join(moment(at) for at in (job.training_started_at, job.training_completed_at) if at)
    yield "Test set", f"{job.test_set_name} ({job.test_set_id}{version}), {100 * job.train_split:g} % to train"
    yield "Hyperparameters", ", ".join(f"{name} {value}" for name, value in given.items()) or "defaults"
    yield "Repeats of each page", str(job.repeat)
    yield "Losses", ", ".join(f"{name.lower()} {value}" for name, value in losses(job.training_metrics)) or "none"
    yield "Prompt", f"{job.config_version or 'built-in'}, SHA-256 {prompt_hash(prompt)}"


def _pages(dataset: DatasetReport) -> Iterator[tuple[str, str, str]]:
    sides = [{item.name: item.pages for item in side.classes} for side in (dataset.train, dataset.validation)]
    for name in dict.fromkeys([*sides[0], *sides[1]]):
        yield name, str(sides[0].get(name, 0)), str(sides[1].get(name, 0))


def _evaluation(report: EvaluationReport) -> Iterator[str]:
    asked = f"{report.documents} documents, {report.pages} pages, from {_text(documents_of(report))}"
    yield f"{_text(report.sentence)} {asked}; {repeatability(report)}."
    yield f"Cost of the evaluation: {cost_line(report)}."
    yield ""
    yield from _table(
        ("", "pages right", "sections exact", "macro F1"),
        (
            (
                item.name,
                _share(item.accuracy),
                _share(item.exact_sections),
                f"{item.pages.macro_f1:.3f}" if item.pages else item.reason or "-",
            )
            for item in report.contestants
        ),
    )
    custom = next((item for item in report.contestants if item.kind == "CUSTOM_MODEL"), None)
    yield from _weaknesses(custom)


def _weaknesses(custom: ContestantScores | None) -> Iterator[str]:
    if custom is None or custom.pages is None:
        return
    yield ""
    rows = [(i.name, str(i.support), f"{i.precision:.2f}", f"{i.recall:.2f}") for i in custom.pages.classes]
    yield from _table(("class", "pages", "precision", "recall"), rows)
    wrong = sorted((item for item in custom.pages.confusions if item.given != item.truth), key=lambda i: -i.pages)
    if wrong:
        yield from ("", "Known confusions:", "")
        for item in wrong[:CONFUSIONS_SHOWN]:
            yield f"- {_text(item.truth)} taken for {_text(item.given or 'nothing usable')}: {item.pages} pages"


def _share(interval: Interval | None) -> str:
    if interval is None:
        return "-"
    return f"{100 * interval.value:.1f} % ({100 * interval.lower:.1f} to {100 * interval.upper:.1f})"


def _table(head: Sequence[str], rows: Iterator[Sequence[str]] | Sequence[Sequence[str]]) -> Iterator[str]:
    for cells in (head, ["---"] * len(head), *rows):
        yield f"| {' | '.join(_text(cell) for cell in cells)} |"


_SPECIAL = str.maketrans({character: f"\\{character}" for character in "\\`*_{}[]<>#|"})


def _text(value: str) -> str:
    """Return text that is nothing but text in Markdown."""
    return " ".join(value.translate(_SPECIAL).split())
