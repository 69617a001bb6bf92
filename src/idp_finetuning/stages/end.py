"""The end of a job: where all failures and stops go, and the removal of what a job left."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress

from idp_finetuning.adapters.aws_calls import aws_calls
from idp_finetuning.adapters.bedrock import Bedrock
from idp_finetuning.adapters.bedrock_account import NamedResource
from idp_finetuning.adapters.buckets import DataBucket
from idp_finetuning.adapters.tables.jobs import JobTable
from idp_finetuning.errors import AwsCallRefused, Conflict, JobNotFound, JobStopping, RemovalPending, StaleState
from idp_finetuning.jobs.failures import WorkflowError, job_failure
from idp_finetuning.jobs.job import ENDED, Failure, FinetuningJob, JobRun, JobStatus
from idp_finetuning.jobs.layout import JobLayout
from idp_finetuning.stages.train import stop_abandoned_training


def end_job(run: JobRun, error: WorkflowError, *, jobs: JobTable, bedrock: Bedrock) -> Failure:
    """End a job whose workflow ended: STOPPED if that was asked for, else FAILED.

    Its training is stopped only if a user or a deadline ended it; the job ends whether Bedrock answers or not. A job
    that is being deleted stays DELETING and shows why that failed. Idempotent; a call of an earlier run changes
    nothing.
    """
    try:
        return _end(run, error, jobs=jobs, bedrock=bedrock)
    except (JobNotFound, JobStopping, StaleState):
        return _end(run, error, jobs=jobs, bedrock=bedrock)  # the job has moved: end it from its status now


def _end(run: JobRun, error: WorkflowError, *, jobs: JobTable, bedrock: Bedrock) -> Failure:
    try:
        job = jobs.get(run.job_id)
    except JobNotFound:
        return job_failure(error, JobStatus.DELETING)  # the deletion got as far as the record
    failure = job_failure(error, job.status)
    if job.run != run.number or job.status in ENDED:
        return Failure(code=job.error_code or failure.code, message=job.error_message or failure.message)
    if job.status is JobStatus.DELETING:
        jobs.fail(run, JobStatus.DELETING, failure)
        return failure
    end_unfinished(job, failure, jobs=jobs, bedrock=bedrock)
    return failure


def end_unfinished(job: FinetuningJob, failure: Failure, *, jobs: JobTable, bedrock: Bedrock) -> None:
    """Move the job to STOPPED if it is STOPPING, else to FAILED; then stop its training, if it is nobody's now."""
    if job.status is JobStatus.STOPPING:
        jobs.move(job.current_run, JobStatus.STOPPED, waiting_for=None)
    else:
        jobs.fail(job.current_run, job.status, failure)
    stop_abandoned_training(job.id, jobs=jobs, bedrock=bedrock)


def delete_model_deployment(run: JobRun, *, jobs: JobTable, bedrock: Bedrock) -> None:
    """Stop what still trains for the job, and remove the deployments of all attempts.

    Raises RemovalPending, which the workflow retries, until Bedrock lists none.
    """
    job = _get_deleting(run, jobs)
    if not job:
        return
    for training in bedrock.trainings(job.id):
        if training.is_training:
            bedrock.stop_customization_job(training.arn)
    listed = bedrock.deployments(job.id)
    _delete_unlisted(job.custom_model_deployment_arn, listed, bedrock.delete_deployment)
    left = []
    for found in listed:
        words = None if found.status == "Creating" else bedrock.delete_deployment(found.arn)
        left.append(f"deployment {found.name} is {found.status}. {words or ''}".strip())
    _require_gone(left)


def delete_custom_model(run: JobRun, *, jobs: JobTable, bedrock: Bedrock) -> None:
    """Remove the custom models of all attempts.

    Raises RemovalPending, which the workflow retries, while Bedrock still uses one.
    """
    job = _get_deleting(run, jobs)
    if not job:
        return
    listed = bedrock.models(job.id)
    _delete_unlisted(job.custom_model_arn, listed, bedrock.delete_model)
    _require_gone([words for found in listed if (words := bedrock.delete_model(found.arn)) is not None])


def _delete_unlisted(arn: str | None, listed: Iterable[NamedResource], delete: Callable[[str], object]) -> None:
    """Delete what the record has and Bedrock does not list: it is gone, or so new that only its ARN finds it.

    How Bedrock refuses an ARN that is gone is not known, so any refusal will do.
    """
    if arn and all(found.arn != arn for found in listed):
        with suppress(AwsCallRefused), aws_calls():
            delete(arn)


def _require_gone(left: list[str]) -> None:
    if left:
        raise RemovalPending(f"Bedrock has not removed everything yet: {'; '.join(left)}")


def delete_job_data(run: JobRun, *, jobs: JobTable, data: DataBucket) -> None:
    """Remove the job's objects with all their versions, then its record."""
    job = _get_deleting(run, jobs)
    data.delete_prefix(JobLayout(job_id=run.job_id).prefix)
    if job:
        jobs.delete(job)
    jobs.events.delete(run.job_id)  # those of changes made meanwhile; without a record no more can follow


def _get_deleting(run: JobRun, jobs: JobTable) -> FinetuningJob | None:
    """Return the job, or None if it is gone already. Raises Conflict if it is not being deleted."""
    try:
        job = jobs.get(run.job_id)
    except JobNotFound:
        return None
    if job.status is not JobStatus.DELETING:
        raise Conflict(f"Job '{job.id}' is {job.status} and not being deleted.")
    return job
