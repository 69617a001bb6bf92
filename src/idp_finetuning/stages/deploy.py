"""From a custom model to an endpoint: its on-demand deployment, created once and watched until it answers."""

from __future__ import annotations

from typing import Literal

from idp_finetuning.adapters.bedrock import Bedrock, BedrockBusy, BedrockRefused
from idp_finetuning.adapters.tables.jobs import JobTable
from idp_finetuning.errors import DeploymentFailed, TransientError
from idp_finetuning.jobs.job import JobRun, JobStatus
from idp_finetuning.wire import WireModel, timestamp


class DeploymentProgress(WireModel):
    """Whether the deployment answers; NotCreated while it waits for a quota or for the model."""

    status: Literal["NotCreated", "Creating", "Active"]


def create_model_deployment(run: JobRun, *, jobs: JobTable, bedrock: Bedrock) -> None:
    """Creates the deployment, or adopts the one an earlier call created; the job deploys. Raises DeploymentFailed.

    A failed deployment of an earlier attempt is removed first. A full quota is waited out, for the training is paid,
    and so is a model that Bedrock has not made ready yet.
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
    """Says whether the deployment answers. Raises DeploymentFailed."""
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
    """The job is COMPLETED."""
    completed = jobs.get(run.job_id).deployment_completed_at or timestamp()
    jobs.move(run, JobStatus.COMPLETED, deployment_completed_at=completed)
