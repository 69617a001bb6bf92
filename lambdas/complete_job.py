"""CompleteJob: makes the model selectable."""

from __future__ import annotations

from idp_finetuning.adapters.lambda_handler import state_handler
from idp_finetuning.adapters.services import Services
from idp_finetuning.jobs.job import JobRun
from idp_finetuning.stages.deploy import complete_job


@state_handler(JobRun)
def handler(event: JobRun, services: Services) -> None:
    """Leave the job COMPLETED, and its evaluation started."""
    complete_job(event, jobs=services.jobs, evaluation=services.evaluation)
