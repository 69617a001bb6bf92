"""Labels are read once for each state of a test set, and in the background where that takes long."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from idp_finetuning.adapters.buckets import DataBucket, TestSetBucket
from idp_finetuning.adapters.functions import BackgroundFunction
from idp_finetuning.errors import ValidationRunning
from idp_finetuning.stages.read_labels import (
    MARKER_COUNTS_FOR,
    READING_COUNTS_FOR,
    REQUEST_SECONDS,
    KnownLabels,
    LastReading,
    ReadingSince,
    read_labels_or_start,
    read_test_set,
)
from idp_finetuning.test_sets.keys import last_reading_key, reading_marker, sealed_key, unlisted_marker
from idp_finetuning.test_sets.labels import Listing
from idp_finetuning.test_sets.sections import LabelProblem
from idp_finetuning.test_sets.test_set import TestSetRecord, TestSetStatus
from idp_finetuning.wire import timestamp
from lambdas.read_labels import handler
from tests.support.domain.fake_account import FakeLambda
from tests.support.domain.fake_bedrock import client_error
from tests.support.domain.samples import ready_test_set, upload_test_set


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A request has time to list, but none to read anything."""
    read_files = TestSetBucket.read_files
    monkeypatch.setattr(
        TestSetBucket,
        "read_files",
        lambda self, files, within_seconds=math.inf: read_files(
            self, files, within_seconds=math.inf if within_seconds == math.inf else -1
        ),
    )


@pytest.fixture
def too_large_to_list(monkeypatch: pytest.MonkeyPatch) -> None:
    """A request has no time to list either."""
    monkeypatch.setattr(f"{__name__}.REQUEST_SECONDS", -1)


UPLOADING = ready_test_set().model_copy(update={"status": TestSetStatus.UPLOADING})
EVENT = {"testSetId": "docsplit", "fingerprint": None}


def ask(
    documents_bucket: TestSetBucket, data: DataBucket, fake_lambda: FakeLambda, test_set: TestSetRecord = UPLOADING
) -> KnownLabels:
    """What a request of the API does."""
    background = BackgroundFunction(fake_lambda, "read-labels")
    return read_labels_or_start(
        test_set, bucket=documents_bucket, data=data, background=background, within_seconds=REQUEST_SECONDS
    )


def test_a_small_test_set_is_read_at_once(
    s3: Any, documents_bucket: TestSetBucket, data: DataBucket, fake_lambda: FakeLambda
) -> None:
    upload_test_set(s3)
    assert len(ask(documents_bucket, data, fake_lambda).labels.documents) == 12
    assert fake_lambda.invoked == []


