"""Requests for a test set of 100,000 objects, whose list comes slowly, are answered in time."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from idp_finetuning.adapters.buckets import DataBucket, TestSetBucket
from idp_finetuning.adapters.functions import BackgroundFunction
from idp_finetuning.adapters.read_ahead import PARALLEL_READS
from idp_finetuning.errors import ValidationRunning
from idp_finetuning.stages.read_labels import (
    REQUEST_SECONDS,
    KnownLabels,
    ReadLabelsEvent,
    read_labels_in_background,
    read_labels_or_start,
)
from idp_finetuning.test_sets.split import DEFAULT_TRAIN_SPLIT
from idp_finetuning.test_sets.test_set import TestSetStatus
from idp_finetuning.test_sets.validation import validate
from tests.support.domain.fake_account import FakeLambda
from tests.support.domain.samples import ready_test_set, result_json

ANSWERED_WITHIN = 20
OBJECTS, PAGE = 100_000, 1000
PAGE_SECONDS = 0.25
READ_SECONDS = 0.03 / PARALLEL_READS
UPLOADING = ready_test_set().model_copy(update={"status": TestSetStatus.UPLOADING})


class SlowS3:
    """Test set docsplit, whose list takes 250 ms a page: no time of the test, but of the clock that the code reads.

    Prefixes are listed side by side, so the longest counts.
    """

    def __init__(self, labelled: bool) -> None:
        count = OBJECTS // 2 if labelled else OBJECTS
        self._keys = [f"docsplit/input/{n:06}.pdf" for n in range(count)]
        if labelled:
            self._keys += [f"docsplit/baseline/{n:06}.pdf/sections/1/result.json" for n in range(count)]
        self._elapsed: dict[str, float] = {}

    def monotonic(self) -> float:
        """The clock."""
        return time.perf_counter() + self._elapsed.get("read", 0) + self._listed()

    def _listed(self) -> float:
        return max((spent for part, spent in self._elapsed.items() if part != "read"), default=0)

    def get_paginator(self, operation: str) -> SlowS3:
        assert operation == "list_objects_v2"
        return self

    def paginate(self, *, Bucket: str, Prefix: str) -> Iterator[dict[str, Any]]:  # noqa: N803
        found = [key for key in self._keys if key.startswith(Prefix)]
        for start in range(0, len(found) or 1, PAGE):
            self._elapsed[Prefix] = self._elapsed.get(Prefix, 0) + PAGE_SECONDS
            yield {"Contents": [{"Key": k, "Size": 1, "ETag": f'"{k}"'} for k in found[start : start + PAGE]]}

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        self._elapsed["read"] = self._elapsed.get("read", 0) + READ_SECONDS
        body = result_json("letter")
        return {"Body": io.BytesIO(body), "ETag": f'"{Key}"', "ContentLength": len(body)}


@pytest.fixture
def slow(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> SlowS3:
    """The slow bucket of test sets; the data bucket is as fast as any."""
    made = SlowS3(request.param)
    for module in ("adapters.buckets", "adapters.read_ahead", "stages.read_labels"):
        monkeypatch.setattr(f"idp_finetuning.{module}.time", SimpleNamespace(monotonic=made.monotonic))
    return made


def ask(slow: SlowS3, data: DataBucket, fake_lambda: FakeLambda) -> tuple[KnownLabels | None, float]:
    """What a request gets, and after how many seconds."""
    began = slow.monotonic()
    try:
        known = read_labels_or_start(
            UPLOADING,
            bucket=TestSetBucket(slow, "documents"),  # type: ignore[arg-type]
            data=data,
            background=BackgroundFunction(fake_lambda, "read-labels"),
            within_seconds=REQUEST_SECONDS,
        )
        validate(known.labels, train_split=DEFAULT_TRAIN_SPLIT)
    except ValidationRunning:
        known = None
    return known, slow.monotonic() - began


@pytest.mark.parametrize("slow", [True], ids=["with labels"], indirect=True)
def test_a_test_set_whose_labels_take_long_is_answered_in_time(
    slow: SlowS3, data: DataBucket, fake_lambda: FakeLambda
) -> None:
    for _ in range(2):
        known, seconds = ask(slow, data, fake_lambda)
        assert known is None
        assert seconds < ANSWERED_WITHIN
    assert len(fake_lambda.invoked) == 1


@pytest.mark.parametrize("slow", [False], ids=["one prefix"], indirect=True)
def test_a_test_set_whose_list_takes_long_is_answered_in_time(
    slow: SlowS3, data: DataBucket, fake_lambda: FakeLambda
) -> None:
    known, seconds = ask(slow, data, fake_lambda)
    assert known is None
    assert REQUEST_SECONDS < seconds < ANSWERED_WITHIN
    known, seconds = ask(slow, data, fake_lambda)
    assert known is None
    assert seconds < PAGE_SECONDS + 1  # what is being listed is not listed a second time
    ((_, event),) = fake_lambda.invoked
    read_labels_in_background(
        ReadLabelsEvent.model_validate(event),
        bucket=TestSetBucket(slow, "documents"),  # type: ignore[arg-type]
        data=data,
    )
    known, seconds = ask(slow, data, fake_lambda)
    assert known
    assert len(known.labels.documents) == OBJECTS
    assert seconds < ANSWERED_WITHIN
