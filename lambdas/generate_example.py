"""GenerateExample: turns one document into page images and training records."""

from __future__ import annotations

from idp_finetuning.adapters.lambda_handler import state_handler
from idp_finetuning.adapters.services import Services
from idp_finetuning.jobs.job import JobRun
from idp_finetuning.stages.generate_example import generate_example
from idp_finetuning.training_data.examples import ManifestDocument


class DocumentEvent(JobRun):
    """A job and one document of its manifest."""

    document: ManifestDocument


@state_handler(DocumentEvent)
def handler(event: DocumentEvent, services: Services) -> None:
    """Leave images and records in S3."""
    generate_example(
        event,
        event.document,
        jobs=services.jobs,
        test_set_bucket=services.test_set_bucket,
        data=services.data,
        bucket_owner=services.data_bucket_owner,
        seconds_left=services.seconds_left,
    )
