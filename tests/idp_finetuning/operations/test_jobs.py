"""Operations that read jobs, through the schema, every field of every answer selected."""

from __future__ import annotations

import pytest

from idp_finetuning.adapters.buckets import DataBucket
from idp_finetuning.adapters.tables.jobs import JobTable
from idp_finetuning.adapters.tables.test_sets import TestSetTable
from idp_finetuning.jobs.evaluation import EvaluationStatus, JobEvaluation
from idp_finetuning.jobs.job import DocumentCounts, JobStatus, TrainingMetrics
from idp_finetuning.jobs.layout import JobLayout
from idp_finetuning.operations.lines import LineToken
from idp_finetuning.test_sets.split import Split
from idp_finetuning.training_data.dataset import RejectedDocument, dataset_report
from idp_finetuning.training_data.dataset_documents import DatasetDocument
from tests.support.domain.api import ApiError, call
from tests.support.domain.samples import job, ready_test_set


@pytest.fixture(autouse=True)
def ready(environment: dict[str, str], test_sets: TestSetTable) -> None:
    """A ready test set's record."""
    test_sets.create(ready_test_set())


def test_a_whole_record_satisfies_the_schema(jobs: JobTable) -> None:
    full = job(
        status=JobStatus.FAILED,
        training_metrics=TrainingMetrics(training_loss=0.05, validation_loss=None),
        documents=DocumentCounts(found=150, train=135, validation=15, rejected=2),
        warnings=("careful",),
        training_started_at="2026-11-22T10:00:00.000Z",
        error_stage=JobStatus.DEPLOYING,
        error_code="DeploymentFailed",
        error_message="Deployment failed: quota.",
    )
    jobs.create(full, None, "")
    shown = call("getFinetuningJob", jobId=full.id)
    assert shown == {name: value for name, value in full.to_wire().items() if name in shown}
    assert call("listFinetuningJobs", limit=1)["items"][0]["errorMessage"] == "Deployment failed: quota."


def test_an_unknown_job_is_not_found() -> None:
    for field in ("getFinetuningJob", "getDatasetReport", "listDatasetDocuments", "deleteFinetuningJob"):
        with pytest.raises(ApiError, match="JobNotFound"):
            call(field, jobId="unknown")


def test_jobs_are_listed_page_by_page_through_the_api(jobs: JobTable) -> None:
    for number in range(3):
        jobs.create(job(str(number), created_at=f"2026-11-22T10:00:0{number}.000Z"), None, "")
    first = call("listFinetuningJobs", limit=2, nextToken=None)
    second = call("listFinetuningJobs", limit=2, nextToken=first["nextToken"])
    assert [item["id"] for item in first["items"] + second["items"]] == ["2", "1", "0"]
    assert second["nextToken"] is None


def test_jobs_are_filtered_through_the_api_and_show_their_verdict(jobs: JobTable) -> None:
    verdict = JobEvaluation(
        number=1, status=EvaluationStatus.COMPLETED, started_at="2026-11-22T11:00:00.000Z", gain=0.2
    )
    jobs.create(job("1", job_name="Invoices", status=JobStatus.COMPLETED, evaluation=verdict), None, "")
    jobs.create(job("2", job_name="Letters", status=JobStatus.FAILED), None, "")
    (found,) = call("listFinetuningJobs", status="COMPLETED", namePrefix="inv", testSetId="docsplit")["items"]
    assert (found["id"], found["evaluation"]["gain"], found["createdBy"]) == ("1", 0.2, "author@example.com")
    assert call("listFinetuningJobs", baseModel="unknown")["items"] == []


@pytest.mark.parametrize("given", [{"namePrefix": ""}, {"testSetId": ""}, {"baseModel": "m" * 201}])
def test_a_filter_that_nothing_can_fit_is_refused(given: dict[str, str]) -> None:
    with pytest.raises(ApiError, match="InvalidInput"):
        call("listFinetuningJobs", **given)


def test_the_report_is_shown_with_at_most_a_thousand_rejections(jobs: JobTable, data: DataBucket) -> None:
    known = jobs.create(job(), None, "")
    with pytest.raises(ApiError, match=r"Conflict: .* has no data set report yet"):
        call("getDatasetReport", jobId=known.id)
    rejected = [RejectedDocument(key=f"{n}", code="empty", reason="The file is empty.") for n in range(1_200)]
    data.write_model(JobLayout(job_id=known.id).report, dataset_report([], rejected, ["careful"]))
    shown = call("getDatasetReport", jobId=known.id)
    assert (shown["found"], shown["rejected"], len(shown["rejectedDocuments"])) == (1_200, 1_200, 1_000)


def test_the_documents_of_a_data_set_are_listed_page_by_page(jobs: JobTable, data: DataBucket) -> None:
    known = jobs.create(job(), None, "")
    with pytest.raises(ApiError, match=r"Conflict: .* has no list of its documents"):
        call("listDatasetDocuments", jobId=known.id)
    documents = [
        DatasetDocument(path=f"ä\u2028{n}.pdf", side=Split.TRAIN, classes=("letter", "memo"), pages=n) for n in range(5)
    ]
    lines = [item.model_dump_json(by_alias=True).encode() + b"\n" for item in documents]
    data.write_stream(JobLayout(job_id=known.id).documents, lines)
    found, token = [], None
    for size in (2, 2, 1):
        page = call("listDatasetDocuments", jobId=known.id, limit=2, nextToken=token)
        assert len(page["items"]) == size
        found += page["items"]
        token = page["nextToken"]
    assert token is None
    assert found == [item.to_wire() for item in documents]
    assert call("listDatasetDocuments", jobId=known.id, limit=5)["nextToken"] is None
    for start in (3, 10_000):
        with pytest.raises(ApiError, match="InvalidInput: nextToken is not one this API returned"):
            call("listDatasetDocuments", jobId=known.id, nextToken=LineToken(start=start).to_text())
