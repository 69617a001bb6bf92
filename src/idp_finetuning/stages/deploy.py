"""From a custom model to an endpoint: its on-demand deployment, created once and polled until it is active."""

from __future__ import annotations

from typing import Literal

from idp_finetuning.adapters.bedrock import Bedrock, BedrockBusy, BedrockRefused
from idp_finetuning.adapters.tables.jobs import JobTable
from idp_finetuning.errors import DeploymentFailed, TransientError
from idp_finetuning.jobs.job import JobRun, JobStatus
from idp_finetuning.wire import WireModel, timestamp


class DeploymentProgress(WireModel):
    """Result of GetModelDeployment; IsDeployed decides on it.

    The deployment is NotCreated while it waits for a quota or for the model.
    """

    status: Literal["NotCreated", "Creating", "Active"]


def create_model_deployment(run: JobRun, *, jobs: JobTable, bedrock: Bedrock) -> None:
    """Move the job to DEPLOYING and create its deployment, or adopt the one an earlier call created.

    A failed deployment of an earlier attempt is removed first. A full quota is waited out, because the training is
    paid, and so is a model that Bedrock is still creating. Raises DeploymentFailed.
    """
    job = jobs.move(run, JobStatus.DEPLOYING)
    if not job.custom_model_arn:
        raise DeploymentFailed("training left no custom model. Start the job again.")
    if job.deployment_attempt > 1 and (earlier := bedrock.find_deployment(job.deployment_names[-2])):
        if earlier.status == "Creating":
            raise TransientError("The deployment of an earlier attempt is still being created. Try again later.")
        bedrock.delete_deployment(earlier.arn)
    try:
        created = bedrock.ensure_deployment(name=job.deployment_name, model_arn=job.custom_model_arn, job_id=job.id)
    except BedrockBusy as busy:
        jobs.move(
            run,
            JobStatus.DEPLOYING,
            None if job.waiting_for else f"Waiting. {busy}",
            waiting_for=str(busy),
        )
        return
    except BedrockRefused as refusal:
        raise DeploymentFailed(
            f"Bedrock refused it: {refusal} Check the quotas and permissions of Custom Model "
            "Deployments, then retry the job."
        ) from refusal
    known = job.custom_model_deployment_arn == created.arn
    jobs.move(
        run,
        JobStatus.DEPLOYING,
        None if known else f"Bedrock creates deployment {job.deployment_name}.",
        custom_model_deployment_arn=created.arn,
        waiting_for=None,
    )


def get_model_deployment(run: JobRun, *, jobs: JobTable, bedrock: Bedrock) -> DeploymentProgress:
    """Return the progress of the deployment. Raises DeploymentFailed."""
    job = jobs.require(run, JobStatus.DEPLOYING)
    if job.waiting_for:
        return DeploymentProgress(status="NotCreated")
    found = bedrock.find_deployment(job.custom_model_deployment_arn or job.deployment_name)
    if not found:
        raise DeploymentFailed(f"Bedrock no longer shows deployment '{job.deployment_name}'. Retry the job.")
    if found.status == "Failed":
        raise DeploymentFailed(
            f"{found.failure_message or 'Bedrock gave no reason.'} Verify Custom Model "
            "Deployment permissions and quotas, then retry the job."
        )
    return DeploymentProgress(status=found.status)


def complete_job(run: JobRun, *, jobs: JobTable) -> None:
    """Move the job to COMPLETED; a second call keeps the time of the first."""
    completed = jobs.get(run.job_id).deployment_completed_at or timestamp()
    jobs.move(run, JobStatus.COMPLETED, deployment_completed_at=completed)
