"""Never unfinished: what ReconcileJobs ends, what it leaves, and what it reports."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from idp_finetuning.adapters.job_table import JobTable
from idp_finetuning.jobs import FinetuningJob, JobStatus
from idp_finetuning.names import bedrock_name
from idp_finetuning.stages.deploy import deployment_name
from idp_finetuning.stages.train import training_name
from tests.idp_finetuning.conftest import client
from tests.idp_finetuning.fake_bedrock import PREFIX, FakeBedrock, client_error
from tests.idp_finetuning.samples import job
from tests.idp_finetuning.stages.pipeline import Pipeline
from tests.idp_finetuning.stages.situations import ago, deploying, placed, standing, told, trained, training

FOUR = ["VALIDATING", "GENERATING_DATA", "TRAINING", "DEPLOYING"]
TAG = [{"key": "idp-finetuning:job-id", "value": "someone"}]


@pytest.fixture
def executions(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Status by name; what is not in it does not exist."""
    known: dict[str, str] = {}

    def describe(executionArn: str) -> dict[str, str]:  # noqa: N803
        name = executionArn.rpartition(":")[2]
        if name not in known:
            raise client_error("DescribeExecution", "ExecutionDoesNotExist")
        if known[name] == "throttled":
            raise client_error("DescribeExecution", "ThrottlingException")
        return {"status": known[name]}

    monkeypatch.setattr(client("stepfunctions"), "describe_execution", describe, raising=False)
    return known


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
    assert fake_bedrock.jobs[training_name(running)]["status"] == "Stopping"


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
    jobs.move(running.current_run, JobStatus(status), stage_started_at=ago(hours=hours))
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
    assert told(jobs) == ["Deletion starts anew."]


def test_a_job_that_cannot_be_looked_at_does_not_keep_the_others(
    pipeline: Pipeline, jobs: JobTable, executions: dict[str, str]
) -> None:
    ids = [str(uuid4()) for _ in range(3)]
    for number, (job_id, status) in enumerate(zip(ids, ["throttled", "ABORTED", "ABORTED"], strict=True)):
        placed(jobs, "GENERATING_DATA", job_id=job_id, created_at=ago(hours=3 - number))
        executions[job_id] = status
    outcome = pipeline.run("ReconcileJobs", {})
    assert (outcome["ended"], outcome["failed"]) == (ids[1:], 1)
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
    assert (outcome["ended"], outcome["failed"]) == ([], 0)
    assert jobs.get(running.id).status is JobStatus.COMPLETED


def orphans_of(fake_bedrock: FakeBedrock) -> list[str]:
    """A customization job, a model and a deployment tagged as ours, of jobs nobody knows."""
    bedrock_names = [bedrock_name("lost", str(uuid4()), "training", 1) for _ in range(2)]
    for name in bedrock_names:
        fake_bedrock.create_model_customization_job(
            jobName=name,
            customModelName=name,
            roleArn="arn:aws:iam::123456789012:role/bedrock",
            baseModelIdentifier="amazon.nova-lite-v1:0:300k",
            jobTags=TAG,
            customModelTags=TAG,
            trainingDataConfig={"s3Uri": "s3://data/train.jsonl"},
            outputDataConfig={"s3Uri": "s3://data/output/"},
        )
    model = fake_bedrock.train(bedrock_names[1])
    deployed = bedrock_name("lost", str(uuid4()), "deployment", 1)
    fake_bedrock.create_custom_model_deployment(modelDeploymentName=deployed, modelArn=model, tags=TAG)
    return [f"customization job {bedrock_names[0]}", f"custom model {bedrock_names[1]}", f"deployment {deployed}"]


def test_what_no_job_owns_is_named_and_left_as_it_is(pipeline: Pipeline, fake_bedrock: FakeBedrock) -> None:
    expected = orphans_of(fake_bedrock)
    assert pipeline.run("ReconcileJobs", {})["orphans"] == expected
    assert not [call for call in fake_bedrock.calls if call.startswith(("Stop", "Delete"))]


def test_what_is_not_tagged_as_ours_or_was_just_created_is_not_named(
    pipeline: Pipeline, fake_bedrock: FakeBedrock
) -> None:
    orphans_of(fake_bedrock)
    for found in fake_bedrock.jobs.values():
        found["creationTime"] = datetime.now(UTC)
    for found in fake_bedrock.deployments.values():
        fake_bedrock.tags[found["customModelDeploymentArn"]] = [{"key": "owner", "value": "them"}]
    (model,) = fake_bedrock.models.values()
    del fake_bedrock.tags[model]  # gone between the list and the question for its tags
    assert pipeline.run("ReconcileJobs", {})["orphans"] == []


def test_a_foreign_model_of_any_name_is_not_even_asked_for_its_tags(
    pipeline: Pipeline, fake_bedrock: FakeBedrock
) -> None:
    arn = f"{PREFIX}custom-model/amazon.nova-lite-v1:0:300k/00000000000f"
    fake_bedrock.models["their-classifier-t1"] = arn
    fake_bedrock.create_custom_model_deployment(modelDeploymentName="theirs", modelArn=arn, tags=TAG)
    assert pipeline.run("ReconcileJobs", {})["orphans"] == []
    assert "ListTagsForResource" not in fake_bedrock.calls


@pytest.mark.parametrize("status", ["FAILED", "STOPPED"])
def test_training_of_an_ended_job_is_stopped(
    pipeline: Pipeline, jobs: JobTable, fake_bedrock: FakeBedrock, status: str
) -> None:
    running = training(jobs, fake_bedrock)
    _end(jobs, running, status)
    assert pipeline.run("ReconcileJobs", {})["stoppedTraining"] == [training_name(running)]
    assert fake_bedrock.jobs[training_name(running)]["status"] == "Stopping"
    assert pipeline.run("ReconcileJobs", {})["stoppedTraining"] == []


def test_what_a_job_owns_is_neither_stopped_nor_named(
    pipeline: Pipeline, jobs: JobTable, fake_bedrock: FakeBedrock, executions: dict[str, str]
) -> None:
    completed = deploying(jobs, fake_bedrock, "Active")
    jobs.move(completed.current_run, JobStatus.COMPLETED)
    other = training(jobs, fake_bedrock, job_id=str(uuid4()))
    executions[other.id] = "RUNNING"
    outcome = pipeline.run("ReconcileJobs", {})
    assert (outcome["orphans"], outcome["stoppedTraining"]) == ([], [])


def test_a_failed_deployment_that_a_later_attempt_left_behind_is_named(
    pipeline: Pipeline, jobs: JobTable, fake_bedrock: FakeBedrock
) -> None:
    left = deploying(jobs, fake_bedrock, "Failed")
    jobs.move(left.current_run, JobStatus.DEPLOYING, deployment_attempt=2)
    _end(jobs, left, "FAILED")
    assert pipeline.run("ReconcileJobs", {})["orphans"] == [f"deployment {deployment_name(left)}"]


def _end(jobs: JobTable, running: FinetuningJob, status: str) -> None:
    if status == "STOPPED":
        jobs.move(running.current_run, JobStatus.STOPPING)
    jobs.move(running.current_run, JobStatus(status))


def test_a_model_is_not_taken_from_a_job_that_failed_after_training(
    pipeline: Pipeline, jobs: JobTable, fake_bedrock: FakeBedrock
) -> None:
    paid = trained(jobs, fake_bedrock)
    _end(jobs, paid, "FAILED")
    outcome = pipeline.run("ReconcileJobs", {})
    assert (outcome["orphans"], outcome["stoppedTraining"]) == ([], [])
