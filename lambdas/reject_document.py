"""RejectDocument: records why a document could not be used."""

from __future__ import annotations

from idp_finetuning.adapters.lambda_handler import state_handler
from idp_finetuning.adapters.services import Services
from idp_finetuning.jobs.failures import WorkflowError
from idp_finetuning.jobs.job import JobRun
from idp_finetuning.stages.prepare import reject_document
from idp_finetuning.training_data.examples import ManifestDocument


class RejectionEvent(JobRun):
    """A job, one document of its manifest and what Step Functions caught."""

    document: ManifestDocument
    error: WorkflowError


@state_handler(RejectionEvent)
def handler(event: RejectionEvent, services: Services) -> None:
    """Leave the rejection in S3."""
    reject_document(event, event.document, event.error, data=services.data)
