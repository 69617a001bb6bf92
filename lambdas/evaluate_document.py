"""EvaluateDocument: asks the contestants of an evaluation about one document."""

from __future__ import annotations

from idp_finetuning.adapters.lambda_handler import state_handler
from idp_finetuning.adapters.services import Services
from idp_finetuning.evaluation.plan import EvaluatedDocument
from idp_finetuning.jobs.evaluation import EvaluationRun
from idp_finetuning.stages.evaluate_document import DocumentProgress, evaluate_document
from idp_finetuning.stages.evaluation_records import EvaluationRecords


class DocumentEvent(EvaluationRun):
    """An evaluation and one of its documents."""

    document: EvaluatedDocument


@state_handler(DocumentEvent, shown=DocumentProgress.to_wire)
def handler(event: DocumentEvent, services: Services) -> DocumentProgress:
    """Return whether all have answered."""
    return evaluate_document(
        event.run,
        event.document,
        records=EvaluationRecords(services.jobs, services.data),
        data=services.data,
        test_set_bucket=services.test_set_bucket,
        converse=services.converse,
        seconds_left=services.seconds_left,
    )
