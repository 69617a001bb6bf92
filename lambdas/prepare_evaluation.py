"""PrepareEvaluation: fixes who is asked about which documents."""

from __future__ import annotations

from idp_finetuning.adapters.lambda_handler import state_handler
from idp_finetuning.adapters.services import Services
from idp_finetuning.jobs.evaluation import EvaluationRun
from idp_finetuning.stages.prepare_evaluation import DocumentsLocation, prepare_evaluation


@state_handler(EvaluationRun)
def handler(event: EvaluationRun, services: Services) -> DocumentsLocation:
    """Return where the documents are."""
    return prepare_evaluation(
        event,
        jobs=services.jobs,
        config_versions=services.config_versions,
        test_sets=services.test_sets,
        test_set_bucket=services.test_set_bucket,
        data=services.data,
    )
