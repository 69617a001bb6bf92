"""Job records in DynamoDB: what is written is read back, client tokens, lists, deletion."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from idp_finetuning.adapters.tables.items import IndexedKey, read_items, to_attributes
from idp_finetuning.adapters.tables.job_items import JOB, item_key, to_item
from idp_finetuning.adapters.tables.jobs import JobTable
from idp_finetuning.deployment import JOBS_BY_DEPLOYMENT
from idp_finetuning.errors import Conflict, InvalidInput, JobNotFound, TransientError
from idp_finetuning.jobs.job import (
    DeployedJob,
    DocumentCounts,
    FinetuningJob,
    JobConfiguration,
    JobFilter,
    JobStatus,
    JobSummary,
    TrainingMetrics,
)
from idp_finetuning.jobs.life import Outcome, move
from idp_finetuning.nova.prompt import DocumentClass
from tests.support.domain.fake_bedrock import client_error
from tests.support.domain.samples import job


@pytest.mark.parametrize("to", list(JobStatus))
def test_a_deleted_job_does_not_come_back(jobs: JobTable, to: JobStatus) -> None:
    doomed = jobs.create(job(status=JobStatus.DELETING), None, "")
    jobs.delete(doomed)
    with pytest.raises(JobNotFound):
        jobs.move(doomed.current_run, to)
    with pytest.raises(JobNotFound):
        jobs.get(doomed.id)
    assert list(jobs.ids()) == []


def test_a_job_goes_only_while_it_is_being_deleted_and_going_twice_is_fine(jobs: JobTable, dynamodb: Any) -> None:
    token = "token#sub#1"
    kept = jobs.create(job(status=JobStatus.COMPLETED), None, "")
    with pytest.raises(dynamodb.exceptions.ConditionalCheckFailedException):
        jobs.delete(kept)
    doomed = jobs.create(job("2", status=JobStatus.DELETING, client_token=token), token, "digest")
    jobs.delete(doomed)
    jobs.delete(doomed)
    assert [item["id"]["S"] for item in dynamodb.scan(TableName="t-jobs")["Items"]] == [kept.id]


def test_a_record_comes_back_as_it_was_written(jobs: JobTable) -> None:
    full = job(
        job_name="Мой job 👩‍💻",
        training_metrics=TrainingMetrics(training_loss=0.1 + 0.2),
        documents=DocumentCounts(found=150, train=135, validation=15),
        warnings=("Class 'other' has relatively few examples (10)", ""),
        train_split=0.85,
        error_stage=JobStatus.TRAINING,
    )
    jobs.create(full, None, "")
    assert jobs.get(full.id) == full
    moved = jobs.move(full.current_run, JobStatus.GENERATING_DATA, training_metrics=None, error_stage=None)
    assert (moved.training_metrics, moved.error_stage, moved.documents) == (None, None, full.documents)
    assert moved.updated_at > full.updated_at


def test_a_change_that_others_always_outrun_is_worth_a_retry(jobs: JobTable) -> None:
    made = jobs.create(job(), None, "")

    def decide(read: FinetuningJob) -> Outcome:
        jobs.move(made.current_run, JobStatus.VALIDATING, validation_records=read.validation_records + 1)
        return move(read, made.current_run, JobStatus.VALIDATING, waiting_for="nothing")

    with pytest.raises(TransientError, match="is being changed by many calls"):
        jobs.update(made.id, decide)
    assert jobs.get(made.id).waiting_for is None


def test_the_same_token_and_input_answer_with_the_same_job(jobs: JobTable) -> None:
    first = jobs.create(job("1", client_token="token#a"), "token#a", "digest")
    jobs.move(first.current_run, JobStatus.GENERATING_DATA)
    again = jobs.create(job("2", client_token="token#a"), "token#a", "digest")
    assert (first.id, again.id, again.status) == ("1", "1", "GENERATING_DATA")
    with pytest.raises(JobNotFound):
        jobs.get("2")


def test_the_same_token_with_other_input_is_a_conflict(jobs: JobTable) -> None:
    jobs.create(job("1"), "token#a", "digest")
    with pytest.raises(Conflict, match="This clientToken was used for another request"):
        jobs.create(job("2"), "token#a", "other")
    assert list(jobs.ids()) == ["1"]


def test_a_request_that_meets_its_twin_half_way_is_sent_again_and_is_no_conflict(
    jobs: JobTable, dynamodb: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DynamoDB cancels the second of two transactions on one token before the first can be read."""

    def cancelled(**_: Any) -> None:
        raise client_error("TransactWriteItems", "TransactionCanceledException")

    monkeypatch.setattr(dynamodb, "transact_write_items", cancelled)
    with pytest.raises(TransientError, match="Send it again"):
        jobs.create(job("1"), "token#a", "digest")


