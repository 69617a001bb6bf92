"""ScoreEvaluation: makes report and verdict of the answers."""

from __future__ import annotations

from idp_finetuning.adapters.lambda_handler import state_handler
from idp_finetuning.adapters.services import Services
from idp_finetuning.jobs.evaluation import EvaluationRun
from idp_finetuning.stages.evaluation_records import EvaluationRecords
from idp_finetuning.stages.score_evaluation import score_evaluation


@state_handler(EvaluationRun)
def handler(event: EvaluationRun, services: Services) -> None:
    """Leave the report in S3, and its verdict on the job or its end on the record."""
    score_evaluation(event, records=EvaluationRecords(services.jobs, services.data), data=services.data)
