"""The history of a job in DynamoDB: written with each change, read newest first, gone with the job."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from idp_finetuning.adapters.tables.jobs import JobTable
from idp_finetuning.errors import InvalidInput, JobNotFound, JobStopping, TransientError
from idp_finetuning.jobs.job import JobEvent, JobStatus
from tests.support.domain.samples import job


def read_history(jobs: JobTable, limit: int) -> list[JobEvent]:
    """The history read in pages of `limit`."""
    found: list[JobEvent] = []
    token = None
    while True:
        page = jobs.events.page(job().id, limit=limit, next_token=token)
        assert len(page.items) <= limit
        found += page.items
        token = page.next_token
        if not token:
            return found


def add_event(jobs: JobTable, job_id: str, message: str) -> None:
    """Adds an event to a job that keeps its status."""
    known = jobs.get(job_id)
    jobs.move(known.current_run, known.status, message, warnings=(message,))


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 100])
def test_pages_have_every_event_once_newest_first(jobs: JobTable, limit: int) -> None:
    jobs.create(job(), None, "")
    jobs.create(job("2"), None, "")
    for number in range(7):
        add_event(jobs, job().id, f"event {number}")
        add_event(jobs, "2", "of another job")
    events = read_history(jobs, limit)
    assert sorted(event.message for event in events) == [f"event {number}" for number in range(7)]
    assert [event.at for event in events] == sorted((event.at for event in events), reverse=True)


def test_the_record_and_the_token_are_no_events(jobs: JobTable) -> None:
    jobs.create(job(client_token="token#a"), "token#a", "digest")
    assert read_history(jobs, 100) == []


def test_a_late_event_brings_no_deleted_job_back(
    jobs: JobTable, dynamodb: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The job goes after the late call has read it and before it writes."""
    doomed = jobs.move(jobs.create(job(status=JobStatus.FAILED), None, "").current_run, JobStatus.DELETING)
    interrupt(dynamodb, monkeypatch, lambda: jobs.delete(doomed))
    with pytest.raises(JobNotFound):
        jobs.move(doomed.current_run, JobStatus.DELETING, "Recorded late.", error_message="Denied.")
    assert dynamodb.scan(TableName="t-jobs")["Items"] == []


def interrupt(dynamodb: Any, monkeypatch: pytest.MonkeyPatch, work: Callable[[], object]) -> None:
    """Does the work once, right before the next transaction."""
    transact = dynamodb.transact_write_items

    def late(**request: Any) -> Any:
        monkeypatch.setattr(dynamodb, "transact_write_items", transact)
        work()
        return transact(**request)

    monkeypatch.setattr(dynamodb, "transact_write_items", late)


def test_a_transition_whose_event_cannot_be_written_is_not_made(
    jobs: JobTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = jobs.create(job(), None, "")
    refused = {"Put": {"TableName": "t-jobs", "Item": {"id": {"S": "x"}, "item": {"S": "x"}}}}
    refused["Put"]["ConditionExpression"] = "attribute_exists(id)"
    with monkeypatch.context() as patched:
        patched.setattr(jobs.events, "put", lambda *_: refused)
        with pytest.raises(TransientError):
            jobs.move(before.current_run, JobStatus.GENERATING_DATA)
    assert (jobs.get(before.id), read_history(jobs, 100)) == (before, [])


def test_a_transition_that_was_not_made_has_no_event(
    jobs: JobTable, dynamodb: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = jobs.create(job(status=JobStatus.DEPLOYING), None, "")
    interrupt(dynamodb, monkeypatch, lambda: jobs.move(running.current_run, JobStatus.STOPPING))
    with pytest.raises(JobStopping):
        jobs.move(running.current_run, JobStatus.COMPLETED)
    assert [event.type for event in read_history(jobs, 100)] == ["STOPPING"]


def test_changes_that_meet_are_both_kept_and_both_have_events(
    jobs: JobTable, dynamodb: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = jobs.create(job(status=JobStatus.TRAINING), None, "")
    interrupt(dynamodb, monkeypatch, lambda: add_event(jobs, running.id, "warned"))
    jobs.move(running.current_run, JobStatus.DEPLOYING, custom_model_arn="arn")
    after = jobs.get(running.id)
    assert (after.status, after.warnings, after.custom_model_arn) == ("DEPLOYING", ("warned",), "arn")
    assert sorted(event.type for event in read_history(jobs, 100)) == ["DEPLOYING", "TRAINING"]


def test_of_two_calls_that_make_one_change_only_the_first_has_an_event(
    jobs: JobTable, dynamodb: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = jobs.create(job(status=JobStatus.TRAINING), None, "")
    interrupt(dynamodb, monkeypatch, lambda: add_event(jobs, running.id, "Bedrock: Completed."))
    add_event(jobs, running.id, "Bedrock: Completed.")
    assert [event.message for event in read_history(jobs, 100)] == ["Bedrock: Completed."]


@pytest.mark.parametrize("reason", ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"])
def test_a_transaction_that_others_are_in_the_way_of_is_worth_a_retry(
    jobs: JobTable, dynamodb: Any, monkeypatch: pytest.MonkeyPatch, reason: str
) -> None:
    before = jobs.create(job(), None, "")
    canceled = {
        "Error": {"Code": "TransactionCanceledException", "Message": "canceled"},
        "CancellationReasons": [{"Code": reason}, {"Code": "None"}],
    }

    def fail(**_: Any) -> None:
        raise ClientError(canceled, "TransactWriteItems")  # type: ignore[arg-type, unused-ignore]

    monkeypatch.setattr(dynamodb, "transact_write_items", fail)
    with pytest.raises(TransientError):
        jobs.move(before.current_run, JobStatus.GENERATING_DATA)
    canceled["CancellationReasons"] = [{"Code": "ValidationError"}, {"Code": "None"}]
    with pytest.raises(ClientError):
        jobs.move(before.current_run, JobStatus.GENERATING_DATA)


def test_what_changes_nothing_is_not_written_and_has_no_event(jobs: JobTable) -> None:
    before = jobs.create(job(status=JobStatus.TRAINING, warnings=("careful",)), None, "")
    jobs.move(before.current_run, JobStatus.TRAINING, "News.", warnings=("careful",))
    assert (jobs.get(before.id), read_history(jobs, 100)) == (before, [])


def test_the_history_goes_with_the_job_and_no_other_does(jobs: JobTable, dynamodb: Any) -> None:
    doomed = jobs.create(job(status=JobStatus.COMPLETED), None, "")
    jobs.create(job("2"), None, "")
    add_event(jobs, "2", "of another job")
    for number in range(5):
        add_event(jobs, doomed.id, f"event {number}")
    jobs.delete(jobs.move(doomed.current_run, JobStatus.DELETING))
    assert [item["id"]["S"] for item in dynamodb.scan(TableName="t-jobs")["Items"]] == ["2", "2"]


def test_an_event_of_a_moment_ago_goes_with_the_job_too(jobs: JobTable, dynamodb: Any) -> None:
    """A query that is not consistent may miss it, and it would never be removed."""
    asked: list[Any] = []
    dynamodb.meta.events.register("provide-client-params.dynamodb.Query", lambda params, **_: asked.append(params))
    jobs.events.delete(job().id)
    assert [query.get("ConsistentRead") for query in asked] == [True]


@pytest.mark.parametrize("token", ["x", "e30=", "日本語"])
def test_a_tampered_token_is_invalid_input(jobs: JobTable, token: str) -> None:
    with pytest.raises(InvalidInput, match="nextToken is not one this API returned"):
        jobs.events.page(job().id, limit=5, next_token=token)


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
