"""The end of a job: where all failures and stops go, and the removal of what a job left."""

from __future__ import annotations

from typing import Literal

from idp_finetuning.adapters.bedrock import Bedrock
from idp_finetuning.adapters.buckets import DataBucket
from idp_finetuning.adapters.tables.jobs import JobTable
from idp_finetuning.errors import Conflict, JobNotFound, JobStopping, StaleState, TransientError
from idp_finetuning.jobs.failures import WorkflowError, job_failure
from idp_finetuning.jobs.job import ENDED, Failure, FinetuningJob, JobRun, JobStatus
from idp_finetuning.jobs.layout import JobLayout
from idp_finetuning.stages.train import stop_training
from idp_finetuning.wire import WireModel


def end_job(run: JobRun, error: WorkflowError, *, jobs: JobTable, bedrock: Bedrock) -> Failure:
    """End a job whose workflow ended, and stop its training: STOPPED if that was asked for, else FAILED.

    A job that is being deleted stays DELETING and shows why that failed. Idempotent; a call of an earlier run changes
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
    """Stop the job's training, then move it to STOPPED if it is STOPPING, else to FAILED."""
    if job.status in (JobStatus.TRAINING, JobStatus.STOPPING):
        stop_training(job, bedrock)
    if job.status is JobStatus.STOPPING:
        jobs.move(job.current_run, JobStatus.STOPPED, waiting_for=None)
    else:
        jobs.fail(job.current_run, job.status, failure)


class DeploymentRemoval(WireModel):
    """Result of DeleteModelDeployment; IsDeploymentGone decides on it."""

    status: Literal["Deleting", "Gone"]


def delete_model_deployment(run: JobRun, *, jobs: JobTable, bedrock: Bedrock) -> DeploymentRemoval:
    """Start the removal of the deployments of all attempts; call again until they are Gone.

    A deployment that is still being created is waited for.
    """
    job = _get_deleting(run, jobs)
    status: Literal["Deleting", "Gone"] = "Gone"
    for name in job.deployment_names if job else ():
        if found := bedrock.find_deployment(name):
            status = "Deleting"
            if found.status != "Creating":
                bedrock.delete_deployment(found.arn)
    return DeploymentRemoval(status=status)


def delete_custom_model(run: JobRun, *, jobs: JobTable, bedrock: Bedrock) -> None:
    """Remove the custom models of all attempts.

    Raises TransientError, which the workflow retries, while Bedrock still shows a deployment of one.
    """
    job = _get_deleting(run, jobs)
    for name in (*job.training_names[:-1], job.custom_model_arn or job.training_name) if job else ():
        if not bedrock.delete_model(name):
            raise TransientError("The custom model is still in use by its deployment. The removal is tried again.")


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
