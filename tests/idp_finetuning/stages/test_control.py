"""What people ask of a job: stop it, retry it, delete it, at every stage and in every race."""

from __future__ import annotations

import json
from typing import Any

import pytest

from idp_finetuning.adapters.buckets import DataBucket
from idp_finetuning.adapters.job_table import JobTable
from idp_finetuning.adapters.workflows import Workflow
from idp_finetuning.errors import DeploymentFailed, FinetuningError, JobNotFound, JobStopping, TransientError
from idp_finetuning.jobs import FinetuningJob, JobStatus
from idp_finetuning.stages.deploy import deployment_name
from idp_finetuning.stages.train import training_name
from tests.idp_finetuning.conftest import client
from tests.idp_finetuning.fake_bedrock import FakeBedrock
from tests.idp_finetuning.operations.api import ApiError
from tests.idp_finetuning.samples import job
from tests.idp_finetuning.stages.pipeline import Pipeline
from tests.idp_finetuning.stages.situations import deploying, placed, standing, told, trained, training

ID = job().id
RUN = job().current_run.to_wire()
FOUR = ["VALIDATING", "GENERATING_DATA", "TRAINING", "DEPLOYING"]
NEXT = {
    "VALIDATING": "ValidateTestSet",
    "GENERATING_DATA": "AssembleDataset",
    "TRAINING": "GetCustomizationJob",
    "DEPLOYING": "GetModelDeployment",
}


def caught(error: FinetuningError, run: int = 1) -> dict[str, Any]:
    """What the workflow's Catch hands to EndJob."""
    return RUN | {"run": run, "error": {"Error": error.code, "Cause": json.dumps({"errorMessage": error.message})}}


def end(pipeline: Pipeline, function: str, run: int = 1) -> dict[str, Any]:
    """Runs a stage that fails, and then EndJob as the workflow does; the answer is EndJob's."""
    with pytest.raises(FinetuningError) as failed:
        pipeline.run(function, RUN | {"run": run})
    answer: dict[str, Any] = pipeline.run("EndJob", caught(failed.value, run), times=2)
    return answer


def started(environment: dict[str, str], machine: str = "FINETUNING") -> list[tuple[str, dict[str, Any]]]:
    """Name and input of each execution."""
    stepfunctions = client("stepfunctions")
    found = stepfunctions.list_executions(stateMachineArn=environment[f"{machine}_STATE_MACHINE_ARN"])["executions"]
    described = [stepfunctions.describe_execution(executionArn=item["executionArn"]) for item in found]
    return [(item["name"], json.loads(item["input"])) for item in described]


# ---- stop


@pytest.mark.parametrize("stage", FOUR)
def test_a_job_is_stopped_at_every_stage_and_asking_twice_is_fine(
    pipeline: Pipeline, jobs: JobTable, fake_bedrock: FakeBedrock, stage: str
) -> None:
    standing(jobs, fake_bedrock, stage)
    first = pipeline.ask("stopFinetuningJob", jobId=ID)
    assert (first["status"], first["errorStage"]) == ("STOPPING", stage)
    assert pipeline.ask("stopFinetuningJob", jobId=ID)["status"] == "STOPPING"
    if stage == "TRAINING":
        assert fake_bedrock.jobs[training_name(jobs.get(ID))]["status"] == "Stopping"
    end(pipeline, NEXT[stage])
    after = jobs.get(ID)
    assert (after.status, after.error_stage, after.error_message) == ("STOPPED", stage, None)
    assert told(jobs)[-2:] == ["author@example.com asked to stop the job.", "The job is stopped."]
    assert list(jobs.unfinished()) == []


@pytest.mark.parametrize("status", ["COMPLETED", "FAILED", "STOPPED", "DELETING"])
def test_a_job_that_has_ended_is_not_stopped(pipeline: Pipeline, jobs: JobTable, status: str) -> None:
    before = placed(jobs, status)
    with pytest.raises(ApiError, match=f"Conflict: Job '{ID}' is {status}; only a running job can be stopped"):
        pipeline.ask("stopFinetuningJob", jobId=ID)
    assert jobs.get(ID) == before


