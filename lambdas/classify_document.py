"""ClassifyDocument: classifies one document in the background, so that the API finds the result."""

from __future__ import annotations

from idp_finetuning.adapters.lambda_handler import state_handler
from idp_finetuning.adapters.services import Services
from idp_finetuning.classification.classification import ClassificationStarted, ClassificationSummary
from idp_finetuning.stages.classify_document import classify_document


@state_handler(ClassificationStarted, shown=ClassificationSummary.for_operators)
def handler(event: ClassificationStarted, services: Services) -> ClassificationSummary:
    """Leave the result in the data bucket."""
    return classify_document(
        event,
        data=services.data,
        test_set_bucket=services.test_set_bucket,
        converse=services.converse,
        next_run=services.classifier,
        seconds_left=services.seconds_left,
    )
