"""AssembleDataset: streams the examples into the files Bedrock reads and writes the report."""

from __future__ import annotations

from idp_finetuning.adapters.lambda_handler import JobEvent, state_handler
from idp_finetuning.adapters.services import Services
from idp_finetuning.stages.prepare import assemble_dataset


@state_handler(JobEvent)
def handler(event: JobEvent, services: Services) -> None:
    """Leaves its result in S3 and on the job."""
    assemble_dataset(event.job_id, jobs=services.jobs, data=services.data)
