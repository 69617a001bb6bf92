"""deleteTestSet: everything goes, nothing that a job reads does."""

from __future__ import annotations

from typing import Any

import pytest

from idp_finetuning.adapters.buckets import Bucket, DataBucket, TestSetBucket
from idp_finetuning.adapters.functions import BackgroundFunction
from idp_finetuning.adapters.tables.jobs import JobTable
from idp_finetuning.adapters.tables.test_sets import TestSetTable
from idp_finetuning.errors import TransientError
from idp_finetuning.jobs import life
from idp_finetuning.jobs.evaluation import EvaluationRequest, EvaluationRun
from idp_finetuning.jobs.job import JobStatus
from idp_finetuning.stages.delete_test_set import LOST_AFTER, DeleteTestSetEvent, restart_deletions
from idp_finetuning.stages.evaluation_records import fail_job_evaluation
from lambdas.delete_test_set import handler
from tests.support.domain.api import ApiError, call
from tests.support.domain.fake_account import FakeLambda
from tests.support.domain.fake_bedrock import client_error
from tests.support.domain.samples import job, ready_test_set, upload_test_set


@pytest.fixture(autouse=True)
def uploaded(environment: dict[str, str], test_sets: TestSetTable, s3: Any) -> None:
    """A ready test set in a bucket that keeps versions, with every document uploaded twice, beside another."""
    s3.put_bucket_versioning(Bucket="documents", VersioningConfiguration={"Status": "Enabled"})
    test_sets.create(ready_test_set())
    for _ in range(2):
        upload_test_set(s3, pages=1)
    s3.delete_object(Bucket="documents", Key="docsplit/input/sub 0/doc 0.pdf")
    s3.put_object(Bucket="documents", Key="docsplit-2/input/a.pdf", Body=b"x")


def keys(s3: Any) -> list[str]:
    """Every version and delete marker of the bucket."""
    left = s3.list_object_versions(Bucket="documents")
    return sorted(entry["Key"] for entry in [*left.get("Versions", []), *left.get("DeleteMarkers", [])])


def run_in_background(fake_lambda: FakeLambda) -> None:
    """What Lambda does with the events sent so far."""
    while fake_lambda.invoked:
        name, event = fake_lambda.invoked.pop(0)
        assert name == "t-delete-test-set"
        assert handler(event, None) == {}


def test_a_test_set_goes_with_all_versions_and_no_other_does(s3: Any, fake_lambda: FakeLambda) -> None:
    assert call("deleteTestSet", testSetId="docsplit") is True
    assert [item["status"] for item in call("listTestSets")["items"]] == ["DELETING"]
    run_in_background(fake_lambda)
    assert keys(s3) == ["docsplit-2/input/a.pdf"]
    assert call("listTestSets")["items"] == []
    with pytest.raises(ApiError, match="TestSetNotFound"):
        call("deleteTestSet", testSetId="docsplit")


@pytest.mark.parametrize("status", ["VALIDATING", "GENERATING_DATA"])
def test_a_test_set_that_a_job_reads_is_kept(jobs: JobTable, s3: Any, status: str) -> None:
    before = keys(s3)
    reader = jobs.create(job(status=JobStatus(status)), None, "")
    with pytest.raises(ApiError, match=f"Conflict: Test set 'docsplit' is being read by job '{reader.id}'. Stop the"):
        call("deleteTestSet", testSetId="docsplit")
    assert keys(s3) == before
    assert call("getTestSet", testSetId="docsplit")["status"] == "READY"


@pytest.mark.parametrize("status", ["TRAINING", "DEPLOYING", "COMPLETED", "FAILED", "STOPPED", "STOPPING", "DELETING"])
def test_a_job_that_no_longer_reads_its_test_set_does_not_keep_it(jobs: JobTable, status: str) -> None:
    jobs.create(job(status=JobStatus(status)), None, "")
    jobs.create(job("other", test_set_id="docsplit-2"), None, "")
    assert call("deleteTestSet", testSetId="docsplit") is True


def test_a_test_set_that_an_evaluation_reads_is_kept_until_that_ends(jobs: JobTable) -> None:
    other = jobs.create(job(test_set_id="docsplit-2", status=JobStatus.COMPLETED), None, "")
    jobs.update(
        other.id, lambda found: life.begin_evaluation(found, 1, "Begun.", EvaluationRequest(test_set_id="docsplit"))
    )
    with pytest.raises(ApiError, match=f"Conflict: Job '{other.id}' is being evaluated on test set 'docsplit'"):
        call("deleteTestSet", testSetId="docsplit")
    fail_job_evaluation(EvaluationRun(job_id=other.id, number=1), "Over.", jobs=jobs)
    assert call("deleteTestSet", testSetId="docsplit") is True


