"""The e-mail at a job's end: once for each run that ended, and the history says what became of it."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.ses.models import ses_backends

from idp_finetuning.adapters.tables.jobs import JobTable
from idp_finetuning.jobs.evaluation import EvaluationStatus, JobEvaluation
from idp_finetuning.jobs.job import FinetuningJob, JobStatus
from idp_finetuning.jobs.life import Resumption
from idp_finetuning.wire import timestamp
from tests.idp_finetuning.conftest import client
from tests.support.domain.pipeline import Pipeline
from tests.support.domain.samples import job
from tests.support.domain.situations import messages, placed, rewrite

OWNER = "author@example.com"
SENDER = "finetuning@example.com"


@pytest.fixture(autouse=True)
def sender(environment: dict[str, str]) -> None:
    """A verified sender."""
    environment["NOTIFICATION_SENDER"] = SENDER
    client("sesv2").create_email_identity(EmailIdentity=SENDER)


def sent() -> list[Any]:
    """E-mails, the first one first."""
    return list(ses_backends["123456789012"]["us-east-1"].sent_messages)


def ended(jobs: JobTable, status: str, **changes: Any) -> FinetuningJob:
    """A job that has ended and whose owner wants to know."""
    return placed(jobs, status, **{"notify_address": OWNER, **changes})


def evaluation(status: str, sentence: str | None = None) -> JobEvaluation:
    """Its first evaluation."""
    return JobEvaluation(
        number=1, status=EvaluationStatus(status), started_at=timestamp(), sentence=sentence, test_set_id=None
    )


@pytest.mark.parametrize("status", ["COMPLETED", "FAILED", "STOPPED"])
def test_an_owner_who_asked_is_told_once(pipeline: Pipeline, jobs: JobTable, status: str) -> None:
    ended(jobs, status, job_name="Müller's Rechnungen")
    for _ in range(2):
        pipeline.run("ReconcileJobs", {})
    (mail,) = sent()
    assert (mail.source, mail.destinations["ToAddresses"]) == (SENDER, [OWNER])
    assert mail.subject == f"Fine-tuning job 'Müller's Rechnungen' is {status}"
    assert job().id in mail.body
    assert messages(jobs) == [f"An e-mail that it has ended was sent to {OWNER}."]
    assert list(jobs.unfinished()) == []


def test_an_owner_who_did_not_ask_is_not_told(pipeline: Pipeline, jobs: JobTable) -> None:
    placed(jobs, "COMPLETED")
    pipeline.run("ReconcileJobs", {})
    assert sent() == []


@pytest.mark.parametrize("status", ["VALIDATING", "GENERATING_DATA", "STOPPING"])
def test_a_job_that_goes_on_is_no_news(
    pipeline: Pipeline, jobs: JobTable, executions: dict[str, str], status: str
) -> None:
    running = ended(jobs, status)
    executions[running.id] = "RUNNING"
    pipeline.run("ReconcileJobs", {})
    assert sent() == []


def test_the_verdict_is_waited_for(pipeline: Pipeline, jobs: JobTable, executions: dict[str, str]) -> None:
    waiting = ended(jobs, "COMPLETED", evaluation=evaluation("RUNNING"))
    executions[waiting.evaluation_name] = "RUNNING"
    pipeline.run("ReconcileJobs", {})
    assert sent() == []
    rewrite(jobs, waiting.id, evaluation=evaluation("COMPLETED", "It is better by 20 points."))
    pipeline.run("ReconcileJobs", {})
    assert "Evaluation: It is better by 20 points." in sent()[0].body


def test_what_may_quote_a_document_is_not_in_the_e_mail(pipeline: Pipeline, jobs: JobTable) -> None:
    ended(
        jobs,
        "FAILED",
        error_stage="VALIDATING",
        error_code="TestSetInvalid",
        error_message="'Ada Lovelace.pdf' has no label.",
    )
    pipeline.run("ReconcileJobs", {})
    assert "Error: TestSetInvalid in VALIDATING" in sent()[0].body
    assert "Lovelace" not in sent()[0].body


def test_the_end_of_a_retry_is_news_again(pipeline: Pipeline, jobs: JobTable) -> None:
    failed = ended(jobs, "FAILED", error_stage="VALIDATING")
    pipeline.run("ReconcileJobs", {})
    again = jobs.resume(failed.current_run, Resumption(stage=JobStatus.VALIDATING), "Retried.")
    rewrite(jobs, again.id, status=JobStatus.STOPPED)
    pipeline.run("ReconcileJobs", {})
    assert [mail.subject.rpartition(" ")[2] for mail in sent()] == ["FAILED", "STOPPED"]


def test_what_ses_refuses_is_in_the_history_and_not_tried_again(
    pipeline: Pipeline, jobs: JobTable, environment: dict[str, str]
) -> None:
    environment["NOTIFICATION_SENDER"] = "nobody@example.org"
    ended(jobs, "COMPLETED")
    for _ in range(2):
        assert pipeline.run("ReconcileJobs", {})["failed"] == []
    (said,) = messages(jobs)
    assert said.startswith(f"No e-mail was sent to {OWNER}. SendEmail returned MessageRejected")


def test_a_throttled_e_mail_is_sent_by_the_next_pass(
    pipeline: Pipeline, jobs: JobTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended(jobs, "COMPLETED")
    throttled = ClientError({"Error": {"Code": "TooManyRequestsException", "Message": "Slow down."}}, "SendEmail")

    def refuse(*_: object) -> None:
        raise throttled

    with monkeypatch.context() as patch:
        patch.setattr("idp_finetuning.adapters.mailer.Mailer.send", refuse)
        assert pipeline.run("ReconcileJobs", {})["failed"] == [f"{job().id}: TransientError"]
    pipeline.run("ReconcileJobs", {})
    assert len(sent()) == 1


def test_a_job_that_is_deleted_at_that_moment_is_no_failure(
    pipeline: Pipeline, jobs: JobTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    doomed = ended(jobs, "COMPLETED")

    def send(*_: object) -> None:
        jobs.move(doomed.current_run, JobStatus.DELETING)
        jobs.delete(doomed)

    monkeypatch.setattr("idp_finetuning.adapters.mailer.Mailer.send", send)
    assert pipeline.run("ReconcileJobs", {})["failed"] == []
    assert list(jobs.ids()) == []


def test_a_deployment_that_sends_no_e_mail_any_more_says_so(
    pipeline: Pipeline, jobs: JobTable, environment: dict[str, str]
) -> None:
    environment["NOTIFICATION_SENDER"] = ""
    ended(jobs, "COMPLETED")
    pipeline.run("ReconcileJobs", {})
    assert messages(jobs) == [f"No e-mail was sent to {OWNER}: this deployment no longer sends any."]
