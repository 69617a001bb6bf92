"""From a custom model to an endpoint: its on-demand deployment, created once and watched until it answers."""

from __future__ import annotations

from typing import Literal

from idp_finetuning.adapters.bedrock import Bedrock, BedrockRefused, ModelDeployment
from idp_finetuning.adapters.job_table import JobTable
from idp_finetuning.clock import timestamp
from idp_finetuning.errors import DeploymentFailed
from idp_finetuning.jobs import FinetuningJob, JobStatus
from idp_finetuning.names import bedrock_name
from idp_finetuning.wire import WireModel


class DeploymentProgress(WireModel):
    """Whether the deployment answers."""

    status: Literal["Creating", "Active"]


def deployment_name(job: FinetuningJob) -> str:
    """Name of the deployment."""
    return bedrock_name(job.job_name, job.id, "deployment", job.deployment_attempt)


def create_model_deployment(job_id: str, *, jobs: JobTable, bedrock: Bedrock) -> None:
    """Creates the deployment, or adopts the one an earlier run created; the job deploys. Raises DeploymentFailed."""
    job = jobs.move(job_id, JobStatus.DEPLOYING)
    if not job.custom_model_arn:
        raise DeploymentFailed("Deployment failed: training left no custom model. Start the job again.")
    try:
        created = bedrock.ensure_deployment(name=deployment_name(job), model_arn=job.custom_model_arn, job_id=job_id)
    except BedrockRefused as refusal:
        raise DeploymentFailed(
            f"Deployment failed: Bedrock refused it: {refusal} Check the quotas and permissions of Custom Model "
            "Deployments."
        ) from refusal
    jobs.move(job_id, JobStatus.DEPLOYING, custom_model_deployment_arn=_checked(created).arn)


def get_model_deployment(job_id: str, *, jobs: JobTable, bedrock: Bedrock) -> DeploymentProgress:
    """Says whether the deployment answers. Raises DeploymentFailed."""
    job = jobs.move(job_id, JobStatus.DEPLOYING)
    found = bedrock.find_deployment(job.custom_model_deployment_arn or deployment_name(job))
    if not found:
        raise DeploymentFailed(
            f"Deployment failed: Bedrock no longer shows deployment '{deployment_name(job)}'. Start the job again."
        )
    return DeploymentProgress(status="Active" if _checked(found).status == "Active" else "Creating")


def _checked(deployment: ModelDeployment) -> ModelDeployment:
    if deployment.status == "Failed":
        raise DeploymentFailed(
            f"Deployment failed: {deployment.failure_message or 'Bedrock gave no reason.'} Verify Custom Model "
            "Deployment permissions and quotas."
        )
    return deployment


def complete_job(job_id: str, *, jobs: JobTable) -> None:
    """The job is COMPLETED."""
    completed = jobs.get(job_id).deployment_completed_at or timestamp()
    jobs.move(job_id, JobStatus.COMPLETED, deployment_completed_at=completed)
