"""Read the labels of a test set once for each state of it, in the background if that takes long."""

from __future__ import annotations

import math
import time
from datetime import UTC, datetime, timedelta

from idp_finetuning.adapters.buckets import DataBucket, TestSetBucket
from idp_finetuning.adapters.functions import BackgroundFunction
from idp_finetuning.errors import ValidationRunning
from idp_finetuning.test_sets.keys import labels_key, reading_marker
from idp_finetuning.test_sets.labels import Labels, Listing, read_labels
from idp_finetuning.wire import WireModel, timestamp

# A request of the API has 28 s, and its response has to be made and sent.
REQUEST_SECONDS = 18
# ReadLabels ends after 15 minutes; an older marker is of a run that failed.
MARKER_COUNTS_FOR = timedelta(minutes=16)


class ReadTestSet(WireModel):
    """What a test set holds now."""

    listing: Listing
    labels: Labels


class ReadLabelsEvent(WireModel):
    """Input of ReadLabels."""

    test_set_id: str


class ReadingSince(WireModel):
    """Content of the marker of a reading in the background."""

    since: str


def read_test_set(
    test_set_id: str, *, bucket: TestSetBucket, data: DataBucket, within_seconds: float = math.inf
) -> ReadTestSet:
    """List the test set and read its labels, from the data bucket if this very state was read before.

    Only labels are kept, never a verdict: rules may change, labels of one fingerprint do not. Raises TimeoutError if
    reading takes longer than given.
    """
    listing = bucket.listing(test_set_id)
    return _read(listing, bucket, data, within_seconds)


def read_test_set_or_start(
    test_set_id: str, *, bucket: TestSetBucket, data: DataBucket, background: BackgroundFunction
) -> ReadTestSet:
    """Read a test set in the time of one request. Raises ValidationRunning while that continues in the background."""
    listing = bucket.listing(test_set_id)
    marker = reading_marker(test_set_id, listing.fingerprint)
    running = data.read_model(marker, ReadingSince)
    long = ValidationRunning(
        f"Test set '{test_set_id}' is large; its labels are being read in the background. Ask again in 10 seconds."
    )
    if running and datetime.fromisoformat(running.since) > datetime.now(UTC) - MARKER_COUNTS_FOR:
        known = data.read_model(labels_key(test_set_id, listing.fingerprint), Labels)
        if known is None:
            raise long
        return ReadTestSet(listing=listing, labels=known)
    try:
        return _read(listing, bucket, data, REQUEST_SECONDS)
    except TimeoutError:
        # In this order: a marker without a reading behind it would keep callers waiting for nothing.
        background.start(ReadLabelsEvent(test_set_id=test_set_id))
        data.write_model(marker, ReadingSince(since=timestamp()))
        raise long from None


def _read(listing: Listing, bucket: TestSetBucket, data: DataBucket, within_seconds: float) -> ReadTestSet:
    key = labels_key(listing.test_set_id, listing.fingerprint)
    labels = data.read_model(key, Labels)
    if labels is None:
        ends = time.monotonic() + within_seconds
        labels = read_labels(
            listing,
            lambda keys: bucket.read_all(keys, within_seconds=ends - time.monotonic()),
            lambda keys: bucket.read_beginnings(keys, within_seconds=ends - time.monotonic()),
        )
        data.write_model(key, labels)
    return ReadTestSet(listing=listing, labels=labels)
