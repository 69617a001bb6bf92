"""AssembleDataset: streams the examples into the files Bedrock reads and writes the report."""

from __future__ import annotations

from idp_finetuning.adapters.lambda_handler import state_handler
from idp_finetuning.adapters.services import Services
from idp_finetuning.jobs.job import JobRun
from idp_finetuning.stages.prepare import assemble_dataset


@state_handler(JobRun)
def handler(event: JobRun, services: Services) -> None:
    """Leave data set and report in S3, and the numbers on the job."""
    assemble_dataset(event, jobs=services.jobs, data=services.data)
