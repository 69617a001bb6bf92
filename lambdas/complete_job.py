"""CompleteJob: the model can be selected."""

from __future__ import annotations

from idp_finetuning.adapters.lambda_handler import JobEvent, state_handler
from idp_finetuning.adapters.services import Services
from idp_finetuning.stages.deploy import complete_job


@state_handler(JobEvent)
def handler(event: JobEvent, services: Services) -> None:
    """Leaves the job COMPLETED."""
    complete_job(event.job_id, jobs=services.jobs)