def transaction_conflict(*reasons: str) -> ClientError:
    """A transaction that DynamoDB cancelled for these reasons."""
    error = client_error("TransactWriteItems", "TransactionCanceledException")
    error.response["CancellationReasons"] = [{"Code": reason} for reason in reasons]  # type: ignore[typeddict-unknown-key, unused-ignore]
    return error


@pytest.mark.parametrize("reasons", [("TransactionConflict", "None"), ("None", "ThrottlingError")])
def test_a_write_that_meets_a_transaction_of_another_is_tried_again(
    jobs: JobTable, dynamodb: Any, monkeypatch: pytest.MonkeyPatch, reasons: tuple[str, ...]
) -> None:
    write = dynamodb.transact_write_items
    refusals = [transaction_conflict(*reasons) for _ in range(4)]

    def conflicting(**request: Any) -> Any:
        if refusals:
            raise refusals.pop()
        return write(**request)

    monkeypatch.setattr(dynamodb, "transact_write_items", conflicting)
    made = jobs.create(job("1"), None, "")
    refusals += [transaction_conflict(*reasons)]
    assert jobs.move(made.current_run, JobStatus.GENERATING_DATA).status is JobStatus.GENERATING_DATA
    assert refusals == []


CONFIGURATION = JobConfiguration(
    config_version="v1",
    revision=3,
    system_prompt="Straße",
    task_prompt="{CLASS_NAMES_AND_DESCRIPTIONS} {DOCUMENT_IMAGE}",
    classes=(DocumentClass(name="letter", description="a letter"), DocumentClass(name="invoice")),
)


def test_a_configuration_is_kept_with_its_job_and_goes_with_it(jobs: JobTable, dynamodb: Any) -> None:
    doomed = jobs.create(job(status=JobStatus.DELETING, config_version="v1"), None, "", CONFIGURATION)
    jobs.create(job("2"), None, "")
    assert jobs.configuration(doomed.id) == CONFIGURATION
    assert jobs.configuration("2") is None
    assert set(jobs.ids()) == {doomed.id, "2"}
    jobs.delete(doomed)
    assert jobs.configuration(doomed.id) is None
    assert {item["id"]["S"] for item in dynamodb.scan(TableName="t-jobs")["Items"]} == {"2"}


def test_a_request_that_makes_no_job_leaves_no_configuration(jobs: JobTable) -> None:
    jobs.create(job("1"), "token#a", "digest", CONFIGURATION)
    jobs.create(job("2"), "token#a", "digest", CONFIGURATION)
    assert (jobs.configuration("1"), jobs.configuration("2")) == (CONFIGURATION, None)