@pytest.mark.parametrize("first", ["stop", "completion"])
def test_a_stop_that_races_with_completion_has_one_winner(
    pipeline: Pipeline, jobs: JobTable, fake_bedrock: FakeBedrock, monkeypatch: pytest.MonkeyPatch, first: str
) -> None:
    running = deploying(jobs, fake_bedrock, "Active")
    if first == "stop":
        pipeline.ask("stopFinetuningJob", jobId=ID)
        end(pipeline, "CompleteJob")
        assert jobs.get(ID).status is JobStatus.STOPPED
        return
    get = JobTable.get
    states = iter([running])
    monkeypatch.setattr(JobTable, "get", lambda self, job_id: next(states, None) or get(self, job_id))
    jobs.move(running.current_run, JobStatus.COMPLETED)
    with pytest.raises(ApiError, match=r"Conflict: .* ended just before it could be stopped"):
        pipeline.ask("stopFinetuningJob", jobId=ID)
    assert jobs.get(ID).status is JobStatus.COMPLETED


def test_a_stop_whose_call_to_bedrock_fails_is_finished_by_the_workflow(
    pipeline: Pipeline, jobs: JobTable, fake_bedrock: FakeBedrock
) -> None:
    training(jobs, fake_bedrock)
    fake_bedrock.failures["StopModelCustomizationJob"] = ["ThrottlingException"]
    with pytest.raises(ApiError, match="TransientError"):
        pipeline.ask("stopFinetuningJob", jobId=ID)
    end(pipeline, "GetCustomizationJob")
    assert jobs.get(ID).status is JobStatus.STOPPED
    assert fake_bedrock.jobs[training_name(jobs.get(ID))]["status"] == "Stopping"


