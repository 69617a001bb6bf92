"""DeleteJobData: removes a job's objects, versions included, and then its record."""

from __future__ import annotations

from idp_finetuning.adapters.lambda_handler import state_handler
from idp_finetuning.adapters.services import Services
from idp_finetuning.jobs.job import JobRun
from idp_finetuning.stages.end import delete_job_data


@state_handler(JobRun)
def handler(event: JobRun, services: Services) -> None:
    """Leave nothing of the job."""
    delete_job_data(event, jobs=services.jobs, data=services.data)
