"""`finetuning`: fine-tuning jobs, from validation to the deployed model."""

from __future__ import annotations

import sys
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import click

from idp_cli.api_names import in_cli_words
from idp_cli.commands.evaluation import card, compare, evaluate, evaluation, gate
from idp_cli.commands.options import interval_option, job_id_option
from idp_cli.completing import complete_models, complete_test_sets, complete_versions
from idp_cli.files import write_csv
from idp_cli.following import follow
from idp_cli.job_text import (
    HELD_OUT_SHOWN,
    created_lines,
    document_rows,
    event_lines,
    has_losses,
    held_out_paths,
    list_lines,
    report_lines,
    status_lines,
    validation_lines,
)
from idp_cli.noun import Noun
from idp_cli.output import next_step, print_lines, printable, remark
from idp_cli.prompt_text import prompt_lines
from idp_cli.session import FAILED, Session, shared_options
from idp_cli.waiting import waiting

if TYPE_CHECKING:
    from idp_sdk import DatasetDocument, IDPClient, Job


_test_set = click.option(
    "--test-set",
    required=True,
    metavar="ID",
    shell_complete=complete_test_sets,
    help="The test set's id, from `testset list`.",
)
_train_split = click.option(
    "--train-split",
    type=float,
    metavar="SHARE",
    help="Share of the documents to train with, 0.5 to 0.95 (default: 0.9).",
)
_repeat = click.option(
    "--repeat",
    type=int,
    metavar="N",
    help="Write each training page N times, 1 to 4 (default: 1). For fewer than 1,000 pages.",
)


@click.group(cls=Noun)
def finetuning() -> None:
    """Fine-tuning jobs: validate, create, watch, stop, retry, delete."""


@finetuning.command()
@_test_set
@click.option(
    "--base-model",
    metavar="ID",
    shell_complete=complete_models,
    help="Also check what this base model needs, from `models list`.",
)
@_train_split
@_repeat
@shared_options
@click.pass_obj
def validate(
    session: Session, test_set: str, base_model: str | None, train_split: float | None, repeat: int | None
) -> int:
    """Check whether a test set can be used for fine-tuning.

    Exit code 1 if it cannot.
    """
    with session.client() as client, waiting("Reading the labels ..."):
        found = client.finetuning.validate_test_set(
            test_set, base_model=base_model, train_split=train_split, repeat=repeat
        )
    session.show(found, validation_lines(found))
    return 0 if found.is_valid else FAILED


@finetuning.command()
@_test_set
@click.option(
    "--base-model",
    required=True,
    metavar="ID",
    shell_complete=complete_models,
    help="The base model's id, from `models list`.",
)
@click.option("--name", required=True, help="Name of the job and of its model.")
@_train_split
@click.option(
    "--config-version",
    metavar="NAME",
    shell_complete=complete_versions,
    help="Train with this version's prompt and class descriptions.",
)
@click.option(
    "--evaluate/--no-evaluate",
    default=None,
    help="Ask the model about the held-out documents once it is deployed (default: yes).",
)
@click.option(
    "--evaluation-test-set",
    "evaluation_test_set",
    metavar="ID",
    shell_complete=complete_test_sets,
    help="Ask it about the documents of this test set instead of those held out.",
)
@click.option(
    "--notify",
    is_flag=True,
    help="Get an e-mail when the job and its evaluation have ended. Refused if e-mail is not set up.",
)
@_repeat
@click.option("--epochs", type=int, help="Rounds over the data, 1 to 5 (default: 2). All models.")
@click.option("--batch-size", type=int, help="1 only (default: 1). Nova 2.")
@click.option("--learning-rate", type=float, help="1e-06 to 0.0001 (default: 1e-05). All models.")
@click.option(
    "--warmup-steps", type=int, help="0 to 100 (default: 10 with Nova v1; with Nova 2 only sent if given). All models."
)
@click.option("--wait", is_flag=True, help="Watch the job to its end; exit code 1 unless it is COMPLETED.")
@interval_option
@shared_options
@click.pass_obj
def create(
    session: Session,
    test_set: str,
    base_model: str,
    name: str,
    train_split: float | None,
    config_version: str | None,
    evaluate: bool | None,
    evaluation_test_set: str | None,
    notify: bool,
    repeat: int | None,
    epochs: int | None,
    batch_size: int | None,
    learning_rate: float | None,
    warmup_steps: int | None,
    wait: bool,
    interval: float,
) -> int:
    """Start a fine-tuning job.

    The hyperparameters of each base model are in `models list --details`.
    """
    from idp_sdk import HyperParameters

    parameters = HyperParameters(
        epoch_count=epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
        learning_rate_warmup_steps=warmup_steps,
    )
    with session.client() as client:
        job = client.finetuning.create_job(
            test_set_id=test_set,
            base_model=base_model,
            name=name,
            train_split=train_split,
            hyper_parameters=parameters if parameters.given else None,
            repeat=repeat,
            config_version=config_version,
            evaluate=evaluate,
            evaluation_test_set_id=evaluation_test_set,
            notify_owner=notify or None,
        )
        if not wait:
            session.show(job, created_lines(job))
        elif session.json:
            remark(f"Job ID: {job.id}")
        else:
            print_lines([*created_lines(job), ""])
        for warning in job.warnings:
            remark(f"Warning: {in_cli_words(warning)}")
        if not wait:
            return 0
        return _watch(session, client, job.id, interval)


