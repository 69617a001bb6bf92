"""DeleteModelDeployment: removes a job's deployment and says whether it is gone."""

from __future__ import annotations

from idp_finetuning.adapters.lambda_handler import JobEvent, state_handler
from idp_finetuning.adapters.services import Services
from idp_finetuning.stages.end import DeploymentRemoval, delete_model_deployment


@state_handler(JobEvent)
def handler(event: JobEvent, services: Services) -> DeploymentRemoval:
    """Answers the progress that IsDeploymentGone decides on."""
    return delete_model_deployment(event.job_id, jobs=services.jobs, bedrock=services.bedrock)
