"""The history of a job: every transition once, newest first, page by page, gone with the job."""

from __future__ import annotations

from typing import Any

import pytest

from idp_finetuning.adapters.job_table import JobTable
from idp_finetuning.errors import InvalidInput, StaleState
from idp_finetuning.jobs import JobFact, JobStatus
from tests.idp_finetuning.samples import job


def whole(jobs: JobTable, limit: int) -> list[JobFact]:
    """The history read in pages of `limit`."""
    found: list[JobFact] = []
    token = None
    while True:
        page = jobs.history.page(job().id, limit=limit, next_token=token)
        assert len(page.items) <= limit
        found += page.items
        token = page.next_token
        if not token:
            return found


def test_every_transition_is_told_once_however_often_it_is_made(jobs: JobTable) -> None:
    run = jobs.create(job(), None, "").current_run
    for status in ("VALIDATING", "GENERATING_DATA", "TRAINING", "DEPLOYING", "COMPLETED"):
        for _ in range(3):
            jobs.move(run, JobStatus(status))
    with pytest.raises(StaleState):
        jobs.move(run, JobStatus.FAILED, "Late.")
    told = whole(jobs, 100)
    assert [fact.type for fact in told] == ["COMPLETED", "DEPLOYING", "TRAINING", "GENERATING_DATA"]
    assert all(fact.message and fact.at.endswith("Z") for fact in told)


def test_a_fact_within_a_status_is_told_with_its_change_and_not_again(jobs: JobTable) -> None:
    run = jobs.create(job(status=JobStatus.TRAINING), None, "").current_run
    for progress in ("InProgress", "InProgress", "Completed"):
        jobs.move(run, JobStatus.TRAINING, f"Bedrock: {progress}.", customization_job_status=progress)
    assert [fact.message for fact in whole(jobs, 100)] == ["Bedrock: Completed.", "Bedrock: InProgress."]


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 100])
def test_pages_hold_every_fact_once_newest_first(jobs: JobTable, limit: int) -> None:
    jobs.create(job(), None, "")
    jobs.create(job("2"), None, "")
    for number in range(7):
        jobs.history.record(job().id, "TRAINING", f"fact {number}")
        jobs.history.record("2", "TRAINING", "of another job")
    told = whole(jobs, limit)
    assert sorted(fact.message for fact in told) == [f"fact {number}" for number in range(7)]
    assert [fact.at for fact in told] == sorted((fact.at for fact in told), reverse=True)


def test_the_record_and_the_token_are_no_facts(jobs: JobTable) -> None:
    jobs.create(job(client_token="token#a"), "token#a", "digest")
    assert whole(jobs, 100) == []


def test_a_late_fact_brings_no_deleted_job_back(jobs: JobTable, dynamodb: Any) -> None:
    doomed = jobs.create(job(status=JobStatus.FAILED), None, "")
    jobs.delete(jobs.move(doomed.current_run, JobStatus.DELETING))
    jobs.history.record(doomed.id, "FAILED", "Recorded late.")
    assert dynamodb.scan(TableName="t-jobs")["Items"] == []


def test_a_fact_changes_nothing_of_the_record(jobs: JobTable) -> None:
    before = jobs.create(job(status=JobStatus.TRAINING), None, "")
    jobs.history.record(before.id, "TRAINING", "A fact.")
    assert jobs.get(before.id) == before


def test_a_long_message_is_cut(jobs: JobTable) -> None:
    jobs.create(job(), None, "")
    jobs.history.record(job().id, "FAILED", "x" * 5000)
    assert [len(fact.message) for fact in whole(jobs, 1)] == [1000]


def test_the_history_goes_with_the_job_and_no_other_does(jobs: JobTable, dynamodb: Any) -> None:
    doomed = jobs.create(job(status=JobStatus.COMPLETED), None, "")
    jobs.create(job("2"), None, "")
    jobs.history.record("2", "TRAINING", "of another job")
    for number in range(5):
        jobs.history.record(doomed.id, "COMPLETED", f"fact {number}")
    jobs.delete(jobs.move(doomed.current_run, JobStatus.DELETING))
    assert [item["id"]["S"] for item in dynamodb.scan(TableName="t-jobs")["Items"]] == ["2", "2"]


@pytest.mark.parametrize("token", ["x", "e30=", "日本語"])
def test_a_tampered_token_is_invalid_input(jobs: JobTable, token: str) -> None:
    with pytest.raises(InvalidInput, match="nextToken is not one this API returned"):
        jobs.history.page(job().id, limit=5, next_token=token)


def test_only_jobs_that_have_not_ended_are_in_the_index_of_the_unfinished(jobs: JobTable) -> None:
    expected = []
    for number, status in enumerate(JobStatus):
        made = jobs.create(job(str(number), created_at=f"2026-11-22T10:00:0{number}.000Z"), None, "")
        path = {
            "VALIDATING": [],
            "STOPPED": ["STOPPING", "STOPPED"],
            "DELETING": ["FAILED", "DELETING"],
            "FAILED": ["FAILED"],
            "STOPPING": ["STOPPING"],
        }
        forward = ["GENERATING_DATA", "TRAINING", "DEPLOYING", "COMPLETED"]
        for step in path.get(status, forward[: forward.index(status) + 1] if status in forward else []):
            jobs.move(made.current_run, JobStatus(step))
        if status not in ("COMPLETED", "FAILED", "STOPPED"):
            expected.append(str(number))
    assert list(jobs.unfinished()) == expected
