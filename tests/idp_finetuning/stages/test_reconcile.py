"""Never unfinished: what ReconcileJobs ends, and what it leaves."""

from __future__ import annotations

import threading
from typing import Any
from uuid import uuid4

import pytest

from idp_finetuning.adapters.tables.jobs import JobTable
from idp_finetuning.jobs import life
from idp_finetuning.jobs.job import JobStatus
from idp_finetuning.stages.reconcile import PARALLEL_JOBS, Reconciliation
from tests.idp_finetuning.conftest import client
from tests.support.domain.endings import started
from tests.support.domain.fake_bedrock import FakeBedrock
from tests.support.domain.pipeline import Pipeline
from tests.support.domain.samples import job
from tests.support.domain.situations import ago, deploying, messages, placed, rewrite, standing, training

FOUR = ["VALIDATING", "GENERATING_DATA", "TRAINING", "DEPLOYING"]


def runs(environment: dict[str, str]) -> list[tuple[str, int, str]]:
    """Name, run and stage of each execution that was started, the first one first."""
    found = [(name, given["number"], given["startAt"]) for name, given in started(environment)]
    return sorted(found, key=lambda run: run[1])


@pytest.mark.parametrize("ended_as", ["ABORTED", "TIMED_OUT", "FAILED", "SUCCEEDED"])
@pytest.mark.parametrize("stage", FOUR)
def test_a_lost_workflow_is_started_again_at_its_stage_and_stops_nothing(
    pipeline: Pipeline,
    jobs: JobTable,
    fake_bedrock: FakeBedrock,
    executions: dict[str, str],
    environment: dict[str, str],
    stage: str,
    ended_as: str,
) -> None:
    running = standing(jobs, fake_bedrock, stage)
    executions[running.id] = ended_as
    outcome = pipeline.run("ReconcileJobs", {})
    assert (outcome["restarted"], outcome["ended"]) == ([running.id], [])
    after = jobs.get(running.id)
    again = stage if stage in ("TRAINING", "DEPLOYING") else "VALIDATING"
    assert (after.status, after.run, after.training_attempt) == (again, 2, running.training_attempt)
    assert runs(environment) == [(f"{running.id}-run-2", 2, again)]
    assert messages(jobs)[-1] == f"Its workflow {ended_as}. Started again at {again}, run 2."
    executions[after.execution_name] = "RUNNING"
    assert pipeline.run("ReconcileJobs", {})["restarted"] == []
    assert "StopModelCustomizationJob" not in fake_bedrock.calls


@pytest.mark.parametrize("stage", ["VALIDATING", "GENERATING_DATA"])
def test_before_training_a_workflow_is_started_again_twice_and_then_its_job_fails(
    pipeline: Pipeline, jobs: JobTable, executions: dict[str, str], stage: str
) -> None:
    placed(jobs, stage)
    for run in (1, 2):
        executions[jobs.get(job().id).execution_name] = "ABORTED"
        assert pipeline.run("ReconcileJobs", {"grace": {"restart": 0}})["restarted"] == [job().id]
        assert jobs.get(job().id).run == run + 1
        if stage == "GENERATING_DATA":
            jobs.move(jobs.get(job().id).current_run, JobStatus.GENERATING_DATA)
    executions[jobs.get(job().id).execution_name] = "ABORTED"
    assert pipeline.run("ReconcileJobs", {"grace": {"restart": 0}})["ended"] == [job().id]
    after = jobs.get(job().id)
    assert (after.status, after.error_stage) == ("FAILED", stage)
    assert "workflow ABORTED" in str(after.error_message)


@pytest.mark.parametrize("stage", ["TRAINING", "DEPLOYING"])
@pytest.mark.parametrize(("restarts", "minutes"), [(1, 5), (2, 10), (3, 20), (4, 40), (5, 60), (30, 60)])
def test_in_bedrocks_stages_the_pause_between_restarts_doubles_up_to_an_hour(
    pipeline: Pipeline,
    jobs: JobTable,
    fake_bedrock: FakeBedrock,
    executions: dict[str, str],
    stage: str,
    restarts: int,
    minutes: int,
) -> None:
    running = standing(jobs, fake_bedrock, stage)
    executions[running.id] = "FAILED"
    rewrite(jobs, running.id, restarts=restarts, restarted_at=ago(minutes=minutes - 1))
    assert pipeline.run("ReconcileJobs", {})["restarted"] == []
    rewrite(jobs, running.id, restarted_at=ago(minutes=minutes + 1))
    assert pipeline.run("ReconcileJobs", {})["restarted"] == [running.id]
    assert jobs.get(running.id).stage_started_at == running.stage_started_at


@pytest.mark.parametrize("restarts", [0, 2])
def test_a_lost_workflow_is_not_started_again_after_the_deadline(
    pipeline: Pipeline, jobs: JobTable, fake_bedrock: FakeBedrock, executions: dict[str, str], restarts: int
) -> None:
    running = training(jobs, fake_bedrock)
    rewrite(jobs, running.id, stage_started_at=ago(hours=49), restarts=restarts)
    executions[running.id] = "ABORTED"
    assert pipeline.run("ReconcileJobs", {})["ended"] == [running.id]
    assert jobs.get(running.id).error_code == "DeadlinePassed"
    assert fake_bedrock.jobs[running.training_name]["status"] == "Stopping"