def test_jobs_are_listed_newest_first_page_by_page(jobs: JobTable) -> None:
    for minute in (3, 1, 5, 2, 4):
        jobs.create(job(f"job {minute}", created_at=f"2026-11-22T10:0{minute}:00.000Z"), f"token#{minute}", "")
    seen, token = [], None
    while True:
        page = jobs.list(limit=2, next_token=token)
        seen.append([item.id for item in page.items])
        token = page.next_token
        if not token:
            break
    assert [name for names in seen for name in names] == ["job 5", "job 4", "job 3", "job 2", "job 1"]
    assert max(map(len, seen)) == 2
    assert list(jobs.ids()) == [name for names in seen for name in names]


def test_jobs_of_one_moment_are_all_listed_once(jobs: JobTable) -> None:
    for number in range(7):
        jobs.create(job(f"{number}"), None, "")
    seen, token = [], None
    while True:
        page = jobs.list(limit=3, next_token=token)
        seen += [item.id for item in page.items]
        token = page.next_token
        if not token:
            break
    assert sorted(seen) == [str(n) for n in range(7)]


FILTERS = [
    ({"status": JobStatus.FAILED}, [0, 3, 6, 9]),
    ({"base_model": "lite"}, [0, 2, 4, 6, 8, 10]),
    ({"test_set_id": "b"}, [5, 6, 7, 8, 9, 10, 11]),
    ({"name_prefix": "INVOICES 1"}, [1, 10, 11]),
    ({"status": JobStatus.FAILED, "base_model": "lite"}, [0, 6]),
    ({"status": JobStatus.FAILED, "base_model": "lite", "test_set_id": "b", "name_prefix": "inv"}, [6]),
    ({"status": JobStatus.DELETING}, []),
    ({"test_set_id": "unknown"}, []),
    ({}, list(range(12))),
]


@pytest.mark.parametrize("limit", [1, 2, 5, 100])
@pytest.mark.parametrize(("given", "expected"), FILTERS)
def test_a_filter_shows_each_job_that_fits_once_the_newest_first(
    jobs: JobTable, given: dict[str, Any], expected: list[int], limit: int
) -> None:
    for number in range(12):
        made = job(
            str(number),
            job_name=f"Invoices {number}",
            status=JobStatus.COMPLETED if number % 3 else JobStatus.FAILED,
            base_model="pro" if number % 2 else "lite",
            test_set_id="a" if number < 5 else "b",
            created_at=f"2026-11-22T10:00:{number:02}.000Z",
        )
        jobs.create(made, f"token#{number}", "", CONFIGURATION)
    seen, token = [], None
    while True:
        page = jobs.list(limit=limit, next_token=token, shown=JobFilter(**given))
        assert len(page.items) <= limit
        seen += [int(item.id) for item in page.items]
        token = page.next_token
        if not token:
            break
    assert seen == expected[::-1]


def test_a_rare_job_costs_a_bounded_read_a_page(jobs: JobTable, dynamodb: Any) -> None:
    for number in range(601):
        name = "Rare" if number == 0 else "Common"
        made = job(str(number), job_name=name, created_at=f"2026-11-22T10:00:00.{number:03}Z")
        dynamodb.put_item(TableName="t-jobs", Item=to_attributes(to_item(made)))
    first = jobs.list(limit=100, next_token=None, shown=JobFilter(name_prefix="rare"))
    assert first.items == ()
    second = jobs.list(limit=100, next_token=first.next_token, shown=JobFilter(name_prefix="rare"))
    assert ([item.id for item in second.items], second.next_token) == (["0"], None)


def test_a_list_shows_a_job_as_it_is_now_and_none_that_is_gone(jobs: JobTable, dynamodb: Any) -> None:
    """The index of a status may show for a moment what it no longer has."""
    made = jobs.create(job("1"), None, "")
    jobs.create(job("2"), None, "")
    key = IndexedKey(id="1", created_at=made.created_at)
    dynamodb.delete_item(TableName="t-jobs", Key=item_key("2", JOB))
    assert set(jobs._read_records([key, IndexedKey(id="2", created_at=made.created_at)])) == {"1"}


