"""GetModelDeployment: says whether the deployment is active."""

from __future__ import annotations

from idp_finetuning.adapters.lambda_handler import state_handler
from idp_finetuning.adapters.services import Services
from idp_finetuning.jobs.job import JobRun
from idp_finetuning.stages.deploy import DeploymentProgress, get_model_deployment


@state_handler(JobRun)
def handler(event: JobRun, services: Services) -> DeploymentProgress:
    """Return the progress that IsDeployed decides on."""
    return get_model_deployment(event, jobs=services.jobs, bedrock=services.bedrock)
