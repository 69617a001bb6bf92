"""Test-set records."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from idp_finetuning.adapters.tables.test_sets import TestSetTable
from idp_finetuning.errors import Conflict, InvalidInput, TestSetNotFound
from idp_finetuning.test_sets.test_set import TestSetRecord, TestSetStatus


def record(name: str, minute: int = 0) -> TestSetRecord:
    """A new test set."""
    return TestSetRecord(
        id=name,
        name=name,
        description="",
        status=TestSetStatus.UPLOADING,
        created_at=datetime(2026, 11, 22, 10, minute, tzinfo=UTC),
    )


def test_a_record_comes_back_as_it_was_written(test_sets: TestSetTable) -> None:
    test_sets.create(record("a"))
    assert test_sets.get("a") == record("a")


def test_a_taken_id_is_a_conflict_and_stays_as_it_was(test_sets: TestSetTable) -> None:
    test_sets.create(record("a"))
    with pytest.raises(Conflict, match="A test set 'a' exists already"):
        test_sets.create(record("a").model_copy(update={"description": "other"}))
    assert test_sets.get("a").description == ""


def test_a_missing_test_set_is_not_found_and_is_not_made_by_marking_it_ready(
    test_sets: TestSetTable, dynamodb: Any
) -> None:
    with pytest.raises(TestSetNotFound):
        test_sets.get("a")
    for write in (lambda: test_sets.mark_ready("a", 3, "f"), lambda: test_sets.close("a")):
        with pytest.raises(Conflict, match="Test set 'a' is being deleted, or it is gone"):
            write()
    with pytest.raises(TestSetNotFound):
        test_sets.get("a")


def test_marking_ready_twice_leaves_the_same_record(test_sets: TestSetTable) -> None:
    test_sets.create(record("a"))
    first = test_sets.mark_ready("a", 12, "f")
    assert (first.status, first.file_count) == ("READY", 12)
    assert test_sets.mark_ready("a", 12, "f") == first == test_sets.get("a")


def test_a_closed_test_set_is_not_made_ready_but_may_get_back_what_it_was(test_sets: TestSetTable) -> None:
    test_sets.create(record("a"))
    ready = test_sets.mark_ready("a", 12, "f")
    test_sets.close("a")
    test_sets.close("a")
    with pytest.raises(Conflict):
        test_sets.mark_ready("a", 12, "f")
    assert test_sets.get("a").status == "DELETING"
    test_sets.reopen(ready)
    assert test_sets.get("a") == ready
    with pytest.raises(Conflict):
        test_sets.reopen(ready)


def test_test_sets_are_listed_newest_first_page_by_page(test_sets: TestSetTable) -> None:
    for minute in (2, 1, 3):
        test_sets.create(record(f"set-{minute}", minute))
    first = test_sets.list(limit=2, next_token=None)
    assert [item.id for item in first.items] == ["set-3", "set-2"]
    second = test_sets.list(limit=2, next_token=first.next_token)
    assert [item.id for item in second.items] == ["set-1"]
    assert second.next_token is None


def test_a_tampered_token_is_invalid_input(test_sets: TestSetTable) -> None:
    with pytest.raises(InvalidInput):
        test_sets.list(limit=2, next_token="e30=")


def test_lists_show_the_version_of_each_record(test_sets: TestSetTable) -> None:
    test_sets.create(record("set-1", 1))
    ready = test_sets.mark_ready("set-1", 2, "first")
    test_sets.revise(ready, 3, "second")
    (listed,) = test_sets.list(limit=5, next_token=None).items
    assert (listed.version, listed.file_count) == (2, 3)


def test_of_two_revisions_at_once_one_is_refused(test_sets: TestSetTable) -> None:
    test_sets.create(record("set-1", 1))
    ready = test_sets.mark_ready("set-1", 2, "first")
    assert test_sets.revise(ready, 3, "second").version == 2
    with pytest.raises(Conflict, match="was changed by another request"):
        test_sets.revise(ready, 4, "third")
    assert test_sets.get("set-1").fingerprint == "second"
