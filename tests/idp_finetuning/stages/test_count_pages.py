"""Pages of a complete test set are counted in the background, in as many runs as it takes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from idp_finetuning.adapters.buckets import DataBucket, TestSetBucket
from idp_finetuning.adapters.tables.jobs import JobTable
from idp_finetuning.adapters.tables.test_sets import TestSetTable
from idp_finetuning.errors import TestSetInvalid
from idp_finetuning.stages.page_counts import COUNTING_LOST_AFTER, WAIT_FOR_COUNTS, CountingSince
from idp_finetuning.test_sets.keys import counting_marker, page_counts_key, sealed_key, uploading_marker
from idp_finetuning.test_sets.page_counts import PageCounts
from lambdas.count_pages import handler
from tests.support.domain.api import ApiError, call
from tests.support.domain.fake_account import FakeLambda
from tests.support.domain.pipeline import Pipeline
from tests.support.domain.samples import coloured_pdf, job, pdf, result_json

PAGES = [1, 3, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1]
NOVA_2 = "us.amazon.nova-2-lite-v1:0"


def upload(s3: Any, documents: dict[str, bytes]) -> None:
    """Test set set of two classes in turn, whose labels name no pages."""
    call("createTestSet", input={"name": "set"})
    for number, (path, content) in enumerate(documents.items()):
        s3.put_object(Bucket="documents", Key=f"set/input/{path}", Body=content)
        key = f"set/baseline/{path}/sections/1/result.json"
        s3.put_object(Bucket="documents", Key=key, Body=result_json(["letter", "memo"][number % 2]))


@pytest.fixture
def completed(environment: dict[str, str], s3: Any, fake_lambda: FakeLambda) -> dict[str, Any]:
    """The event of CountPages for a test set of twelve documents, of which three cannot be opened."""
    documents = {f"{n:02}.pdf": coloured_pdf(*[(0, 0, 0)] * count) for n, count in enumerate(PAGES)}
    documents |= {"empty.pdf": b"", "text.pdf": b"no document", "long.pdf": pdf(*[(9, 9, "")] * 501)}
    upload(s3, documents)
    call("completeTestSet", testSetId="set")
    ((name, event),) = fake_lambda.invoked
    assert name == "t-count-pages"
    fake_lambda.invoked.clear()
    return event


def stored(data: DataBucket, event: dict[str, Any]) -> dict[str, int | str | None] | None:
    counts = data.read_model(page_counts_key("set", event["fingerprint"]), PageCounts)
    return {d.path: d.pages or d.rejection for d in counts.documents} if counts else None


def expected() -> dict[str, int | str | None]:
    rejected = {"empty.pdf": "empty", "text.pdf": "unsupported_type", "long.pdf": "too_many_pages"}
    return {**{f"{n:02}.pdf": count for n, count in enumerate(PAGES)}, **rejected}


def test_every_document_is_counted_or_has_the_code_of_its_rejection(
    pipeline: Pipeline, data: DataBucket, completed: dict[str, Any]
) -> None:
    outcome = pipeline.run("CountPages", completed, times=2)
    assert outcome == {"documents": 15, "complete": True}
    assert stored(data, completed) == expected()


def test_only_what_a_version_adds_is_opened(
    pipeline: Pipeline, data: DataBucket, completed: dict[str, Any], fake_lambda: FakeLambda, s3: Any
) -> None:
    call("removeTestSetDocuments", testSetId="set", paths=["00.pdf"])
    ((_, event),) = fake_lambda.invoked
    pipeline.run("CountPages", completed)
    for path in [*expected(), "new.pdf"]:
        s3.delete_object(Bucket="documents", Key=f"set/input/{path}")
    pipeline.run("CountPages", event)
    assert stored(data, event) == {path: pages for path, pages in expected().items() if path != "00.pdf"}


def test_what_does_not_fit_into_a_run_continues_in_the_next(
    data: DataBucket, completed: dict[str, Any], fake_lambda: FakeLambda, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("idp_finetuning.adapters.services.Services.seconds_left", lambda self: 60)
    runs = 0
    queue = [completed]
    while queue:
        runs += 1
        outcome = handler(queue.pop(), None)
        assert outcome == {"documents": runs, "complete": runs == 15}
        assert (stored(data, completed) is None) == (runs < 15)
        queue = [event for _, event in fake_lambda.invoked]
        fake_lambda.invoked.clear()
        assert queue == ([completed] if runs < 15 else [])
    assert stored(data, completed) == expected()


def test_a_run_that_dies_is_repeated_from_what_it_wrote_down(
    data: DataBucket, completed: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    really = TestSetBucket.read_document

    def read(self: TestSetBucket, key: str, etag: str | None = None) -> bytes:
        opened.append(key)
        if len(opened) == 5:
            raise MemoryError
        return really(self, key, etag)

    monkeypatch.setattr(TestSetBucket, "read_document", read)
    monkeypatch.setattr("idp_finetuning.stages.count_pages.PROGRESS_SECONDS", -1)
    with pytest.raises(Exception, match="MemoryError"):
        handler(completed, None)
    handler(completed, None)
    assert len(opened) == 16
    assert stored(data, completed) == expected()


def test_a_document_that_was_replaced_after_completion_is_not_counted(
    s3: Any, data: DataBucket, completed: dict[str, Any]
) -> None:
    s3.put_object(Bucket="documents", Key="set/input/00.pdf", Body=coloured_pdf((0, 0, 0), (1, 1, 1)))
    handler(completed, None)
    assert stored(data, completed) == expected() | {"00.pdf": "changed"}


def test_a_test_set_that_was_deleted_meanwhile_leaves_nothing(
    s3: Any, data: DataBucket, completed: dict[str, Any]
) -> None:
    s3.delete_object(Bucket="documents", Key=sealed_key("set", completed["fingerprint"]))
    assert handler(completed, None) == {"documents": 0, "complete": False}
    assert stored(data, completed) is None


def test_a_test_set_that_is_deleted_while_it_is_counted_leaves_nothing(
    s3: Any, data: DataBucket, completed: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    really = TestSetBucket.read_document

    def read(self: TestSetBucket, key: str, etag: str | None = None) -> bytes:
        s3.delete_object(Bucket="documents", Key=sealed_key("set", completed["fingerprint"]))
        return really(self, key, etag)

    monkeypatch.setattr(TestSetBucket, "read_document", read)
    monkeypatch.setattr("idp_finetuning.stages.count_pages.PROGRESS_SECONDS", -1)
    assert handler(completed, None)["complete"] is False
    keys = [file.key for file in data.list("validation/set/")]
    assert [key for key in keys if completed["fingerprint"] in key and key.endswith((".pages", ".counting"))] == []


def test_completing_again_starts_no_second_counting(completed: dict[str, Any], fake_lambda: FakeLambda) -> None:
    call("completeTestSet", testSetId="set")
    assert fake_lambda.invoked == []


def validated(base_model: str | None = NOVA_2) -> Any:
    return call("validateTestSetForFinetuning", testSetId="set", baseModel=base_model, trainSplit=0.9)


@pytest.fixture
def few(environment: dict[str, str], s3: Any) -> None:
    """A complete test set of 120 documents of one page."""
    upload(s3, {f"{n:03}.pdf": coloured_pdf((0, 0, n / 120)) for n in range(120)})
    call("completeTestSet", testSetId="set")


@pytest.mark.usefixtures("few")
def test_a_base_model_that_needs_more_pages_is_an_error_once_they_are_counted(fake_lambda: FakeLambda) -> None:
    with pytest.raises(ApiError, match=r"^ValidationRunning: The pages of test set 'set' are being counted"):
        validated()
    before = validated(None)
    ((_, event),) = fake_lambda.invoked
    handler(event, None)
    found = validated()
    assert not found["isValid"]
    assert found["errors"] == [
        "Nova 2 Lite needs at least 200 training pages; the training share of this test set has 108."
    ]
    assert validated(None) == before
    assert before["isValid"]


@pytest.mark.usefixtures("few")
def test_a_job_ends_at_its_validation_if_the_counted_pages_are_too_few(
    pipeline: Pipeline, jobs: JobTable, fake_lambda: FakeLambda
) -> None:
    ((_, event),) = fake_lambda.invoked
    handler(event, None)
    started = jobs.create(job(test_set_id="set", base_model=NOVA_2), None, "")
    with pytest.raises(TestSetInvalid, match=r"needs at least 200 training pages; .* has 108\."):
        pipeline.run("ValidateTestSet", started.current_run.to_wire())


@pytest.mark.usefixtures("few")
def test_a_validation_waits_some_minutes_at_most_and_starts_a_lost_counting_again(
    data: DataBucket, test_sets: TestSetTable, fake_lambda: FakeLambda
) -> None:
    marker = counting_marker("set", test_sets.get("set").sealed_as or "")
    second = timedelta(seconds=1)
    for age, started in ((WAIT_FOR_COUNTS + second, 1), (COUNTING_LOST_AFTER - second, 1)):
        data.write_model(marker, CountingSince(since=datetime.now(UTC) - age))
        found = validated()
        assert found["isValid"]
        assert "not counted yet" in found["warnings"][-1]
        assert len(fake_lambda.invoked) == started
    data.write_model(marker, CountingSince(since=datetime.now(UTC) - COUNTING_LOST_AFTER - second))
    for _ in range(2):
        with pytest.raises(ApiError, match="ValidationRunning"):
            validated()
    assert len(fake_lambda.invoked) == 2


def test_an_upload_in_progress_is_not_counted(environment: dict[str, str], s3: Any, fake_lambda: FakeLambda) -> None:
    upload(s3, {f"{n:02}.pdf": coloured_pdf((0, 0, 0)) for n in range(10)})
    s3.delete_object(Bucket="documents", Key=uploading_marker("set"))
    assert "still in progress" in validated()["errors"][0]
    assert fake_lambda.invoked == []
