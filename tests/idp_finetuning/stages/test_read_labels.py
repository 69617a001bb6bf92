"""Labels are read once for each state of a test set, and in the background where that takes long."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from idp_finetuning.adapters.buckets import DataBucket, TestSetBucket
from idp_finetuning.adapters.functions import BackgroundFunction
from idp_finetuning.errors import ValidationRunning
from idp_finetuning.stages.read_labels import (
    MARKER_COUNTS_FOR,
    ReadingSince,
    ReadTestSet,
    read_test_set,
    read_test_set_or_start,
)
from idp_finetuning.test_sets.keys import reading_marker
from idp_finetuning.wire import timestamp
from lambdas.read_labels import handler
from tests.support.domain.fake_account import FakeLambda
from tests.support.domain.fake_bedrock import client_error
from tests.support.domain.samples import upload_test_set


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A request has no time to read anything."""
    monkeypatch.setattr("idp_finetuning.stages.read_labels.REQUEST_SECONDS", -1)


def ask(documents_bucket: TestSetBucket, data: DataBucket, fake_lambda: FakeLambda) -> ReadTestSet:
    """What a request of the API does."""
    background = BackgroundFunction(fake_lambda, "read-labels")
    return read_test_set_or_start("docsplit", bucket=documents_bucket, data=data, background=background)


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
    first = read_test_set("docsplit", bucket=documents_bucket, data=data)

    def unread(*_: Any, **__: Any) -> None:
        raise AssertionError("read again")

    monkeypatch.setattr(documents_bucket, "read_all", unread)
    assert read_test_set("docsplit", bucket=documents_bucket, data=data) == first


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
    assert fake_lambda.invoked == [("read-labels", {"testSetId": "docsplit"})]
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
