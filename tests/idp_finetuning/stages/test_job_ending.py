"""EndJob's log line says whether the job is FAILED, on which an alarm counts, or was stopped, on which none does."""

from __future__ import annotations

import pytest

from idp_finetuning.adapters.tables.jobs import JobTable
from idp_finetuning.jobs.job import JobStatus
from tests.support.domain.pipeline import Pipeline
from tests.support.domain.samples import job

CAUGHT = {"error": {"Error": "JobStopping", "Cause": "{}"}}


@pytest.mark.parametrize(
    ("status", "logged"),
    [
        (JobStatus.TRAINING, "FAILED"),
        (JobStatus.FAILED, "FAILED"),
        (JobStatus.STOPPING, "STOPPED"),
        (JobStatus.STOPPED, "STOPPED"),
        (JobStatus.DELETING, "DELETING"),
        (None, None),
    ],
)
def test_the_log_says_what_became_of_the_job(
    pipeline: Pipeline, jobs: JobTable, caplog: pytest.LogCaptureFixture, status: JobStatus | None, logged: str | None
) -> None:
    if status:
        jobs.create(job(status=status), None, "")
    shown = pipeline.run("EndJob", job().current_run.to_wire() | CAUGHT)
    assert shown.keys() == {"code", "message"}
    assert vars(caplog.records[-1])["job_status"] == logged


def test_the_end_of_an_earlier_run_says_how_the_job_is_now(
    pipeline: Pipeline, jobs: JobTable, caplog: pytest.LogCaptureFixture
) -> None:
    earlier = job().current_run.to_wire()
    jobs.create(job(status=JobStatus.TRAINING, run=2), None, "")
    pipeline.run("EndJob", earlier | CAUGHT)
    assert vars(caplog.records[-1])["job_status"] == "TRAINING"
