"""CountPages: counts the pages of a complete test set in the background, so that validation knows them."""

from __future__ import annotations

from idp_finetuning.adapters.lambda_handler import state_handler
from idp_finetuning.adapters.services import Services
from idp_finetuning.stages.count_pages import CountingOutcome, count_pages
from idp_finetuning.stages.page_counts import CountPagesEvent


@state_handler(CountPagesEvent, shown=CountingOutcome.to_wire)
def handler(event: CountPagesEvent, services: Services) -> CountingOutcome:
    """Leave the pages in the data bucket, or start another run."""
    return count_pages(
        event,
        bucket=services.test_set_bucket,
        data=services.data,
        background=services.page_counter,
        seconds_left=services.seconds_left,
    )
