"""Never unfinished: what ReconcileJobs ends, and what it leaves."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from idp_finetuning.adapters.tables.jobs import JobTable
from idp_finetuning.jobs.job import JobStatus
from idp_finetuning.stages.reconcile import Reconciliation
from tests.idp_finetuning.conftest import client
from tests.support.domain.fake_bedrock import FakeBedrock
from tests.support.domain.pipeline import Pipeline
from tests.support.domain.samples import job
from tests.support.domain.situations import ago, deploying, messages, placed, rewrite, standing, training

FOUR = ["VALIDATING", "GENERATING_DATA", "TRAINING", "DEPLOYING"]


@pytest.mark.parametrize("ended_as", ["ABORTED", "TIMED_OUT", "FAILED", "SUCCEEDED"])
@pytest.mark.parametrize("stage", FOUR)
def test_a_job_whose_workflow_ended_is_ended_and_trains_no_longer(
    pipeline: Pipeline,
    jobs: JobTable,
    fake_bedrock: FakeBedrock,
    executions: dict[str, str],
    stage: str,
    ended_as: str,
) -> None:
    running = standing(jobs, fake_bedrock, stage)
    executions[running.id] = ended_as
    assert pipeline.run("ReconcileJobs", {})["ended"] == [running.id]
    after = jobs.get(running.id)
    assert (after.status, after.error_stage) == ("FAILED", stage)
    assert f"workflow {ended_as}" in str(after.error_message)
    assert "InProgress" not in {found["status"] for found in fake_bedrock.jobs.values()}
    assert pipeline.run("ReconcileJobs", {})["ended"] == []


def test_an_execution_that_was_aborted_ends_its_job_when_it_is_told(
    pipeline: Pipeline, jobs: JobTable, environment: dict[str, str]
) -> None:
    """EventBridge tells of one execution; Step Functions itself says how it ended."""
    placed(jobs, "VALIDATING", job_id=(other := str(uuid4())), created_at=ago(hours=1), stage_started_at=None)
    running = placed(jobs, "GENERATING_DATA", run=2)
    machine = environment["FINETUNING_STATE_MACHINE_ARN"]
    started = client("stepfunctions").start_execution(stateMachineArn=machine, name=running.execution_name)
    event = {"executionName": running.execution_name}
    assert pipeline.run("ReconcileJobs", event)["ended"] == []
    client("stepfunctions").stop_execution(executionArn=started["executionArn"])
    assert pipeline.run("ReconcileJobs", event)["ended"] == [running.id]
    assert jobs.get(running.id).status is JobStatus.FAILED
    assert jobs.get(other).status is JobStatus.VALIDATING


@pytest.mark.parametrize(("minutes", "status"), [(4, "VALIDATING"), (6, "FAILED")])
def test_a_workflow_that_never_started_ends_its_job_after_a_while(
    pipeline: Pipeline, jobs: JobTable, executions: dict[str, str], minutes: int, status: str
) -> None:
    placed(jobs, "VALIDATING", created_at=ago(minutes=minutes), stage_started_at=None)
    pipeline.run("ReconcileJobs", {})
    assert jobs.get(job().id).status == status


def test_a_workflow_of_an_earlier_run_says_nothing_about_a_retried_job(
    pipeline: Pipeline, jobs: JobTable, executions: dict[str, str]
) -> None:
    retried = placed(jobs, "VALIDATING", run=2)
    executions[retried.id] = "FAILED"
    assert pipeline.run("ReconcileJobs", {"executionName": retried.id})["ended"] == []
    assert jobs.get(retried.id).status is JobStatus.VALIDATING


@pytest.mark.parametrize("ended_as", ["FAILED", "ABORTED"])
def test_a_job_that_was_being_stopped_is_stopped_with_its_training(
    pipeline: Pipeline, jobs: JobTable, fake_bedrock: FakeBedrock, executions: dict[str, str], ended_as: str
) -> None:
    running = training(jobs, fake_bedrock)
    jobs.move(running.current_run, JobStatus.STOPPING)
    executions[running.id] = ended_as
    pipeline.run("ReconcileJobs", {})
    assert jobs.get(running.id).status is JobStatus.STOPPED
    assert fake_bedrock.jobs[running.training_name]["status"] == "Stopping"


NOT_STARTED = {"statusDetails": {"trainingDetails": {"status": "NotStarted"}}}
STARTED = {"statusDetails": {"trainingDetails": {"status": "InProgress"}}}


@pytest.mark.parametrize(
    ("status", "hours", "shown", "words"),
    [
        ("VALIDATING", 47, {}, None),
        ("VALIDATING", 49, {}, "Generating training data failed: it has not ended within 48 hours."),
        ("GENERATING_DATA", 49, {}, "Generating training data failed: it has not ended within 48 hours."),
        ("TRAINING", 23, NOT_STARTED, None),
        ("TRAINING", 25, NOT_STARTED, "Training failed: Bedrock has not started training for 24 hours."),
        ("TRAINING", 25, STARTED, None),
        ("TRAINING", 47, STARTED, None),
        ("TRAINING", 49, STARTED, "Training failed: it has not ended within 48 hours."),
        ("DEPLOYING", 3.9, {}, None),
        ("DEPLOYING", 4.1, {}, "Deployment failed: it has not ended within 4 hours."),
    ],
)
def test_a_stage_ends_at_its_deadline_and_not_before(
    pipeline: Pipeline,
    jobs: JobTable,
    fake_bedrock: FakeBedrock,
    executions: dict[str, str],
    status: str,
    hours: float,
    shown: dict[str, Any],
    words: str | None,
) -> None:
    running = standing(jobs, fake_bedrock, status)
    rewrite(jobs, running.id, stage_started_at=ago(hours=hours))
    for customization in fake_bedrock.jobs.values():
        customization |= shown
    executions[running.id] = "RUNNING"
    pipeline.run("ReconcileJobs", {})
    after = jobs.get(running.id)
    if words is None:
        assert (after.status, after.error_message) == (status, None)
        return
    assert (after.status, after.error_stage, after.error_code) == ("FAILED", status, "DeadlinePassed")
    assert str(after.error_message).startswith(words)
    assert "Retry the job" in str(after.error_message)
    assert all(c["status"] != "InProgress" for c in fake_bedrock.jobs.values())


@pytest.mark.parametrize(("minutes", "status"), [(55, "STOPPING"), (65, "STOPPED")])
def test_a_job_that_its_workflow_does_not_stop_is_stopped_after_an_hour(
    pipeline: Pipeline,
    jobs: JobTable,
    fake_bedrock: FakeBedrock,
    executions: dict[str, str],
    minutes: int,
    status: str,
) -> None:
    running = training(jobs, fake_bedrock)
    jobs.move(running.current_run, JobStatus.STOPPING)
    rewrite(jobs, running.id, stage_started_at=ago(minutes=minutes))
    executions[running.id] = "RUNNING"
    assert pipeline.run("ReconcileJobs", {})["ended"] == ([running.id] if status == "STOPPED" else [])
    after = jobs.get(running.id)
    assert (after.status, after.error_code) == (status, None)
    if status == "STOPPED":
        assert fake_bedrock.jobs[running.training_name]["status"] == "Stopping"


def test_a_deletion_that_ended_is_started_again_and_one_that_runs_is_not(
    pipeline: Pipeline, jobs: JobTable, executions: dict[str, str], environment: dict[str, str]
) -> None:
    def deletions() -> list[str]:
        machine = environment["DELETION_STATE_MACHINE_ARN"]
        found = client("stepfunctions").list_executions(stateMachineArn=machine)["executions"]
        return [execution["name"] for execution in found]

    doomed = placed(jobs, "DELETING", deletion_attempt=1, updated_at=ago(minutes=6))
    executions[doomed.deletion_name] = "RUNNING"
    assert pipeline.run("ReconcileJobs", {})["ended"] == []
    assert deletions() == []
    executions[doomed.deletion_name] = "FAILED"
    pipeline.run("ReconcileJobs", {})
    assert deletions() == [f"{doomed.id}-deletion-2"]
    pipeline.run("ReconcileJobs", {})
    assert deletions() == [f"{doomed.id}-deletion-2"]
    assert messages(jobs) == ["Deletion starts anew."]


def test_a_job_that_cannot_be_looked_at_does_not_keep_the_others(
    pipeline: Pipeline, jobs: JobTable, executions: dict[str, str]
) -> None:
    ids = [str(uuid4()) for _ in range(3)]
    for number, (job_id, status) in enumerate(zip(ids, ["throttled", "ABORTED", "ABORTED"], strict=True)):
        placed(jobs, "GENERATING_DATA", job_id=job_id, created_at=ago(hours=3 - number))
        executions[job_id] = status
    outcome = pipeline.run("ReconcileJobs", {})
    assert (outcome["ended"], outcome["failed"]) == (ids[1:], [f"{ids[0]}: TransientError"])
    executions[ids[0]] = "FAILED"
    assert pipeline.run("ReconcileJobs", {})["ended"] == ids[:1]


def test_a_job_that_completes_while_it_is_looked_at_stays_completed(
    pipeline: Pipeline, jobs: JobTable, fake_bedrock: FakeBedrock, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = deploying(jobs, fake_bedrock, "Active")

    def describe(**_: str) -> dict[str, str]:
        jobs.move(running.current_run, JobStatus.COMPLETED)
        return {"status": "SUCCEEDED"}

    monkeypatch.setattr(client("stepfunctions"), "describe_execution", describe, raising=False)
    outcome = pipeline.run("ReconcileJobs", {})
    assert (outcome["ended"], outcome["failed"]) == ([], [])
    assert jobs.get(running.id).status is JobStatus.COMPLETED


def test_operators_read_which_jobs_failed_a_pass_and_under_which_code() -> None:
    shown = Reconciliation(failed=("a: TransientError", "b: AwsCallRefused"), removed_data=("c",)).for_operators()
    assert (shown["jobs_failed"], shown["failures"]) == (2, ("a: TransientError", "b: AwsCallRefused"))
    assert (shown["orphans_found"], shown["data_removed"]) == (0, 1)