def test_records_that_dynamodb_left_out_are_asked_for_again(dynamodb: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("idp_finetuning.adapters.tables.items.READ_WAITS", (0.0, 0.0))
    keys = [item_key(str(number), JOB) for number in range(250)]

    class Throttled:
        """Answers at most 40 keys at once."""

        calls = 0

        def batch_get_item(self, RequestItems: dict[str, Any]) -> dict[str, Any]:  # noqa: N803
            self.calls += 1
            (wanted,) = (part["Keys"] for part in RequestItems.values())
            assert len(wanted) <= 100
            left = {"jobs": {"Keys": wanted[40:]}} if wanted[40:] else {}
            return {"Responses": {"jobs": wanted[:40]}, "UnprocessedKeys": left}

    throttled: Any = Throttled()
    assert read_items(throttled, "jobs", keys) == keys
    assert throttled.calls == 3 + 3 + 2
    monkeypatch.setattr("idp_finetuning.adapters.tables.items.READ_WAITS", (0.0,))
    with pytest.raises(TransientError, match="throttled"):
        read_items(throttled, "jobs", keys)


def test_the_index_of_deployments_projects_all_that_the_choice_of_a_model_needs() -> None:
    needed = {field.alias for field in DeployedJob.model_fields.values()}
    assert needed <= {*JOBS_BY_DEPLOYMENT.projected, JOBS_BY_DEPLOYMENT.partition_key, "id", "createdAt"}


def test_a_model_is_found_by_its_deployment_and_no_other_job_is_read(jobs: JobTable, dynamodb: Any) -> None:
    for number in range(30):
        jobs.create(job(f"waiting {number}"), None, "")
    for number, status in enumerate((JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.DELETING)):
        jobs.create(job(f"{number}", status=status, custom_model_deployment_arn=f"arn:{number}"), None, "")
    read: list[int] = []

    def count(parsed: Any, **_: object) -> None:
        read.append(parsed["ScannedCount"])

    for operation in ("Scan", "Query"):
        dynamodb.meta.events.register(f"after-call.dynamodb.{operation}", count)
    try:
        assert [found.id for found in jobs.deployed()] == ["0"]
        found = [jobs.find_deployed(f"arn:{number}") for number in range(4)]
    finally:
        for operation in ("Scan", "Query"):
            dynamodb.meta.events.unregister(f"after-call.dynamodb.{operation}", count)
    assert [item and item.id for item in found] == ["0", None, None, None]
    assert read == [3, 1, 1, 1, 0]


def _token(**content: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode()


NOW = "2026-11-22T10:00:00.000Z"


@pytest.mark.parametrize(
    "token",
    [
        "x",
        "!!!",
        "日本語",
        base64.urlsafe_b64encode(b"\xff\x00").decode(),
        _token(),
        _token(createdAt=NOW),
        _token(createdAt=NOW, id=7),
        _token(createdAt=NOW, id=""),
        _token(createdAt="", id="a"),
        _token(createdAt="x" * 1100, id="a"),
        _token(createdAt=NOW, id="x" * 2000),
        _token(createdAt=NOW, id="a", kind="token"),
        _token(createdAt={"S": NOW}, id="a"),
        base64.urlsafe_b64encode(b"[" * 1000).decode(),
        _token(createdAt=NOW, id="a")[:-3],
    ],
)
def test_a_tampered_token_is_invalid_input(jobs: JobTable, token: str) -> None:
    with pytest.raises(InvalidInput, match="nextToken is not one this API returned"):
        jobs.list(limit=5, next_token=token)


def test_a_token_leads_nowhere_but_to_jobs(jobs: JobTable) -> None:
    jobs.create(job("1"), "token#a", "digest")
    page = jobs.list(limit=5, next_token=_token(createdAt="9999-11-22T10:00:00.000Z", id="token#a"))
    assert [item.id for item in page.items] == ["1"]
    assert FinetuningJob.model_fields.keys() > JobSummary.model_fields.keys()