def test_a_failing_job_stops_its_training_first_and_a_stop_asked_for_then_wins(
    pipeline: Pipeline, jobs: JobTable, fake_bedrock: FakeBedrock, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = training(jobs, fake_bedrock)

    def asked(call: Any) -> Any:
        if jobs.get(ID).status is JobStatus.TRAINING:
            jobs.move(running.current_run, JobStatus.STOPPING)
        return call()

    monkeypatch.setattr(fake_bedrock, "before_call", asked)
    pipeline.run("EndJob", caught(TransientError("Throttled.")))
    assert jobs.get(ID).status is JobStatus.STOPPED
    assert fake_bedrock.jobs[training_name(running)]["status"] == "Stopping"


def test_a_job_is_not_failed_while_its_training_cannot_be_stopped(
    pipeline: Pipeline, jobs: JobTable, fake_bedrock: FakeBedrock
) -> None:
    running = training(jobs, fake_bedrock)
    fake_bedrock.failures["StopModelCustomizationJob"] = ["ThrottlingException"]
    with pytest.raises(TransientError):
        pipeline.run("EndJob", caught(TransientError("Throttled.")))
    assert jobs.get(ID).status is JobStatus.TRAINING
    pipeline.run("EndJob", caught(TransientError("Throttled.")))
    assert jobs.get(ID).status is JobStatus.FAILED
    assert fake_bedrock.jobs[training_name(running)]["status"] == "Stopping"


# ---- retry


def test_a_failed_deployment_is_retried_under_the_next_name_without_training_again(
    pipeline: Pipeline, jobs: JobTable, fake_bedrock: FakeBedrock, environment: dict[str, str]
) -> None:
    first = deploying(jobs, fake_bedrock, "Failed")
    end(pipeline, "GetModelDeployment")
    resumed = pipeline.ask("retryFinetuningJob", jobId=ID)
    assert (resumed["status"], resumed["run"], resumed["errorMessage"]) == ("DEPLOYING", 2, None)
    ((name, given),) = started(environment)
    assert name == f"{ID}-run-2"
    assert (given["jobId"], given["run"], given["startAt"]) == (ID, 2, "DEPLOYING")

    run = RUN | {"run": 2}
    calls = len(fake_bedrock.calls)
    pipeline.run("CreateModelDeployment", run, times=2)
    changes = [call for call in fake_bedrock.calls[calls:] if not call.startswith("Get")]
    assert changes == ["DeleteCustomModelDeployment", "CreateCustomModelDeployment"]
    (name,) = fake_bedrock.deployments
    assert name == deployment_name(jobs.get(ID)) != deployment_name(first)
    assert fake_bedrock.deployments[name]["modelArn"] == first.custom_model_arn
    fake_bedrock.deployments[name]["status"] = "Active"
    assert pipeline.run("GetModelDeployment", run) == {"status": "Active"}
    pipeline.run("CompleteJob", run)
    assert jobs.get(ID).status is JobStatus.COMPLETED
    assert len(fake_bedrock.jobs) == 1


def test_a_deployment_that_goes_on_is_adopted(pipeline: Pipeline, jobs: JobTable, fake_bedrock: FakeBedrock) -> None:
    first = deploying(jobs, fake_bedrock)
    pipeline.ask("stopFinetuningJob", jobId=ID)
    end(pipeline, "GetModelDeployment")
    pipeline.ask("retryFinetuningJob", jobId=ID)
    pipeline.run("CreateModelDeployment", RUN | {"run": 2})
    assert list(fake_bedrock.deployments) == [deployment_name(first)]
    assert jobs.get(ID).custom_model_deployment_arn == first.custom_model_deployment_arn


@pytest.mark.parametrize("bedrock_status", ["Failed", "Stopping", "Stopped"])
def test_training_that_ended_badly_is_submitted_again_under_the_next_name(
    pipeline: Pipeline, jobs: JobTable, fake_bedrock: FakeBedrock, bedrock_status: str
) -> None:
    first = training(jobs, fake_bedrock)
    pipeline.ask("stopFinetuningJob", jobId=ID)
    end(pipeline, "GetCustomizationJob")
    fake_bedrock.jobs[training_name(first)]["status"] = bedrock_status
    resumed = pipeline.ask("retryFinetuningJob", jobId=ID)
    assert (resumed["status"], resumed["customizationJobArn"]) == ("TRAINING", None)
    pipeline.run("CreateCustomizationJob", RUN | {"run": 2}, times=2)
    after = jobs.get(ID)
    assert list(fake_bedrock.jobs) == [training_name(first), training_name(after)]
    assert after.customization_job_arn == fake_bedrock.jobs[training_name(after)]["jobArn"]
    assert after.training_attempt == 2


@pytest.mark.parametrize("bedrock_status", ["InProgress", "Completed"])
def test_training_that_went_on_is_adopted_and_not_submitted_again(
    pipeline: Pipeline, jobs: JobTable, fake_bedrock: FakeBedrock, bedrock_status: str
) -> None:
    first = training(jobs, fake_bedrock)
    jobs.move(first.current_run, JobStatus.FAILED, error_stage=JobStatus.TRAINING)
    if bedrock_status == "Completed":
        fake_bedrock.train(training_name(first))
    pipeline.ask("retryFinetuningJob", jobId=ID)
    pipeline.run("CreateCustomizationJob", RUN | {"run": 2})
    assert pipeline.run("GetCustomizationJob", RUN | {"run": 2}) == {"status": bedrock_status}
    assert fake_bedrock.calls.count("CreateModelCustomizationJob") == 1


def test_training_that_bedrock_refused_is_submitted_again_under_its_name(
    pipeline: Pipeline, jobs: JobTable, fake_bedrock: FakeBedrock
) -> None:
    placed(jobs, "GENERATING_DATA")
    fake_bedrock.failures["CreateModelCustomizationJob"] = ["ServiceQuotaExceededException"]
    end(pipeline, "CreateCustomizationJob")
    assert pipeline.ask("retryFinetuningJob", jobId=ID)["status"] == "TRAINING"
    pipeline.run("CreateCustomizationJob", RUN | {"run": 2})
    assert list(fake_bedrock.jobs) == [training_name(job())]


@pytest.mark.parametrize("stage", ["VALIDATING", "GENERATING_DATA"])
def test_a_job_without_a_usable_data_set_starts_from_the_beginning(
    pipeline: Pipeline, jobs: JobTable, environment: dict[str, str], stage: str
) -> None:
    placed(jobs, "FAILED", error_stage=stage, error_code="DatasetUnusable", error_message="Too few.")
    resumed = pipeline.ask("retryFinetuningJob", jobId=ID)
    assert (resumed["status"], resumed["documents"], resumed["errorCode"]) == ("VALIDATING", None, None)
    assert [(given["run"], given["startAt"]) for _, given in started(environment)] == [(2, "VALIDATING")]
    assert list(jobs.unfinished()) == [ID]


def test_training_submitted_while_a_stop_noted_the_stage_before_is_not_found_again_as_stopped(
    pipeline: Pipeline, jobs: JobTable, fake_bedrock: FakeBedrock
) -> None:
    running = training(jobs, fake_bedrock)
    jobs.move(running.current_run, JobStatus.STOPPING, error_stage=JobStatus.GENERATING_DATA)
    end(pipeline, "GetCustomizationJob")
    resumed = pipeline.ask("retryFinetuningJob", jobId=ID)
    assert resumed["status"] == "TRAINING"
    assert jobs.get(ID).training_attempt == 2


@pytest.mark.parametrize("error_stage", ["VALIDATING", "TRAINING"])
def test_a_retry_whose_workflow_does_not_start_leaves_the_job_failed(
    pipeline: Pipeline, jobs: JobTable, monkeypatch: pytest.MonkeyPatch, error_stage: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise TransientError("throttled")

    placed(jobs, "FAILED", error_stage=error_stage)
    monkeypatch.setattr(Workflow, "start", fail)
    with pytest.raises(ApiError, match="TransientError"):
        pipeline.ask("retryFinetuningJob", jobId=ID)
    after = jobs.get(ID)
    assert (after.status, after.error_stage, after.run) == ("FAILED", error_stage, 2)
    assert "could not be started. Retry the job." in str(after.error_message)
    monkeypatch.undo()


@pytest.mark.parametrize("status", [*FOUR, "COMPLETED", "STOPPING", "DELETING"])
def test_only_a_failed_or_stopped_job_is_retried(
    pipeline: Pipeline, jobs: JobTable, environment: dict[str, str], status: str
) -> None:
    before = placed(jobs, status)
    with pytest.raises(ApiError, match=r"Conflict: .* only a FAILED or STOPPED job can be retried"):
        pipeline.ask("retryFinetuningJob", jobId=ID)
    assert jobs.get(ID) == before
    assert started(environment) == []


def test_the_history_names_who_stopped_retried_and_deleted(
    pipeline: Pipeline, jobs: JobTable, fake_bedrock: FakeBedrock
) -> None:
    training(jobs, fake_bedrock)
    pipeline.ask("stopFinetuningJob", jobId=ID)
    end(pipeline, "GetCustomizationJob")
    pipeline.ask("retryFinetuningJob", jobId=ID)
    pipeline.run("EndJob", caught(TransientError("Throttled."), run=2))
    pipeline.ask("deleteFinetuningJob", jobId=ID)
    events = pipeline.ask("listFinetuningJobEvents", jobId=ID)["items"]
    types = [event["type"] for event in reversed(events)]
    assert [t for n, t in enumerate(types) if n == 0 or types[n - 1] != t] == [
        "TRAINING",
        "STOPPING",
        "STOPPED",
        "TRAINING",
        "FAILED",
        "DELETING",
    ]
    words = [event["message"] for event in events]
    for act in ("asked to stop", "retried", "asked to delete"):
        assert sum(w == f"author@example.com {act} the job." for w in words) == 1
    assert "Resumed at TRAINING, run 2." in words


# ---- delete


@pytest.mark.parametrize("status", [*FOUR, "STOPPING"])
def test_a_running_job_is_not_deleted_and_the_refusal_says_what_to_do(
    pipeline: Pipeline, jobs: JobTable, environment: dict[str, str], status: str
) -> None:
    before = placed(jobs, status)
    with pytest.raises(ApiError, match=f"Conflict: Job '{ID}' is {status}. Stop it first, or delete it when it has"):
        pipeline.ask("deleteFinetuningJob", jobId=ID)
    assert jobs.get(ID) == before
    assert started(environment, "DELETION") == []


def delete(pipeline: Pipeline, fake_bedrock: FakeBedrock, run: int = 1) -> None:
    """Asks for the deletion, twice, and runs it as its workflow does; a deployment still Creating becomes Active."""
    for _ in range(2):
        assert pipeline.ask("deleteFinetuningJob", jobId=ID) is True
    event = RUN | {"run": run}
    for _ in range(5):
        if pipeline.run("DeleteModelDeployment", event)["status"] == "Gone":
            break
        for deployment in fake_bedrock.deployments.values():
            deployment["status"] = "Active"
    pipeline.run("DeleteCustomModel", event)
    pipeline.run("DeleteJobData", event)


def assert_nothing_is_left(jobs: JobTable, fake_bedrock: FakeBedrock, s3: Any, dynamodb: Any) -> None:
    """No deployment, model, object in any version, record or history."""
    assert fake_bedrock.deployments == {}
    assert fake_bedrock.models == {}
    assert {found["status"] for found in fake_bedrock.jobs.values()} <= {"Stopping", "Stopped", "Completed"}
    left = s3.list_object_versions(Bucket="data", Prefix=f"jobs/{ID}/")
    assert not [*left.get("Versions", []), *left.get("DeleteMarkers", [])]
    assert dynamodb.scan(TableName="t-jobs")["Items"] == []
    with pytest.raises(JobNotFound):
        jobs.get(ID)


@pytest.mark.parametrize("ended", ["failed", "stopped"])
@pytest.mark.parametrize("stage", FOUR)
def test_a_job_that_ended_at_any_stage_leaves_nothing_once_deleted(
    pipeline: Pipeline,
    jobs: JobTable,
    fake_bedrock: FakeBedrock,
    data: DataBucket,
    s3: Any,
    dynamodb: Any,
    stage: str,
    ended: str,
) -> None:
    """A deployment is still Creating when its job is stopped or fails."""
    standing(jobs, fake_bedrock, stage)
    for _ in range(2):
        data.write(f"jobs/{ID}/manifest.json", b"[]")
    if ended == "stopped":
        pipeline.ask("stopFinetuningJob", jobId=ID)
        pipeline.run("EndJob", caught(JobStopping("Job is being stopped.")))
    else:
        pipeline.run("EndJob", caught(TransientError("Throttled.")))
    delete(pipeline, fake_bedrock)
    assert_nothing_is_left(jobs, fake_bedrock, s3, dynamodb)


def test_what_earlier_attempts_left_goes_with_the_job(
    pipeline: Pipeline, jobs: JobTable, fake_bedrock: FakeBedrock, s3: Any, dynamodb: Any
) -> None:
    deploying(jobs, fake_bedrock, "Failed")
    end(pipeline, "GetModelDeployment")
    pipeline.ask("retryFinetuningJob", jobId=ID)
    fake_bedrock.failures["DeleteCustomModelDeployment"] = ["AccessDeniedException"]
    end(pipeline, "CreateModelDeployment", run=2)
    delete(pipeline, fake_bedrock, run=2)
    assert_nothing_is_left(jobs, fake_bedrock, s3, dynamodb)


@pytest.mark.parametrize(
    ("function", "operation"),
    [
        ("DeleteModelDeployment", "GetCustomModelDeployment"),
        ("DeleteModelDeployment", "DeleteCustomModelDeployment"),
        ("DeleteCustomModel", "DeleteCustomModel"),
    ],
)
def test_a_deletion_that_failed_half_way_is_finished_by_the_next_request(
    pipeline: Pipeline,
    jobs: JobTable,
    fake_bedrock: FakeBedrock,
    s3: Any,
    dynamodb: Any,
    environment: dict[str, str],
    function: str,
    operation: str,
) -> None:
    done = deploying(jobs, fake_bedrock, "Active")
    jobs.move(done.current_run, JobStatus.COMPLETED)
    pipeline.ask("deleteFinetuningJob", jobId=ID)
    if function == "DeleteCustomModel":
        pipeline.run("DeleteModelDeployment", RUN)
    fake_bedrock.failures[operation] = ["AccessDeniedException"]
    end(pipeline, function)
    after = jobs.get(ID)
    assert (after.status, str(after.error_message)[:17]) == ("DELETING", "Deletion failed: ")
    machine = environment["DELETION_STATE_MACHINE_ARN"].replace(":stateMachine:", ":execution:")
    client("stepfunctions").stop_execution(executionArn=f"{machine}:{after.deletion_name}")
    delete(pipeline, fake_bedrock)
    assert sorted(name for name, _ in started(environment, "DELETION")) == [f"{ID}-deletion-1", f"{ID}-deletion-2"]
    assert_nothing_is_left(jobs, fake_bedrock, s3, dynamodb)


# ---- quota


@pytest.fixture
def waiting(pipeline: Pipeline, jobs: JobTable, fake_bedrock: FakeBedrock) -> FinetuningJob:
    """A job whose deployment found the quota full three times."""
    trained(jobs, fake_bedrock)
    for _ in range(3):
        fake_bedrock.failures["CreateCustomModelDeployment"] = ["ServiceQuotaExceededException"]
        pipeline.run("CreateModelDeployment", RUN)
        assert pipeline.run("GetModelDeployment", RUN, times=2) == {"status": "NotCreated"}
    return jobs.get(ID)


def test_a_full_quota_is_waited_for_shown_and_told_once(
    pipeline: Pipeline, jobs: JobTable, fake_bedrock: FakeBedrock, waiting: FinetuningJob
) -> None:
    shown = pipeline.ask("getFinetuningJob", jobId=ID)
    assert (shown["status"], shown["waitingFor"]) == ("DEPLOYING", "Bedrock quota: Bedrock's own words.")
    assert [words for words in told(jobs) if "quota" in words] == ["Waiting for a Bedrock quota: Bedrock's own words."]
    pipeline.run("CreateModelDeployment", RUN, times=2)
    assert jobs.get(ID).waiting_for is None
    assert pipeline.run("GetModelDeployment", RUN) == {"status": "Creating"}
    assert len(fake_bedrock.jobs) == 1


def test_a_quota_that_stays_full_fails_the_job_with_what_it_waited_for(
    pipeline: Pipeline, jobs: JobTable, waiting: FinetuningJob, environment: dict[str, str]
) -> None:
    machine = environment["FINETUNING_STATE_MACHINE_ARN"]
    client("stepfunctions").start_execution(stateMachineArn=machine, name=ID)
    jobs.move(waiting.current_run, JobStatus.DEPLOYING, stage_started_at="2026-11-20T10:00:00.000Z")
    assert pipeline.run("ReconcileJobs", {})["ended"] == [ID]
    after = jobs.get(ID)
    assert (after.status, after.error_code, after.waiting_for) == ("FAILED", "DeadlinePassed", None)
    assert "It waited for: Bedrock quota: Bedrock's own words." in str(after.error_message)


def test_a_retry_after_a_full_quota_deploys_the_model_there_is(
    pipeline: Pipeline, jobs: JobTable, fake_bedrock: FakeBedrock, waiting: FinetuningJob
) -> None:
    pipeline.run("EndJob", caught(DeploymentFailed("Deployment failed: quota.")))
    assert pipeline.ask("retryFinetuningJob", jobId=ID)["waitingFor"] is None
    pipeline.run("CreateModelDeployment", RUN | {"run": 2})
    (deployment,) = fake_bedrock.deployments.values()
    assert deployment["modelArn"] == waiting.custom_model_arn
