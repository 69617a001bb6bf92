"""ValidateTestSet chooses how many documents are converted at once, and the record keeps it."""

from __future__ import annotations

from typing import Any

import pytest

from idp_finetuning.adapters.tables.jobs import JobTable
from idp_finetuning.jobs.job import JobStatus
from tests.support.domain.fake_account import NEW_ACCOUNT, FakeLambda
from tests.support.domain.pipeline import Pipeline
from tests.support.domain.samples import job

OTHER = "6f1c2b1e-0000-4000-8000-00000000000{}"


def other(jobs: JobTable, number: int, status: JobStatus, **changes: Any) -> None:
    """Another job in a status."""
    jobs.create(job(OTHER.format(number), status=status, **changes), None, "")


def test_an_ordinary_account_has_room_for_what_the_operator_chose(
    pipeline: Pipeline, jobs: JobTable, event: dict[str, Any]
) -> None:
    assert pipeline.run("ValidateTestSet", event, times=2)["concurrency"] == 40
    assert jobs.get(job().id).map_concurrency == 40


def test_a_new_account_keeps_a_part_for_the_api(
    pipeline: Pipeline, fake_lambda: FakeLambda, event: dict[str, Any]
) -> None:
    fake_lambda.unreserved = NEW_ACCOUNT
    assert pipeline.run("ValidateTestSet", event)["concurrency"] == 6


@pytest.mark.parametrize(
    ("status", "given", "expected"),
    [
        (JobStatus.VALIDATING, None, 3),
        (JobStatus.VALIDATING, 6, 3),  # of its run before this
        (JobStatus.GENERATING_DATA, 3, 3),
        (JobStatus.GENERATING_DATA, 6, 2),
        (JobStatus.GENERATING_DATA, None, 3),  # of a release that kept none
        (JobStatus.TRAINING, 6, 6),
        (JobStatus.STOPPED, 6, 6),
    ],
)
def test_jobs_that_convert_documents_share(
    pipeline: Pipeline,
    jobs: JobTable,
    fake_lambda: FakeLambda,
    event: dict[str, Any],
    status: JobStatus,
    given: int | None,
    expected: int,
) -> None:
    fake_lambda.unreserved = NEW_ACCOUNT
    other(jobs, 2, status, map_concurrency=given)
    assert pipeline.run("ValidateTestSet", event)["concurrency"] == expected


def test_a_repeated_call_has_the_same_answer_though_another_job_came(
    pipeline: Pipeline, jobs: JobTable, fake_lambda: FakeLambda, event: dict[str, Any]
) -> None:
    fake_lambda.unreserved = NEW_ACCOUNT
    first = pipeline.run("ValidateTestSet", event)
    other(jobs, 2, JobStatus.GENERATING_DATA, map_concurrency=2)
    assert pipeline.run("ValidateTestSet", event) == first


@pytest.mark.parametrize("failure", ["AccessDeniedException", "TooManyRequestsException", "ServiceException", None])
def test_a_limit_that_cannot_be_read_is_taken_for_the_lowest_and_logged(
    pipeline: Pipeline,
    fake_lambda: FakeLambda,
    event: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
    failure: str | None,
) -> None:
    fake_lambda.unreserved, fake_lambda.failure = None, failure
    assert pipeline.run("ValidateTestSet", event)["concurrency"] == 6
    (line,) = (record for record in caplog.records if record.getMessage() == "the account's concurrency is not known")
    assert line.levelname == "WARNING"
    assert (failure or "did not say") in line.__dict__["reason"]
