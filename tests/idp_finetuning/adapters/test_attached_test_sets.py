"""Test sets in a bucket of another stack: found by prefix, and never written."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from idp_finetuning.adapters.attached_test_sets import AttachedTestSets
from idp_finetuning.errors import InvalidInput, TestSetNotFound
from idp_finetuning.test_sets.test_set import TestSet, TestSetStatus


@pytest.fixture
def attached(s3: Any) -> AttachedTestSets:
    for key in (
        "docsplit/input/a.pdf",
        "docsplit/input/sub/b.pdf",
        "docsplit/input/sub/",
        "docsplit/baseline/a.pdf/sections/1/result.json",
        "half/input/a.pdf",
        "half/.uploading",
        "labels-only/baseline/a.pdf/sections/1/result.json",
        "zebra/input/a.pdf",
        "stray.txt",
    ):
        s3.put_object(Bucket="documents", Key=key, Body=b"x")
    return AttachedTestSets(s3, "documents")


def test_a_prefix_with_documents_is_a_test_set_without_any_record_of_ours(attached: AttachedTestSets) -> None:
    found = attached.get("docsplit")
    assert (found.id, found.name, found.file_count, found.status) == ("docsplit", "docsplit", 2, TestSetStatus.READY)
    assert found.created_at.tzinfo is UTC


def test_a_test_set_whose_upload_is_marked_as_unfinished_is_not_ready(attached: AttachedTestSets) -> None:
    assert attached.get("half").status is TestSetStatus.UPLOADING


@pytest.mark.parametrize("test_set_id", ["none", "labels-only", "docsplit/input", "doc", ""])
def test_what_holds_no_documents_is_no_test_set(attached: AttachedTestSets, test_set_id: str) -> None:
    with pytest.raises(TestSetNotFound):
        attached.get(test_set_id)


def test_pages_list_each_test_set_once_and_then_end(attached: AttachedTestSets) -> None:
    seen, token = [], None
    for _ in range(5):
        page = attached.list(limit=1, next_token=token)
        seen += [item.id for item in page.items]
        token = page.next_token
        if token is None:
            break
    assert seen == ["docsplit", "half", "zebra"]
    assert token is None


def test_a_made_up_token_is_refused(attached: AttachedTestSets) -> None:
    with pytest.raises(InvalidInput, match="nextToken"):
        attached.list(limit=1, next_token="made up!")


def test_writes_are_refused_with_the_reason(attached: AttachedTestSets) -> None:
    new = TestSet(id="new", name="new", status=TestSetStatus.UPLOADING, created_at=datetime(2026, 1, 1, tzinfo=UTC))
    writes: tuple[Callable[[], object], ...] = (
        lambda: attached.create(new),
        lambda: attached.mark_ready("docsplit", 2, "f"),
        attached.require_writable,
    )
    for write in writes:
        with pytest.raises(InvalidInput, match="read-only"):
            write()
