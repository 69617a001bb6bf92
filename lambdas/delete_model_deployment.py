"""DeleteModelDeployment: removes a job's deployments."""

from __future__ import annotations

from idp_finetuning.adapters.lambda_handler import state_handler
from idp_finetuning.adapters.services import Services
from idp_finetuning.jobs.job import JobRun
from idp_finetuning.stages.end import delete_model_deployment


@state_handler(JobRun)
def handler(event: JobRun, services: Services) -> None:
    """Leave no deployment of the job in Bedrock."""
    delete_model_deployment(event, jobs=services.jobs, bedrock=services.bedrock)
