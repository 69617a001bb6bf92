"""Delete a test set in the background: its objects, what was read of it, and at the end its record."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta

from idp_finetuning.adapters.attached_test_sets import AttachedTestSets
from idp_finetuning.adapters.buckets import DataBucket, TestSetBucket
from idp_finetuning.adapters.functions import BackgroundFunction
from idp_finetuning.adapters.tables.test_sets import TestSetTable
from idp_finetuning.errors import Conflict
from idp_finetuning.evaluation.layout import baselines_prefix
from idp_finetuning.test_sets.keys import label_cache_prefix
from idp_finetuning.test_sets.test_set import TestSetRecord
from idp_finetuning.wire import UtcTime, WireModel

# DeleteTestSet ends after 15 minutes; a deletion without an end after that was lost.
LOST_AFTER = timedelta(minutes=20)


class DeleteTestSetEvent(WireModel):
    """Input of DeleteTestSet; the time tells a test set from a later one under the same id."""

    test_set_id: str
    created_at: UtcTime


def start_deletion(test_set: TestSetRecord, background: BackgroundFunction) -> None:
    """Start the function that deletes a test set which is DELETING."""
    background.start(DeleteTestSetEvent(test_set_id=test_set.id, created_at=test_set.created_at))


def delete_test_set(
    event: DeleteTestSetEvent, *, test_sets: TestSetTable | AttachedTestSets, bucket: TestSetBucket, data: DataBucket
) -> None:
    """Delete everything of a test set, versions included; a repeated run finishes what is left.

    Nothing of a later test set under the same id is touched: it can only be made once this record is gone.
    """

    def is_closed() -> bool:
        return test_sets.is_closed(event.test_set_id, event.created_at)

    bucket.delete_prefix(f"{event.test_set_id}/", still_allowed=is_closed)
    data.delete_prefix(label_cache_prefix(event.test_set_id), still_allowed=is_closed)
    data.delete_prefix(baselines_prefix(event.test_set_id), still_allowed=is_closed)
    test_sets.delete(event.test_set_id, event.created_at)


def restart_deletions(test_sets: TestSetTable | AttachedTestSets, background: BackgroundFunction) -> None:
    """Start the deletions again that should have ended."""
    for test_set in test_sets.closed_before(datetime.now(UTC) - LOST_AFTER):
        with suppress(Conflict):  # the deletion has just ended
            test_sets.postpone(test_set.id)
            start_deletion(test_set, background)
