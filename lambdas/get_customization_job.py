"""GetCustomizationJob: stores the losses and says whether training has ended."""

from __future__ import annotations

from idp_finetuning.adapters.lambda_handler import state_handler
from idp_finetuning.adapters.services import Services
from idp_finetuning.jobs.job import JobRun
from idp_finetuning.stages.train import TrainingProgress, get_customization_job


@state_handler(JobRun)
def handler(event: JobRun, services: Services) -> TrainingProgress:
    """Return the progress that IsTrained decides on."""
    return get_customization_job(event, jobs=services.jobs, bedrock=services.bedrock, data=services.data)
