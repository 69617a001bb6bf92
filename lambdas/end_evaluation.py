"""EndEvaluation: notes why an evaluation failed."""

from __future__ import annotations

from idp_finetuning.adapters.lambda_handler import state_handler
from idp_finetuning.adapters.services import Services
from idp_finetuning.jobs.evaluation import EvaluationRun
from idp_finetuning.jobs.failures import WorkflowError
from idp_finetuning.jobs.job import Failure
from idp_finetuning.stages.evaluation_records import EvaluationRecords
from idp_finetuning.stages.evaluation_start import end_evaluation


class FailureEvent(EvaluationRun):
    """An evaluation and what Step Functions caught."""

    error: WorkflowError


@state_handler(FailureEvent)
def handler(event: FailureEvent, services: Services) -> Failure:
    """Leave the reason on the job, which stays COMPLETED, or on the record, and return it for the failed execution."""
    return end_evaluation(event.run, event.error, records=EvaluationRecords(services.jobs, services.data))
