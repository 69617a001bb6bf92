"""DeleteTestSet: deletes a test set in the background."""

from __future__ import annotations

from idp_finetuning.adapters.lambda_handler import state_handler
from idp_finetuning.adapters.services import Services
from idp_finetuning.stages.delete_test_set import DeleteTestSetEvent, delete_test_set


@state_handler(DeleteTestSetEvent)
def handler(event: DeleteTestSetEvent, services: Services) -> None:
    """Leave nothing of the test set."""
    delete_test_set(event, test_sets=services.test_sets, bucket=services.test_set_bucket, data=services.data)