@pytest.mark.parametrize("status", ["COMPLETED", "FAILED", "STOPPED", "STOPPING", "DELETING"])
def test_a_job_whose_end_brings_no_evaluation_does_not_keep_a_test_set(jobs: JobTable, status: str) -> None:
    given = {"test_set_id": "docsplit-2", "evaluation_test_set_id": "docsplit"}
    running = jobs.create(job(status=JobStatus(status), **given), None, "")
    if status == "COMPLETED":  # it is evaluated on what it held out
        jobs.update(running.id, lambda found: life.begin_evaluation(found, 1, "Begun."))
    assert call("deleteTestSet", testSetId="docsplit") is True


def test_a_job_that_starts_meanwhile_keeps_its_test_set(
    jobs: JobTable, s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = keys(s3)
    close = TestSetTable.close

    def closing(self: TestSetTable, test_set_id: str) -> None:
        jobs.create(job(), None, "")
        close(self, test_set_id)

    monkeypatch.setattr(TestSetTable, "close", closing)
    with pytest.raises(ApiError, match="Conflict"):
        call("deleteTestSet", testSetId="docsplit")
    assert keys(s3) == before
    again = call("getTestSet", testSetId="docsplit")
    assert (again["status"], again["fileCount"]) == ("READY", 12)


def test_no_job_starts_on_a_test_set_that_is_going_and_asking_again_finishes_it(
    s3: Any, fake_lambda: FakeLambda, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> int:
        raise client_error("DeleteObjects", "SlowDown")

    assert call("deleteTestSet", testSetId="docsplit") is True
    with monkeypatch.context() as patched:
        patched.setattr(Bucket, "delete_prefix", fail)
        with pytest.raises(TransientError):
            run_in_background(fake_lambda)
    start = {"jobName": "late", "testSetId": "docsplit", "baseModel": "us.amazon.nova-lite-v1:0"}
    with pytest.raises(ApiError, match="TestSetInvalid: Test set 'docsplit' is not ready: it is being deleted"):
        call("startFinetuningJob", input=start)
    assert not call("validateTestSetForFinetuning", testSetId="docsplit")["isValid"]
    assert call("deleteTestSet", testSetId="docsplit") is True
    run_in_background(fake_lambda)
    assert keys(s3) == ["docsplit-2/input/a.pdf"]


def test_a_test_set_that_is_going_takes_no_more_files_and_is_not_made_ready_again(
    test_sets: TestSetTable, s3: Any, fake_lambda: FakeLambda
) -> None:
    test_sets.close("docsplit")
    file = {"key": "input/late.pdf", "size": 1, "md5": "0" * 32}
    with pytest.raises(ApiError, match="Conflict: Test set 'docsplit' is being deleted and takes no more files"):
        call("createTestSetUploads", testSetId="docsplit", files=[file])
    with pytest.raises(ApiError, match="Conflict: Test set 'docsplit' is being deleted, or it is gone"):
        call("completeTestSet", testSetId="docsplit")
    assert call("getTestSet", testSetId="docsplit")["status"] == "DELETING"
    assert call("deleteTestSet", testSetId="docsplit") is True
    run_in_background(fake_lambda)
    assert keys(s3) == ["docsplit-2/input/a.pdf"]


def test_a_deletion_that_goes_on_does_not_bring_back_what_may_be_half_gone(
    jobs: JobTable, test_sets: TestSetTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    test_sets.close("docsplit")
    close = TestSetTable.close

    def closing(self: TestSetTable, test_set_id: str) -> None:
        jobs.create(job(), None, "")
        close(self, test_set_id)

    monkeypatch.setattr(TestSetTable, "close", closing)
    with pytest.raises(ApiError, match="Conflict"):
        call("deleteTestSet", testSetId="docsplit")
    assert call("getTestSet", testSetId="docsplit")["status"] == "DELETING"


def test_a_job_deleted_a_moment_ago_does_not_keep_a_test_set(jobs: JobTable, monkeypatch: pytest.MonkeyPatch) -> None:
    """The index still shows what the table no longer has."""
    monkeypatch.setattr(JobTable, "unfinished", lambda self: iter(["gone"]))
    assert call("deleteTestSet", testSetId="docsplit") is True


def test_a_test_set_of_another_stack_is_not_deleted(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    before = keys(s3)
    monkeypatch.setenv("TEST_SET_BUCKET_IS", "attached")
    with pytest.raises(ApiError, match="InvalidInput"):
        call("deleteTestSet", testSetId="docsplit")
    assert keys(s3) == before


def test_what_was_read_of_a_test_set_goes_with_it(
    s3: Any, documents_bucket: TestSetBucket, data: DataBucket, fake_lambda: FakeLambda
) -> None:
    call("validateTestSetForFinetuning", testSetId="docsplit")
    s3.put_object(Bucket="data", Key="validation/docsplit-2/1.json", Body=b"{}")
    assert [*data.list("validation/docsplit/")]
    call("deleteTestSet", testSetId="docsplit")
    run_in_background(fake_lambda)
    assert [file.key for file in data.list("validation/")] == ["validation/docsplit-2/1.json"]


def test_a_test_set_that_is_going_is_not_valid_and_nothing_of_it_is_read_again(
    test_sets: TestSetTable, data: DataBucket, fake_lambda: FakeLambda
) -> None:
    assert call("validateTestSetForFinetuning", testSetId="docsplit")["isValid"]
    call("deleteTestSet", testSetId="docsplit")
    data.delete_prefix("validation/docsplit/")  # what the function does, which has not come to the record yet
    for base_model in ({}, {"baseModel": "us.amazon.nova-lite-v1:0"}):
        verdict = call("validateTestSetForFinetuning", testSetId="docsplit", **base_model)
        assert (verdict["isValid"], verdict["documentCount"]) == (False, 0)
        assert verdict["errors"] == ["The test set is not ready: it is being deleted. Choose another test set."]
    assert [*data.list("validation/docsplit/")] == []
    run_in_background(fake_lambda)
    assert test_sets.is_free("docsplit")


def test_a_late_repetition_deletes_nothing_of_a_later_test_set_under_the_same_id(
    s3: Any, fake_lambda: FakeLambda
) -> None:
    call("deleteTestSet", testSetId="docsplit")
    (first,) = fake_lambda.invoked
    run_in_background(fake_lambda)
    call("createTestSet", input={"name": "docsplit"})
    s3.put_object(Bucket="documents", Key="docsplit/input/new.pdf", Body=b"1")
    assert handler(first[1], None) == {}
    assert "docsplit/input/new.pdf" in keys(s3)
    call("deleteTestSet", testSetId="docsplit")
    assert handler(first[1], None) == {}
    assert "docsplit/input/new.pdf" in keys(s3)
    run_in_background(fake_lambda)
    assert keys(s3) == ["docsplit-2/input/a.pdf"]


def test_a_new_test_set_begins_without_what_old_upload_forms_brought(s3: Any, fake_lambda: FakeLambda) -> None:
    call("deleteTestSet", testSetId="docsplit")
    with pytest.raises(ApiError, match="Conflict: Test set 'docsplit' is still being deleted"):
        call("createTestSet", input={"name": "docsplit"})
    run_in_background(fake_lambda)
    s3.put_object(Bucket="documents", Key="docsplit/input/late.pdf", Body=b"1")
    call("createTestSet", input={"name": "docsplit"})
    assert keys(s3) == ["docsplit-2/input/a.pdf", "docsplit/.uploading"]
    with pytest.raises(ApiError, match="Conflict: A test set 'docsplit' exists already"):
        call("createTestSet", input={"name": "docsplit", "description": "another"})
    assert keys(s3) == ["docsplit-2/input/a.pdf", "docsplit/.uploading"]


def test_a_deletion_that_was_lost_is_started_again_and_one_under_way_is_not(
    test_sets: TestSetTable, fake_lambda: FakeLambda, monkeypatch: pytest.MonkeyPatch
) -> None:
    background = BackgroundFunction(fake_lambda, "t-delete-test-set")
    test_sets.close("docsplit")
    restart_deletions(test_sets, background)
    assert fake_lambda.invoked == []
    with monkeypatch.context() as patched:
        patched.setattr("idp_finetuning.stages.delete_test_set.LOST_AFTER", -LOST_AFTER)
        restart_deletions(test_sets, background)
    assert len(fake_lambda.invoked) == 1
    run_in_background(fake_lambda)
    assert call("listTestSets")["items"] == []
    restart_deletions(test_sets, background)
    assert fake_lambda.invoked == []


def test_a_deletion_that_was_taken_back_touches_nothing(test_sets: TestSetTable, s3: Any) -> None:
    before, ready = keys(s3), test_sets.get("docsplit")
    test_sets.close("docsplit")
    test_sets.reopen(ready)
    event = DeleteTestSetEvent(test_set_id="docsplit", created_at=ready.created_at)
    assert handler(event.to_wire(), None) == {}
    assert keys(s3) == before
    assert test_sets.get("docsplit") == ready