@finetuning.command()
@job_id_option
@click.option("--watch", is_flag=True, help="Watch the job to its end; exit code 1 unless it is COMPLETED.")
@interval_option
@shared_options
@click.pass_obj
def status(session: Session, job_id: str, watch: bool, interval: float) -> int:
    """Show a job: status, times, losses.

    A job that has ended also shows its model, or its error.
    """
    with session.client() as client:
        if watch:
            return _watch(session, client, job_id, interval)
        _show_job(session, client, client.finetuning.get_job(job_id))
    return 0


@finetuning.command("list")
@click.option(
    "--limit", type=click.IntRange(min=1), default=50, show_default=True, metavar="N", help="Show at most N jobs."
)
@click.option("--status", metavar="STATUS", help="Only jobs with this status, for example FAILED.")
@click.option(
    "--base-model", metavar="MODEL", shell_complete=complete_models, help="Only jobs that train this base model."
)
@click.option(
    "--test-set", metavar="ID", shell_complete=complete_test_sets, help="Only jobs that train with this test set."
)
@click.option("--name", metavar="TEXT", help="Only jobs whose name begins with this, upper or lower case.")
@shared_options
@click.pass_obj
def list_jobs(
    session: Session, limit: int, status: str | None, base_model: str | None, test_set: str | None, name: str | None
) -> None:
    """List jobs, newest first."""
    from idp_sdk import JobStatus

    try:
        wanted = JobStatus(status.upper()) if status else None
    except ValueError:
        raise click.BadParameter(
            f"'{status}' is no status of a job; there are {', '.join(JobStatus)}.", param_hint="'--status'"
        ) from None
    with session.client() as client:
        listed = client.finetuning.list_jobs(
            status=wanted,
            base_model=base_model,
            test_set_id=test_set,
            name_prefix=name,
            page_size=min(limit + 1, 100),
        )
        found = list(islice(listed, limit + 1))
    jobs = found[:limit]
    is_filtered = bool(status or base_model or test_set or name)
    session.show(jobs, list_lines(jobs, is_filtered=is_filtered))
    if len(found) > limit:
        remark(f"There are more; --limit {2 * limit} shows more of them.")


@finetuning.command()
@job_id_option
@shared_options
@click.pass_obj
def stop(session: Session, job_id: str) -> None:
    """Stop a running job and its training."""
    with session.client() as client:
        job = client.finetuning.stop_job(job_id)
    session.show(job, [f"Job {job.id} is {job.status}."])


