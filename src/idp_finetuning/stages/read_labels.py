"""Read the labels of a test set once for each state of it, in the background if that takes long."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

from idp_finetuning.adapters.buckets import DataBucket, TestSetBucket, Unreadable
from idp_finetuning.adapters.functions import BackgroundFunction
from idp_finetuning.errors import ValidationRunning
from idp_finetuning.test_sets.keys import labels_key, last_reading_key, reading_marker, unlisted_marker
from idp_finetuning.test_sets.labels import Labels, Listing, read_labels
from idp_finetuning.test_sets.test_set import TestSetRecord
from idp_finetuning.wire import UtcTime, WireModel, timestamp

# Of a request, listing included: the API has 20 s to answer, and the rules are still to be applied.
REQUEST_SECONDS = 16
# ReadLabels ends after 15 minutes; an older marker is of a run that failed.
MARKER_COUNTS_FOR = timedelta(minutes=16)
# How long the listing of a finished run stands in for one that a request has no time for.
READING_COUNTS_FOR = timedelta(minutes=10)


class ReadTestSet(WireModel):
    """What a test set holds now."""

    listing: Listing
    labels: Labels


class KnownLabels(WireModel):
    """The labels of a test set, and whether its upload is still in progress."""

    labels: Labels
    uploading: bool


class ReadLabelsEvent(WireModel):
    """Input of ReadLabels; the fingerprint of a complete test set says which listing to read."""

    test_set_id: str
    fingerprint: str | None = None


class ReadingSince(WireModel):
    """Content of the marker of a reading in the background."""

    since: str


class LastReading(WireModel):
    """What a finished reading in the background listed; the labels are stored by its fingerprint."""

    finished_at: UtcTime
    fingerprint: str
    uploading: bool


def read_test_set(test_set_id: str, fingerprint: str | None, *, bucket: TestSetBucket, data: DataBucket) -> ReadTestSet:
    """Return the files of a test set and their labels, from the data bucket if this very state was read before.

    A complete test set is read as it was when it was completed, which its fingerprint says; any other is listed. Only
    labels are kept, never a verdict: rules may change, labels of one fingerprint do not.
    """
    listing = bucket.sealed(test_set_id, fingerprint) if fingerprint else bucket.listing(test_set_id)
    labels = data.read_model(labels_key(test_set_id, listing.fingerprint), Labels)
    return ReadTestSet(listing=listing, labels=labels or _read(listing, bucket, data, math.inf))


def read_labels_in_background(event: ReadLabelsEvent, *, bucket: TestSetBucket, data: DataBucket) -> None:
    """Leave the labels in the data bucket, and what was listed for requests that have no time to list."""
    read = read_test_set(event.test_set_id, event.fingerprint, bucket=bucket, data=data)
    if event.fingerprint:
        return
    last = LastReading(
        finished_at=datetime.now(UTC),
        fingerprint=read.listing.fingerprint,
        uploading=read.listing.uploading,
    )
    data.write_model(last_reading_key(event.test_set_id), last)


def read_labels_or_start(
    test_set: TestSetRecord,
    *,
    bucket: TestSetBucket,
    data: DataBucket,
    background: BackgroundFunction,
    within_seconds: float,
) -> KnownLabels:
    """Return the labels in the time of one request. Raises ValidationRunning while that continues in the background."""
    latest = time.monotonic() + within_seconds
    request = _Request(test_set.id, bucket, data, background, lambda: latest - time.monotonic())
    if test_set.sealed_as:
        return request.read_sealed(test_set.sealed_as)
    return request.read_unsealed()


class _Request:
    """A request of the API for the labels of a test set, with the seconds that are left of it."""

    def __init__(
        self,
        test_set_id: str,
        bucket: TestSetBucket,
        data: DataBucket,
        background: BackgroundFunction,
        seconds_left: Callable[[], float],
    ) -> None:
        self._id = test_set_id
        self._bucket = bucket
        self._data = data
        self._background = background
        self._seconds_left = seconds_left

    def read_sealed(self, fingerprint: str) -> KnownLabels:
        labels = self._read_or_start(
            fingerprint,
            lambda: self._bucket.sealed(self._id, fingerprint),
            ReadLabelsEvent(test_set_id=self._id, fingerprint=fingerprint),
        )
        return KnownLabels(labels=labels, uploading=False)

    def read_unsealed(self) -> KnownLabels:
        if known := self._read_last():
            return known
        event = ReadLabelsEvent(test_set_id=self._id)
        try:
            listing = self._bucket.listing(self._id, within_seconds=self._seconds_left())
        except TimeoutError:
            raise self._start(event, unlisted_marker(self._id)) from None
        labels = self._read_or_start(listing.fingerprint, lambda: listing, event)
        return KnownLabels(labels=labels, uploading=listing.uploading)

    def _read_last(self) -> KnownLabels | None:
        """Return what the last reading found of a test set that takes too long to list, or None if there is none."""
        since = self._running_since(unlisted_marker(self._id))
        if since is None:
            return None
        last = self._data.read_model(last_reading_key(self._id), LastReading)
        if last is None or last.finished_at < since:
            raise self._running()
        labels = self._data.read_model(labels_key(self._id, last.fingerprint), Labels)
        if labels is None or last.finished_at < datetime.now(UTC) - READING_COUNTS_FOR:
            return None
        return KnownLabels(labels=labels, uploading=last.uploading)

    def _read_or_start(self, fingerprint: str, listing: Callable[[], Listing], event: ReadLabelsEvent) -> Labels:
        known = self._data.read_model(labels_key(self._id, fingerprint), Labels)
        if known:
            return known
        marker = reading_marker(self._id, fingerprint)
        if self._running_since(marker):
            raise self._running()
        try:
            return _read(listing(), self._bucket, self._data, self._seconds_left())
        except TimeoutError:
            raise self._start(event, marker) from None

    def _running_since(self, marker: str) -> datetime | None:
        running = self._data.read_model(marker, ReadingSince)
        since = datetime.fromisoformat(running.since) if running else None
        return since if since and since > datetime.now(UTC) - MARKER_COUNTS_FOR else None

    def _start(self, event: ReadLabelsEvent, marker: str) -> ValidationRunning:
        since = timestamp()
        # In this order: a marker without a reading behind it would keep callers waiting for nothing.
        self._background.start(event)
        self._data.write_model(marker, ReadingSince(since=since))
        return self._running()

    def _running(self) -> ValidationRunning:
        return ValidationRunning(
            f"Test set '{self._id}' is large; its labels are being read in the background. Ask again in 10 seconds."
        )


def _read(listing: Listing, bucket: TestSetBucket, data: DataBucket, within_seconds: float) -> Labels:
    etags = {file.key: file.etag for file in listing.files}
    latest = time.monotonic() + within_seconds

    def read_all(keys: list[str]) -> Iterator[bytes | None]:
        files = ((key, etags[key]) for key in keys)
        for content in bucket.read_files(files, within_seconds=latest - time.monotonic()):
            yield None if isinstance(content, Unreadable) else content

    def read_beginnings(keys: list[str]) -> Iterator[bytes]:
        return bucket.read_beginnings(keys, within_seconds=latest - time.monotonic())

    labels = read_labels(listing, read_all, read_beginnings)
    data.write_model(labels_key(listing.test_set_id, listing.fingerprint), labels)
    return labels
