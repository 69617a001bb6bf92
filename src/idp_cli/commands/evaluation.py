"""Commands of `finetuning` on the evaluation of a job's model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from idp_cli.commands.options import interval_option, job_id_option, maximum_cost_option, maximum_pages_option
from idp_cli.completing import complete_jobs, complete_test_sets
from idp_cli.evaluation_page import evaluation_page
from idp_cli.evaluation_text import estimate_lines, evaluation_lines, gate_lines, page_rows, state_lines
from idp_cli.files import STDOUT, rows_of, write_csv, write_text
from idp_cli.model_card import card_content, card_lines
from idp_cli.session import FAILED, Session, find_stand_in, shared_options
from idp_cli.waiting import waiting

if TYPE_CHECKING:
    from idp_sdk import EvaluatedPage, EvaluationReport, LossCurve

Command = TypeVar("Command", bound=Callable[..., object])


@click.command()
@job_id_option
@click.option(
    "--test-set",
    "test_set",
    metavar="ID",
    shell_complete=complete_test_sets,
    help="Ask about its documents, without those the model was trained with (default: what the job was created with).",
)
@click.option(
    "--out-of-scope",
    metavar="ID",
    shell_complete=complete_test_sets,
    help="Also ask about this test set, whose documents belong to no class of the model.",
)
@click.option("--built-in-prompt", is_flag=True, help="Also ask the base model with the built-in prompt.")
@maximum_pages_option
@maximum_cost_option
@click.option("--estimate", is_flag=True, help="Say what it could cost at most, and start nothing.")
@click.option("--wait", is_flag=True, help="Wait for its end; exit code 1 unless it is COMPLETED.")
@interval_option
@shared_options
@click.pass_obj
def evaluate(
    session: Session,
    job_id: str,
    test_set: str | None,
    out_of_scope: str | None,
    built_in_prompt: bool,
    maximum_pages: int | None,
    maximum_cost: float | None,
    estimate: bool,
    wait: bool,
    interval: float,
) -> int:
    """Ask the model, and others, about documents it has not seen.

    Those that the job held out, or those of another test set. That is done once when a job is COMPLETED. Answers that
    are there are not paid for again.
    """
    if estimate:
        with session.client() as client:
            bound = client.finetuning.estimate_evaluation(
                job_id,
                test_set_id=test_set,
                out_of_scope_test_set_id=out_of_scope,
                built_in_prompt=built_in_prompt or None,
                maximum_pages=maximum_pages,
            )
        session.show(bound, estimate_lines(bound))
        return 0
    with session.client() as client:
        job = client.finetuning.evaluate_job(
            job_id,
            test_set_id=test_set,
            out_of_scope_test_set_id=out_of_scope,
            built_in_prompt=built_in_prompt or None,
            maximum_pages=maximum_pages,
            maximum_cost=maximum_cost,
        )
        if wait:
            with waiting(f"The evaluation of job {job_id}"):
                job = client.finetuning.wait_for_evaluation(job_id, poll_interval=interval)
            session.say_stand_in(client)
    session.show(job.evaluation, state_lines(job_id, job.evaluation))
    return FAILED if wait and job.evaluation and job.evaluation.status == "FAILED" else 0


def report_files(command: Command) -> Command:
    """Add the options that write a report, or its pages, to files."""
    for option in (
        _file_option("--html", "html_file", "Also write the report to FILE, as one page for a browser."),
        _file_option(
            "--jsonl",
            "jsonl",
            "Also write that to FILE, as a line of JSON for each page; - is stdout, without the report.",
        ),
        _file_option(
            "--csv",
            "csv_file",
            "Also write what each model said of each page to FILE; - is stdout, without the report.",
        ),
    ):
        command = option(command)
    return command


def _file_option(flag: str, name: str, text: str) -> Callable[[Command], Command]:
    return click.option(flag, name, type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help=text)


def require_one_output(session: Session, csv_file: Path | None, jsonl: Path | None) -> None:
    """Raise click.UsageError if two of the files are stdout."""
    if csv_file == jsonl == STDOUT or (session.json and STDOUT in (csv_file, jsonl)):
        raise click.UsageError("Only one of --json, --csv and --jsonl can be written to stdout.")


def write_report(
    session: Session,
    report: EvaluationReport,
    pages: Callable[[], Iterable[EvaluatedPage]],
    lines: Sequence[str],
    *,
    losses: Callable[[], LossCurve] | None = None,
    stand_in: str | None,
    csv_file: Path | None,
    jsonl: Path | None,
    html_file: Path | None,
) -> None:
    """Show a report, and write what is asked for: each page as a row or a line, the report as a page of HTML."""
    if csv_file:
        write_csv(csv_file, page_rows(report, pages()))
    if jsonl:
        with rows_of(jsonl) as out:
            for page in pages():
                out.json_line(page.model_dump(mode="json", by_alias=True))
    if html_file:
        write_text(html_file, evaluation_page(report, losses=losses() if losses else None, stand_in=stand_in))
    if STDOUT not in (csv_file, jsonl):
        session.show(report, lines)


@click.command()
@job_id_option
@report_files
@shared_options
@click.pass_obj
def evaluation(
    session: Session, job_id: str, csv_file: Path | None, jsonl: Path | None, html_file: Path | None
) -> None:
    """Show whether the model is better than the base model.

    With what is proven, scores by class, and the pages that a person should look at.
    """
    require_one_output(session, csv_file, jsonl)
    with session.client() as client:
        found = client.finetuning.evaluation_report(job_id)
        session.say_stand_in(client)
        write_report(
            session,
            found,
            lambda: client.finetuning.evaluated_pages(job_id),
            evaluation_lines(found),
            losses=lambda: client.finetuning.loss_curve(job_id),
            stand_in=find_stand_in(client),
            csv_file=csv_file,
            jsonl=jsonl,
            html_file=html_file,
        )


@click.command()
@job_id_option
@click.option(
    "--with", "other_job_id", required=True, metavar="ID", shell_complete=complete_jobs, help="The other job's id."
)
@shared_options
@click.pass_obj
def compare(session: Session, job_id: str, other_job_id: str) -> None:
    """Say whether another job's model is better.

    On the documents that both were evaluated on.
    """
    with session.client() as client:
        found = client.finetuning.compare_jobs(job_id, other_job_id)
        session.say_stand_in(client)
    session.show(found, [f"Documents: {found.documents}, Pages: {found.pages}", found.sentence])


@click.command()
@job_id_option
@click.option(
    "--minimum-gain",
    type=float,
    default=0.0,
    show_default=True,
    metavar="POINTS",
    help="What the custom model gains on the base model for certain: held against the lower limit of the interval.",
)
@click.option(
    "--maximum-loss-per-class",
    type=click.FloatRange(min=0, max=100),
    metavar="POINTS",
    help="What the recall of a class with ten held-out pages or more may lose.",
)
@shared_options
@click.pass_obj
def gate(session: Session, job_id: str, minimum_gain: float, maximum_loss_per_class: float | None) -> int:
    """Say whether the model may go live: exit code 0 or 1."""
    with session.client() as client:
        found = client.finetuning.gate_job(
            job_id,
            minimum_gain=minimum_gain / 100,
            maximum_loss_per_class=None if maximum_loss_per_class is None else maximum_loss_per_class / 100,
        )
        session.say_stand_in(client)
    session.show(found, gate_lines(found))
    return 0 if found.passed else FAILED


@click.command()
@job_id_option
@shared_options
@click.pass_obj
def card(session: Session, job_id: str) -> None:
    """Show a model card, in Markdown.

    What the model was made of, how good it is, and what it confuses.
    """
    from idp_sdk.errors import Conflict

    with session.client() as client:
        job, dataset = client.finetuning.get_job(job_id), client.finetuning.report(job_id)
        trained, evaluated = client.finetuning.prompt(job_id), None
        with suppress(Conflict):  # the job has no evaluation
            evaluated = client.finetuning.evaluation_report(job_id)
        known = client.models.list_available_models().base_models
        base = next((item for item in known if item.id == job.base_model), None)
        stand_in = find_stand_in(client)
    content = card_content(job, dataset, trained, evaluated, base)
    session.show(content, card_lines(job, dataset, trained, evaluated, base, stand_in))
