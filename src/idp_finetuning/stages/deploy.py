"""From a custom model to an endpoint: its on-demand deployment, created once and polled until it is active."""

from __future__ import annotations

from typing import Literal

from idp_finetuning.adapters.bedrock import Bedrock, BedrockBusy, BedrockRefused, Begun, DeploymentRequest
from idp_finetuning.adapters.tables.jobs import JobTable
from idp_finetuning.adapters.workflows import Workflow
from idp_finetuning.errors import DeploymentFailed
from idp_finetuning.jobs import life
from idp_finetuning.jobs.bedrock_names import bedrock_tags
from idp_finetuning.jobs.job import FinetuningJob, JobRun, JobStatus
from idp_finetuning.jobs.ownership import may_be_unseen
from idp_finetuning.stages.evaluation_start import start_first_evaluation
from idp_finetuning.wire import WireModel, timestamp


class DeploymentProgress(WireModel):
    """Result of GetModelDeployment; IsDeployed decides on it.

    The deployment is NotCreated while it waits for a quota or for the model, and if its creation met passing
    trouble.
    """

    status: Literal["NotCreated", "Creating", "Active"]


def create_model_deployment(run: JobRun, *, jobs: JobTable, bedrock: Bedrock, deployment_name: str) -> None:
    """Move the job to DEPLOYING and create its deployment, or adopt the one an earlier call created.

    Failed deployments of earlier attempts are removed first. A full quota is waited out, because the training is paid,
    and so is a model that Bedrock is still creating. Raises DeploymentFailed.
    """
    job, noted = jobs.begin_creation(run, JobStatus.DEPLOYING)
    if job.custom_model_deployment_arn:
        return
    if not job.custom_model_arn:
        raise DeploymentFailed("training left no custom model. Start the job again.")
    request = DeploymentRequest(
        name=job.deployment_name,
        model_arn=job.custom_model_arn,
        job_id=job.id,
        tags=bedrock_tags(deployment_name, job.id, job.created_by_sub),
    )
    begun = Begun(at=job.deployment_begun_at or timestamp(), earlier=noted)
    try:
        _remove_earlier(job, bedrock)
        created = bedrock.ensure_deployment(request, begun)
    except BedrockBusy as busy:
        words = None if job.waiting_for else f"Waiting. {busy}"
        jobs.move(run, JobStatus.DEPLOYING, words, waiting_for=str(busy))
        return
    except BedrockRefused as refusal:
        raise DeploymentFailed(
            f"Bedrock refused it: {refusal} Check the quotas and permissions of Custom Model "
            "Deployments, then retry the job."
        ) from refusal
    jobs.finish_creation(
        run,
        JobStatus.DEPLOYING,
        arn=created.arn,
        at=created.at,
        message=f"Bedrock creates deployment {job.deployment_name}.",
    )


def _remove_earlier(job: FinetuningJob, bedrock: Bedrock) -> None:
    """Remove the deployments of earlier attempts. Raises BedrockBusy while one is being created."""
    if job.deployment_attempt == 1:
        return
    for earlier in bedrock.deployments(job.id):
        if earlier.name == job.deployment_name:
            continue
        if earlier.status == "Creating":
            raise BedrockBusy("The deployment of an earlier attempt is still being created.")
        bedrock.delete_deployment(earlier.arn)


def get_model_deployment(run: JobRun, *, jobs: JobTable, bedrock: Bedrock) -> DeploymentProgress:
    """Return the progress of the deployment. Raises DeploymentFailed."""
    # In TRAINING if the creation met passing trouble before its first act.
    job = jobs.require(run, JobStatus.DEPLOYING, JobStatus.TRAINING)
    if not job.custom_model_deployment_arn:
        return DeploymentProgress(status="NotCreated")
    found = bedrock.find_deployment(job.custom_model_deployment_arn)
    if not found and not may_be_unseen(job.deployment_started_at):
        raise DeploymentFailed(f"Bedrock no longer shows deployment '{job.deployment_name}'. Retry the job.")
    if found and found.status == "Failed":
        raise DeploymentFailed(
            f"{found.failure_message or 'Bedrock gave no reason.'} Verify Custom Model "
            "Deployment permissions and quotas, then retry the job."
        )
    return DeploymentProgress(status="Active" if found and found.status == "Active" else "Creating")


def complete_job(run: JobRun, *, jobs: JobTable, evaluation: Workflow) -> None:
    """Move the job to COMPLETED and start its evaluation; a second call keeps the time of the first."""
    job = jobs.update(run.job_id, lambda found: life.complete(found, run))
    start_first_evaluation(job, jobs=jobs, workflow=evaluation)
