"""The one place where failures go, and the removal of what a job left."""

from __future__ import annotations

from typing import Literal

from idp_finetuning.adapters.bedrock import Bedrock
from idp_finetuning.adapters.buckets import DataBucket
from idp_finetuning.adapters.job_table import JobTable
from idp_finetuning.errors import Conflict, JobNotFound, TransientError
from idp_finetuning.failures import WorkflowError, job_failure
from idp_finetuning.jobs import Failure, FinetuningJob, JobStatus
from idp_finetuning.layout import JobLayout
from idp_finetuning.stages.deploy import deployment_name
from idp_finetuning.stages.train import training_name
from idp_finetuning.wire import WireModel


def end_job(job_id: str, error: WorkflowError, *, jobs: JobTable) -> Failure:
    """Records the failure on the job; a job that is being deleted stays so, and shows why that stopped.

    A repeated run finds the failure recorded and changes nothing.
    """
    try:
        job = jobs.get(job_id)
    except JobNotFound:
        return job_failure(error, JobStatus.DELETING)  # the deletion got as far as the record
    failure = job_failure(error, job.status)
    if job.status is JobStatus.FAILED:
        return Failure(code=job.error_code or failure.code, message=job.error_message or failure.message)
    to = JobStatus.DELETING if job.status is JobStatus.DELETING else JobStatus.FAILED
    jobs.move(job_id, to, error_code=failure.code, error_message=failure.message, error_stage=job.status)
    return failure


class DeploymentRemoval(WireModel):
    """Whether the deployment is gone."""

    status: Literal["Deleting", "Gone"]


def delete_model_deployment(job_id: str, *, jobs: JobTable, bedrock: Bedrock) -> DeploymentRemoval:
    """Removes the deployment; one still being created is waited for. May be repeated until it is Gone."""
    job = _doomed(job_id, jobs)
    found = job and bedrock.find_deployment(job.custom_model_deployment_arn or deployment_name(job))
    if not found:
        return DeploymentRemoval(status="Gone")
    if found.status != "Creating":
        bedrock.delete_deployment(found.arn)
    return DeploymentRemoval(status="Deleting")


def delete_custom_model(job_id: str, *, jobs: JobTable, bedrock: Bedrock) -> None:
    """Removes the custom model; TransientError (retried) while Bedrock still sees its deployment."""
    job = _doomed(job_id, jobs)
    if job and not bedrock.delete_model(job.custom_model_arn or training_name(job)):
        raise TransientError("The custom model is still in use by its deployment. The removal is tried again.")


def delete_job_data(job_id: str, *, jobs: JobTable, data: DataBucket) -> None:
    """Removes the job's objects with all their versions, then its record."""
    job = _doomed(job_id, jobs)
    data.delete_prefix(JobLayout(job_id=job_id).prefix)
    if job:
        jobs.delete(job)


def _doomed(job_id: str, jobs: JobTable) -> FinetuningJob | None:
    """The job being deleted; None where it is gone already."""
    try:
        job = jobs.get(job_id)
    except JobNotFound:
        return None
    if job.status is not JobStatus.DELETING:
        raise Conflict(f"Job '{job_id}' is {job.status} and not being deleted.")
    return job
