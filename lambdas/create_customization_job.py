"""CreateCustomizationJob: starts Bedrock's training, once."""

from __future__ import annotations

from idp_finetuning.adapters.lambda_handler import state_handler
from idp_finetuning.adapters.services import Services
from idp_finetuning.jobs.job import JobRun
from idp_finetuning.stages.train import create_customization_job


@state_handler(JobRun)
def handler(event: JobRun, services: Services) -> None:
    """Leave the customization job's ARN on the job."""
    create_customization_job(
        event,
        jobs=services.jobs,
        bedrock=services.bedrock,
        data_bucket=services.data.name,
        role_arn=services.bedrock_role_arn,
        deployment_name=services.deployment_name,
    )
