"""The page counts of a complete test set: started in the background, and used once they are there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from idp_finetuning.adapters.buckets import DataBucket
from idp_finetuning.adapters.functions import BackgroundFunction
from idp_finetuning.errors import ValidationRunning
from idp_finetuning.test_sets.keys import counting_marker, page_counts_key
from idp_finetuning.test_sets.page_counts import PageCounts
from idp_finetuning.test_sets.test_set import TestSetRecord
from idp_finetuning.wire import UtcTime, WireModel

# How long a validation waits for a counting that began; after that it uses the labels alone. Enough for some thousand
# documents.
WAIT_FOR_COUNTS = timedelta(minutes=2)
# A counting without a result after this was lost, or its result has expired: the next validation starts another one.
COUNTING_LOST_AFTER = timedelta(hours=1)


class CountPagesEvent(WireModel):
    """Input of CountPages: which listing of a complete test set, and the one before it, whose counts stay valid."""

    test_set_id: str
    fingerprint: str
    previous: str | None = None


class CountingSince(WireModel):
    """Content of the marker of a counting."""

    since: UtcTime


def read_page_counts(test_set: TestSetRecord, data: DataBucket) -> PageCounts | None:
    """Return the pages of a complete test set, or None if they are not known."""
    if not test_set.sealed_as:
        return None
    return data.read_model(page_counts_key(test_set.id, test_set.sealed_as), PageCounts)


def start_counting(
    test_set: TestSetRecord, *, previous: str | None, data: DataBucket, background: BackgroundFunction
) -> None:
    """Count the pages of a complete test set in the background, unless that was done or has just begun. Idempotent.

    `previous` is the fingerprint of the version before: only documents that it lacks are opened.
    """
    if read_page_counts(test_set, data) is None:
        _begin(test_set, data, background, previous)


def read_page_counts_or_start(
    test_set: TestSetRecord, *, data: DataBucket, background: BackgroundFunction
) -> PageCounts | None:
    """Return the pages, or None if they cannot be known: the test set is not complete, or counting takes long.

    Raises ValidationRunning while a counting that has just begun continues in the background.
    """
    counts = read_page_counts(test_set, data)
    if counts or not test_set.sealed_as:
        return counts
    if _begin(test_set, data, background) < datetime.now(UTC) - WAIT_FOR_COUNTS:
        return None
    raise ValidationRunning(
        f"The pages of test set '{test_set.id}' are being counted in the background. Ask again in 10 seconds."
    )


def _begin(
    test_set: TestSetRecord, data: DataBucket, background: BackgroundFunction, previous: str | None = None
) -> datetime:
    """Start a counting unless one has begun, and return since when it runs."""
    fingerprint = test_set.sealed_as or ""
    now = datetime.now(UTC)
    marker = counting_marker(test_set.id, fingerprint)
    known = data.read_model(marker, CountingSince)
    if known and known.since > now - COUNTING_LOST_AFTER:
        return known.since
    # In this order: a marker without a counting behind it would keep callers waiting for nothing.
    background.start(CountPagesEvent(test_set_id=test_set.id, fingerprint=fingerprint, previous=previous))
    data.write_model(marker, CountingSince(since=now))
    return now
