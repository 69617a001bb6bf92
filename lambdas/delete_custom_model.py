"""DeleteCustomModel: removes the models a job trained."""

from __future__ import annotations

from idp_finetuning.adapters.lambda_handler import state_handler
from idp_finetuning.adapters.services import Services
from idp_finetuning.jobs.job import JobRun
from idp_finetuning.stages.end import delete_custom_model


@state_handler(JobRun)
def handler(event: JobRun, services: Services) -> None:
    """Leave no model of the job in Bedrock."""
    delete_custom_model(event, jobs=services.jobs, bedrock=services.bedrock)
