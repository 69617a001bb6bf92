"""The e-mail that a job has ended, for an owner who asked for one."""

from __future__ import annotations

from contextlib import suppress

from idp_finetuning.adapters.aws_calls import aws_calls
from idp_finetuning.adapters.mailer import Mailer
from idp_finetuning.adapters.tables.jobs import JobTable
from idp_finetuning.errors import AwsCallRefused, JobNotFound
from idp_finetuning.jobs import life
from idp_finetuning.jobs.job import FinetuningJob


def notify_owner(job: FinetuningJob, *, jobs: JobTable, mailer: Mailer | None) -> None:
    """Send the e-mail, and note in the job's history that it was sent, or why it could not be.

    Two calls at the same moment may send it twice: noting it first could lose it. Raises TransientError if another
    call may succeed.
    """
    address = job.notify_address
    if address is None or not job.is_notification_due:
        return
    if mailer is None:
        said = f"No e-mail was sent to {address}: this deployment no longer sends any."
    else:
        try:
            with aws_calls():
                mailer.send(address, _subject(job), _text(job))
            said = f"An e-mail that it has ended was sent to {address}."
        except AwsCallRefused as error:
            said = f"No e-mail was sent to {address}. {error.message}"
    with suppress(JobNotFound):  # deleted meanwhile
        jobs.update(job.id, lambda current: life.note_notification(current, job.current_run, said))


def _subject(job: FinetuningJob) -> str:
    return f"Fine-tuning job '{job.job_name}' is {job.status}"


def _text(job: FinetuningJob) -> str:
    """Return what happened and where to read more; error messages stay in the account, as they may name documents."""
    lines = [
        f"Fine-tuning job '{job.job_name}' is {job.status}.",
        "",
        f"Job ID: {job.id}",
        f"Test set: {job.test_set_name}",
        f"Base model: {job.base_model_name}",
    ]
    if job.error_code and not job.is_completed:
        lines.append(f"Error: {job.error_code} in {job.error_stage}")
    if job.evaluation:
        lines.append(f"Evaluation: {job.evaluation.sentence or job.evaluation.status}")
    lines += [
        "",
        "Status and history:",
        f"  idp-cli finetuning status --job-id {job.id}",
        "",
        "You get this e-mail because you asked for it when you started the job.",
    ]
    return "\n".join(lines)
