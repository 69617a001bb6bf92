"""EndClassification: ends a classification that ClassifyDocument could not bring to a result."""

from __future__ import annotations

from idp_finetuning.adapters.lambda_handler import state_handler
from idp_finetuning.adapters.services import Services
from idp_finetuning.classification.classification import ClassificationSummary
from idp_finetuning.stages.end_classification import FailedInvocation, end_classification


@state_handler(FailedInvocation, shown=ClassificationSummary.for_operators)
def handler(event: FailedInvocation, services: Services) -> ClassificationSummary:
    """Leave a result in the data bucket."""
    return end_classification(event, data=services.data)