@pytest.mark.parametrize("code", ["ThrottlingException", "AccessDeniedException"])
def test_a_deadline_ends_a_job_even_if_bedrock_cannot_be_asked(
    pipeline: Pipeline, jobs: JobTable, fake_bedrock: FakeBedrock, executions: dict[str, str], code: str
) -> None:
    running = training(jobs, fake_bedrock)
    rewrite(jobs, running.id, stage_started_at=ago(hours=49))
    executions[running.id] = "RUNNING"
    fake_bedrock.failures["GetModelCustomizationJob"] = [code]
    fake_bedrock.failures["StopModelCustomizationJob"] = [code]
    outcome = pipeline.run("ReconcileJobs", {})
    assert (outcome["ended"], outcome["failed"]) == ([running.id], [])
    assert jobs.get(running.id).status is JobStatus.FAILED
    assert fake_bedrock.jobs[running.training_name]["status"] == "Stopping"  # by the sweep of the same pass


def test_an_aborted_execution_is_replaced_when_its_end_is_reported(
    pipeline: Pipeline, jobs: JobTable, environment: dict[str, str]
) -> None:
    """EventBridge tells of one execution; Step Functions itself says how it ended."""
    placed(jobs, "VALIDATING", job_id=(other := str(uuid4())), created_at=ago(hours=1), stage_started_at=None)
    running = placed(jobs, "GENERATING_DATA", run=2)
    machine = environment["FINETUNING_STATE_MACHINE_ARN"]
    first = client("stepfunctions").start_execution(stateMachineArn=machine, name=running.execution_name)
    event = {"executionName": running.execution_name}
    assert pipeline.run("ReconcileJobs", event)["restarted"] == []
    client("stepfunctions").stop_execution(executionArn=first["executionArn"])
    assert pipeline.run("ReconcileJobs", event)["restarted"] == [running.id]
    assert (jobs.get(running.id).status, jobs.get(running.id).run) == ("VALIDATING", 3)
    assert (jobs.get(other).status, jobs.get(other).run) == ("VALIDATING", 1)


@pytest.mark.parametrize(("minutes", "restarted"), [(4, []), (6, [job().id])])
def test_a_workflow_that_never_started_is_started_after_a_while_as_the_run_it_is(
    pipeline: Pipeline,
    jobs: JobTable,
    executions: dict[str, str],
    environment: dict[str, str],
    minutes: int,
    restarted: list[str],
) -> None:
    placed(jobs, "VALIDATING", created_at=ago(minutes=minutes), stage_started_at=None)
    assert pipeline.run("ReconcileJobs", {})["restarted"] == restarted
    assert (jobs.get(job().id).status, jobs.get(job().id).run) == ("VALIDATING", 1)
    assert runs(environment) == [(job_id, 1, "VALIDATING") for job_id in restarted]


def test_a_workflow_of_an_earlier_run_says_nothing_about_a_retried_job(
    pipeline: Pipeline, jobs: JobTable, executions: dict[str, str]
) -> None:
    retried = placed(jobs, "VALIDATING", run=2)
    executions[retried.id] = "FAILED"
    assert pipeline.run("ReconcileJobs", {"executionName": retried.id})["restarted"] == []
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


def test_an_evaluation_without_an_execution_gets_one_and_one_whose_execution_was_lost_has_failed(
    pipeline: Pipeline, jobs: JobTable, executions: dict[str, str], environment: dict[str, str]
) -> None:
    deploying = placed(jobs, "DEPLOYING")
    job = jobs.update(deploying.id, lambda found: life.complete(found, deploying.current_run))  # and then it dies
    assert list(jobs.unfinished()) == [job.id]
    pipeline.run("ReconcileJobs", {})  # it may be about to start it
    machine = environment["EVALUATION_STATE_MACHINE_ARN"]
    assert client("stepfunctions").list_executions(stateMachineArn=machine)["executions"] == []
    rewrite(jobs, job.id, updated_at=ago(minutes=6))
    pipeline.run("ReconcileJobs", {})
    (started,) = client("stepfunctions").list_executions(stateMachineArn=machine)["executions"]
    assert started["name"] == f"{job.id}-evaluation-1"
    executions[job.evaluation_name] = "TIMED_OUT"
    pipeline.run("ReconcileJobs", {}, times=2)
    after = jobs.get(job.id)
    assert after.evaluation
    assert (after.status, after.evaluation.status) == ("COMPLETED", "FAILED")
    assert "TIMED_OUT" in str(after.evaluation.error_message)
    assert list(jobs.unfinished()) == []


def test_a_job_that_cannot_be_looked_at_does_not_keep_the_others(
    pipeline: Pipeline, jobs: JobTable, executions: dict[str, str]
) -> None:
    ids = [str(uuid4()) for _ in range(3)]
    for number, (job_id, status) in enumerate(zip(ids, ["throttled", "ABORTED", "ABORTED"], strict=True)):
        placed(jobs, "GENERATING_DATA", job_id=job_id, created_at=ago(hours=3 - number))
        executions[job_id] = status
    outcome = pipeline.run("ReconcileJobs", {})
    assert (outcome["restarted"], outcome["failed"]) == (ids[1:], [f"{ids[0]}: TransientError"])
    executions[ids[0]] = "FAILED"
    for job_id in ids[1:]:
        executions[f"{job_id}-run-2"] = "RUNNING"
    assert pipeline.run("ReconcileJobs", {})["restarted"] == ids[:1]


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


def test_jobs_are_looked_at_side_by_side(pipeline: Pipeline, jobs: JobTable, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(PARALLEL_JOBS):
        jobs.create(job(str(number), status=JobStatus.TRAINING), None, "")
    all_there = threading.Barrier(PARALLEL_JOBS, timeout=10)

    def describe(**_: str) -> dict[str, str]:
        all_there.wait()
        return {"status": "RUNNING"}

    monkeypatch.setattr(client("stepfunctions"), "describe_execution", describe, raising=False)
    assert pipeline.run("ReconcileJobs", {})["failed"] == []