@finetuning.command()
@job_id_option
@click.option("--wait", is_flag=True, help="Watch the job to its end; exit code 1 unless it is COMPLETED.")
@interval_option
@shared_options
@click.pass_obj
def retry(session: Session, job_id: str, wait: bool, interval: float) -> int:
    """Run a failed or stopped job again.

    It continues where it ended: training that is paid for is not repeated.
    """
    with session.client() as client:
        job = client.finetuning.retry_job(job_id)
        if wait:
            return _watch(session, client, job_id, interval)
    session.show(job, [f"Job {job.id} runs again: {job.status}."])
    return 0


@finetuning.command()
@job_id_option
@click.option("--yes", is_flag=True, help="Do not ask before a completed job is removed.")
@shared_options
@click.pass_obj
def delete(session: Session, job_id: str, yes: bool) -> None:
    """Remove an ended job.

    Its deployment, its model and its data go with it. On a terminal it asks first if the job is COMPLETED.
    """
    with session.client() as client:
        if not yes and sys.stdin.isatty():
            job = client.finetuning.get_job(job_id)
            if job.status == "COMPLETED" and not click.confirm(
                f"Job '{printable(job.name)}' is COMPLETED. Its model was paid for and cannot be brought back. "
                "Remove the deployment, the model and the job's data?",
                err=True,
            ):
                remark("Nothing was removed.")
                return
        accepted = client.finetuning.delete_job(job_id)
    session.show(accepted, [f"Job {job_id} is being deleted, with its deployment, model and data."])


@finetuning.command()
@job_id_option
@shared_options
@click.pass_obj
def events(session: Session, job_id: str) -> None:
    """Show what happened to a job, newest first."""
    with session.client() as client:
        found = list(client.finetuning.events(job_id))
    session.show(found, event_lines(found))


@finetuning.command()
@job_id_option
@click.option(
    "--csv",
    "csv_file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Also write each document to FILE: side, classes, pages, why it was rejected.",
)
@shared_options
@click.pass_obj
def report(session: Session, job_id: str, csv_file: Path | None) -> None:
    """Show what became of each document.

    Pages by class, held-out documents, and rejected documents with their reasons.
    """
    with session.client() as client:
        found = client.finetuning.report(job_id)
        documents = list(client.finetuning.documents(job_id)) if csv_file else _held_out(client, job_id)
    if csv_file:
        write_csv(csv_file, document_rows(documents))
    session.show(found, report_lines(found, held_out_paths(documents)))
    if csv_file:
        remark(f"{len(documents)} documents are in {csv_file}.")


for _command in (evaluate, evaluation, compare, gate, card):
    finetuning.add_command(_command)


@finetuning.command()
@job_id_option
@shared_options
@click.pass_obj
def prompt(session: Session, job_id: str) -> None:
    """Show the prompt that a job trains its model with."""
    with session.client() as client:
        found = client.finetuning.prompt(job_id)
    session.show(found, prompt_lines(found.system_prompt, found.task_prompt, found.classes))


def _held_out(client: IDPClient, job_id: str) -> list[DatasetDocument]:
    """Return the held-out documents that are shown, and one more if there is one."""
    from idp_sdk.errors import Conflict

    documents = client.finetuning.documents(job_id, page_size=HELD_OUT_SHOWN + 1)
    with suppress(Conflict):  # a job from before there was a list
        return list(islice(documents, HELD_OUT_SHOWN + 1))
    return []


def _watch(session: Session, client: IDPClient, job_id: str, interval: float) -> int:
    again = f" --profile {session.profile}" if session.profile else ""
    job = follow(client, job_id, interval=interval, again=again)
    _show_job(session, client, job)
    return 0 if job.status == "COMPLETED" else FAILED


def _show_job(session: Session, client: IDPClient, job: Job) -> None:
    session.show(job, status_lines(job))
    if job.status == "COMPLETED":
        next_step(f"idp-cli config-version create NAME --from-job {job.id}")
    elif job.status == "FAILED":
        next_step(f"idp-cli finetuning retry --job-id {job.id}, once the reason is gone")
    if has_losses(job.training_metrics):
        session.say_stand_in(client)
