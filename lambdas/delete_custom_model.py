"""DeleteCustomModel: removes the model a job trained."""

from __future__ import annotations

from idp_finetuning.adapters.lambda_handler import JobEvent, state_handler
from idp_finetuning.adapters.services import Services
from idp_finetuning.stages.end import delete_custom_model


@state_handler(JobEvent)
def handler(event: JobEvent, services: Services) -> None:
    """Leaves no model in Bedrock."""
    delete_custom_model(event.job_id, jobs=services.jobs, bedrock=services.bedrock)