def test_what_was_read_is_read_no_second_time(
    s3: Any, documents_bucket: TestSetBucket, data: DataBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload_test_set(s3)
    first = read_test_set("docsplit", None, bucket=documents_bucket, data=data)

    def unread(*_: Any, **__: Any) -> None:
        raise AssertionError("read again")

    monkeypatch.setattr(documents_bucket, "read_files", unread)
    assert read_test_set("docsplit", None, bucket=documents_bucket, data=data) == first


def test_a_large_test_set_is_read_once_in_the_background_and_then_answered(
    s3: Any,
    documents_bucket: TestSetBucket,
    data: DataBucket,
    fake_lambda: FakeLambda,
    impatient: None,
    environment: dict[str, str],
) -> None:
    upload_test_set(s3)
    for _ in range(3):
        with pytest.raises(ValidationRunning, match="Test set 'docsplit' is large"):
            ask(documents_bucket, data, fake_lambda)
    assert fake_lambda.invoked == [("read-labels", EVENT)]
    assert handler(fake_lambda.invoked[0][1], None) == {}
    assert len(ask(documents_bucket, data, fake_lambda).labels.documents) == 12


def test_a_reading_that_failed_long_ago_is_started_again(
    s3: Any, documents_bucket: TestSetBucket, data: DataBucket, fake_lambda: FakeLambda, impatient: None
) -> None:
    upload_test_set(s3)
    marker = reading_marker("docsplit", documents_bucket.listing("docsplit").fingerprint)
    for age, invoked in ((MARKER_COUNTS_FOR - timedelta(minutes=1), 0), (MARKER_COUNTS_FOR + timedelta(minutes=1), 1)):
        data.write_model(marker, ReadingSince(since=timestamp(datetime.now(UTC) - age)))
        with pytest.raises(ValidationRunning):
            ask(documents_bucket, data, fake_lambda)
        assert len(fake_lambda.invoked) == invoked


def test_a_test_set_that_changed_meanwhile_is_read_anew(
    s3: Any, documents_bucket: TestSetBucket, data: DataBucket, fake_lambda: FakeLambda, impatient: None
) -> None:
    upload_test_set(s3)
    with pytest.raises(ValidationRunning):
        ask(documents_bucket, data, fake_lambda)
    s3.put_object(Bucket="documents", Key="docsplit/input/new.pdf", Body=b"")
    with pytest.raises(ValidationRunning):
        ask(documents_bucket, data, fake_lambda)
    assert len(fake_lambda.invoked) == 2


def test_a_reading_that_could_not_be_started_leaves_no_marker_that_it_runs(
    s3: Any, documents_bucket: TestSetBucket, data: DataBucket, fake_lambda: FakeLambda, impatient: None
) -> None:
    upload_test_set(s3)

    class Throttled(FakeLambda):
        def invoke(self, **request: Any) -> dict[str, Any]:
            raise client_error("Invoke", "ThrottlingException")

    with pytest.raises(ClientError):
        ask(documents_bucket, data, Throttled())
    with pytest.raises(ValidationRunning):
        ask(documents_bucket, data, fake_lambda)
    assert len(fake_lambda.invoked) == 1


@pytest.fixture
def sealed(s3: Any, documents_bucket: TestSetBucket) -> TestSetRecord:
    """A complete test set, with the listing it was completed with."""
    upload_test_set(s3)
    listing = Listing(test_set_id="docsplit", files=documents_bucket.listing("docsplit").uploaded)
    documents_bucket.write_model(sealed_key("docsplit", listing.fingerprint), listing)
    return ready_test_set().model_copy(update={"fingerprint": listing.fingerprint})


def test_a_test_set_too_large_to_list_is_listed_and_read_in_the_background(
    s3: Any,
    documents_bucket: TestSetBucket,
    data: DataBucket,
    fake_lambda: FakeLambda,
    too_large_to_list: None,
    environment: dict[str, str],
) -> None:
    upload_test_set(s3)
    for _ in range(3):
        with pytest.raises(ValidationRunning, match="Test set 'docsplit' is large"):
            ask(documents_bucket, data, fake_lambda)
    assert fake_lambda.invoked == [("read-labels", EVENT)]
    for _ in range(2):  # a run that Lambda repeats
        assert handler(fake_lambda.invoked[0][1], None) == {}
    found = ask(documents_bucket, data, fake_lambda)
    assert (len(found.labels.documents), found.uploading) == (12, False)
    assert len(fake_lambda.invoked) == 1


@pytest.mark.parametrize(("spare", "started_again"), [(timedelta(minutes=1), False), (timedelta(minutes=-1), True)])
def test_what_was_read_in_the_background_is_not_used_for_long(
    s3: Any,
    documents_bucket: TestSetBucket,
    data: DataBucket,
    fake_lambda: FakeLambda,
    too_large_to_list: None,
    spare: timedelta,
    started_again: bool,
) -> None:
    upload_test_set(s3)
    read = read_test_set("docsplit", None, bucket=documents_bucket, data=data)
    finished = datetime.now(UTC) - READING_COUNTS_FOR + spare
    data.write_model(unlisted_marker("docsplit"), ReadingSince(since=timestamp(finished - timedelta(minutes=2))))
    last = LastReading(finished_at=finished, fingerprint=read.listing.fingerprint, uploading=True)
    data.write_model(last_reading_key("docsplit"), last)
    if started_again:
        with pytest.raises(ValidationRunning):
            ask(documents_bucket, data, fake_lambda)
    else:
        assert ask(documents_bucket, data, fake_lambda).uploading
    assert bool(fake_lambda.invoked) == started_again


def test_a_complete_test_set_is_read_as_it_was_completed(
    s3: Any, documents_bucket: TestSetBucket, data: DataBucket, fake_lambda: FakeLambda, sealed: TestSetRecord
) -> None:
    s3.put_object(Bucket="documents", Key="docsplit/input/late.pdf", Body=b"1")
    key = "docsplit/baseline/sub 1/doc 1.pdf/sections/1/result.json"
    s3.put_object(Bucket="documents", Key=key, Body=b'{"document_class": "other"}')
    s3.delete_object(Bucket="documents", Key="docsplit/baseline/sub 0/doc 2.pdf/sections/1/result.json")
    labels = ask(documents_bucket, data, fake_lambda, sealed).labels
    assert labels == read_test_set("docsplit", sealed.fingerprint, bucket=documents_bucket, data=data).labels
    assert len(labels.documents) == 12
    changed = [d.path for d in labels.documents if d.problem is LabelProblem.CHANGED]
    assert changed == ["sub 0/doc 2.pdf", "sub 1/doc 1.pdf"]


def test_a_complete_test_set_that_was_read_is_neither_listed_nor_read_again(
    documents_bucket: TestSetBucket,
    data: DataBucket,
    fake_lambda: FakeLambda,
    sealed: TestSetRecord,
    too_large_to_list: None,
    environment: dict[str, str],
) -> None:
    with pytest.raises(ValidationRunning):
        ask(documents_bucket, data, fake_lambda, sealed)
    ((_, event),) = fake_lambda.invoked
    assert event == {"testSetId": "docsplit", "fingerprint": sealed.fingerprint}
    handler(event, None)
    assert len(ask(documents_bucket, data, fake_lambda, sealed).labels.documents) == 12
