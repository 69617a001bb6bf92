"""deleteTestSet: everything goes, nothing that a job reads does."""

from __future__ import annotations

from typing import Any

import pytest

from idp_finetuning.adapters.buckets import Bucket
from idp_finetuning.adapters.tables.jobs import JobTable
from idp_finetuning.adapters.tables.test_sets import TestSetTable
from idp_finetuning.jobs.job import JobStatus
from tests.support.domain.api import ApiError, call
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


def test_a_test_set_goes_with_all_versions_and_no_other_does(s3: Any) -> None:
    assert call("deleteTestSet", testSetId="docsplit") is True
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
    s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: Bucket, prefix: str) -> int:
        raise client_error("DeleteObjects", "SlowDown")

    with monkeypatch.context() as patched:
        patched.setattr(Bucket, "delete_prefix", fail)
        with pytest.raises(ApiError, match="TransientError"):
            call("deleteTestSet", testSetId="docsplit")
    start = {"jobName": "late", "testSetId": "docsplit", "baseModel": "us.amazon.nova-lite-v1:0"}
    with pytest.raises(ApiError, match="TestSetInvalid: Test set 'docsplit' is not ready: it is being deleted"):
        call("startFinetuningJob", input=start)
    assert not call("validateTestSetForFinetuning", testSetId="docsplit")["isValid"]
    assert call("deleteTestSet", testSetId="docsplit") is True
    assert keys(s3) == ["docsplit-2/input/a.pdf"]


def test_a_test_set_that_is_going_takes_no_more_files_and_is_not_made_ready_again(
    test_sets: TestSetTable, s3: Any
) -> None:
    test_sets.close("docsplit")
    file = {"key": "input/late.pdf", "size": 1, "md5": "0" * 32}
    with pytest.raises(ApiError, match="Conflict: Test set 'docsplit' is being deleted and takes no more files"):
        call("createTestSetUploads", testSetId="docsplit", files=[file])
    with pytest.raises(ApiError, match="Conflict: Test set 'docsplit' is being deleted, or it is gone"):
        call("completeTestSet", testSetId="docsplit")
    assert call("getTestSet", testSetId="docsplit")["status"] == "DELETING"
    assert call("deleteTestSet", testSetId="docsplit") is True
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
