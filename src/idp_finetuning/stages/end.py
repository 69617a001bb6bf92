"""The one place where failures go, and the removal of what a job left."""

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
    """Ends a job whose workflow ended: STOPPED where that was asked for, else FAILED; no training goes on for it.

    A job that is being deleted stays so, and shows why that stopped. A repeated call, or one of an earlier run,
    changes nothing.
    """
    try:
        return _end(run, error, jobs=jobs, bedrock=bedrock)
    except (JobNotFound, JobStopping, StaleState):
        return _end(run, error, jobs=jobs, bedrock=bedrock)  # it moved meanwhile: from where it stands now


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
    """Moves a job in a stage to FAILED, or one in STOPPING to STOPPED, once nothing trains for it."""
    if job.status in (JobStatus.TRAINING, JobStatus.STOPPING):
        stop_training(job, bedrock)
    if job.status is JobStatus.STOPPING:
        jobs.move(job.current_run, JobStatus.STOPPED, waiting_for=None)
    else:
        jobs.fail(job.current_run, job.status, failure)


class DeploymentRemoval(WireModel):
    """Whether the deployment is gone."""

    status: Literal["Deleting", "Gone"]


def delete_model_deployment(run: JobRun, *, jobs: JobTable, bedrock: Bedrock) -> DeploymentRemoval:
    """Removes the deployments of all attempts; one still being created is waited for.

    May be repeated until they are Gone.
    """
    job = _doomed(run, jobs)
    status: Literal["Deleting", "Gone"] = "Gone"
    for name in job.deployment_names if job else ():
        if found := bedrock.find_deployment(name):
            status = "Deleting"
            if found.status != "Creating":
                bedrock.delete_deployment(found.arn)
    return DeploymentRemoval(status=status)


def delete_custom_model(run: JobRun, *, jobs: JobTable, bedrock: Bedrock) -> None:
    """Removes the custom models of all attempts; TransientError (retried) while Bedrock still sees a deployment."""
    job = _doomed(run, jobs)
    for name in (*job.training_names[:-1], job.custom_model_arn or job.training_name) if job else ():
        if not bedrock.delete_model(name):
            raise TransientError("The custom model is still in use by its deployment. The removal is tried again.")


def delete_job_data(run: JobRun, *, jobs: JobTable, data: DataBucket) -> None:
    """Removes the job's objects with all their versions, then its record."""
    job = _doomed(run, jobs)
    data.delete_prefix(JobLayout(job_id=run.job_id).prefix)
    if job:
        jobs.delete(job)
    jobs.events.delete(run.job_id)  # those of changes made meanwhile; without a record no more can follow


def _doomed(run: JobRun, jobs: JobTable) -> FinetuningJob | None:
    """The job being deleted; None where it is gone already."""
    try:
        job = jobs.get(run.job_id)
    except JobNotFound:
        return None
    if job.status is not JobStatus.DELETING:
        raise Conflict(f"Job '{job.id}' is {job.status} and not being deleted.")
    return job
