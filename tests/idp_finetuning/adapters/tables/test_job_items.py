"""Configuration versions on a job's model: noted and released in their transactions, and in the way of a deletion."""

from __future__ import annotations

from typing import Any

import pytest

from idp_finetuning.adapters.tables.jobs import JobTable
from idp_finetuning.errors import Conflict
from idp_finetuning.jobs.job import FinetuningJob, JobStatus
from tests.support.domain.samples import job


def offering(jobs: JobTable, **changes: Any) -> FinetuningJob:
    """A job whose model a configuration version may use, unless the changes say otherwise."""
    return jobs.create(job(**{"status": JobStatus.COMPLETED, "custom_model_deployment_arn": "arn"} | changes), None, "")


def test_a_job_knows_the_versions_that_use_its_model(jobs: JobTable, dynamodb: Any) -> None:
    made = offering(jobs)
    for version in ("b", "a", "b"):
        dynamodb.transact_write_items(TransactItems=[jobs.use(made.id, version)])
    assert jobs.get(made.id).used_by == ("a", "b")
    assert "usedBy" not in jobs.get(made.id).to_wire()
    for version in ("a", "c", "b"):
        dynamodb.transact_write_items(TransactItems=[jobs.release(made.id, version)])
    assert jobs.get(made.id) == made


@pytest.mark.parametrize("changes", [{"status": JobStatus.DELETING}, {"custom_model_deployment_arn": None}])
def test_a_job_that_offers_no_model_is_not_used(jobs: JobTable, dynamodb: Any, changes: dict[str, Any]) -> None:
    made = offering(jobs, **changes)
    for job_id in (made.id, "unknown"):
        with pytest.raises(dynamodb.exceptions.TransactionCanceledException):
            dynamodb.transact_write_items(TransactItems=[jobs.use(job_id, "a")])
    assert (jobs.get(made.id), list(jobs.ids())[1:]) == (made, [])


def test_a_job_that_is_gone_is_released_without_a_trace(jobs: JobTable, dynamodb: Any) -> None:
    assert jobs.release("gone", "a") is None
    late = jobs.release(offering(jobs).id, "a")
    dynamodb.delete_item(TableName="t-jobs", Key={"id": {"S": job().id}, "item": {"S": "job"}})
    with pytest.raises(dynamodb.exceptions.TransactionCanceledException):
        dynamodb.transact_write_items(TransactItems=[late])
    assert dynamodb.scan(TableName="t-jobs")["Items"] == []


def test_a_version_that_takes_a_model_just_before_its_deletion_keeps_it(
    jobs: JobTable, dynamodb: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = offering(jobs)
    transact = dynamodb.transact_write_items

    def late(**request: Any) -> Any:
        monkeypatch.setattr(dynamodb, "transact_write_items", transact)
        transact(TransactItems=[jobs.use(made.id, "v1")])
        return transact(**request)

    monkeypatch.setattr(dynamodb, "transact_write_items", late)
    with pytest.raises(Conflict, match="is used by a configuration version"):
        jobs.move(made.current_run, JobStatus.DELETING)
    assert jobs.get(made.id).status is JobStatus.COMPLETED
