"""CreateModelDeployment: starts the on-demand deployment, once."""

from __future__ import annotations

from idp_finetuning.adapters.lambda_handler import state_handler
from idp_finetuning.adapters.services import Services
from idp_finetuning.jobs.job import JobRun
from idp_finetuning.stages.deploy import create_model_deployment


@state_handler(JobRun)
def handler(event: JobRun, services: Services) -> None:
    """Leave the deployment's ARN on the job."""
    create_model_deployment(
        event, jobs=services.jobs, bedrock=services.bedrock, deployment_name=services.deployment_name
    )
