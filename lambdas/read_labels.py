"""ReadLabels: reads the labels of a large test set in the background, so that the API finds them."""

from __future__ import annotations

from idp_finetuning.adapters.lambda_handler import state_handler
from idp_finetuning.adapters.services import Services
from idp_finetuning.stages.read_labels import ReadLabelsEvent, read_labels_in_background


@state_handler(ReadLabelsEvent)
def handler(event: ReadLabelsEvent, services: Services) -> None:
    """Leave the labels in the data bucket."""
    read_labels_in_background(event, bucket=services.test_set_bucket, data=services.data)
