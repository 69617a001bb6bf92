"""retryFinetuningJob: what is paid for is used again, and the history says who asked."""

from __future__ import annotations

import pytest

from idp_finetuning.adapters.tables.jobs import JobTable
from idp_finetuning.adapters.workflows import Workflow
from idp_finetuning.errors import TransientError
from idp_finetuning.jobs.job import JobStatus
from tests.support.domain.api import ApiError
from tests.support.domain.endings import FOUR, ID, RUN, caught, end, started
from tests.support.domain.fake_bedrock import FakeBedrock
from tests.support.domain.pipeline import Pipeline
from tests.support.domain.samples import job
from tests.support.domain.situations import ago, deploying, placed, rewrite, training


def test_a_failed_deployment_is_retried_under_the_next_name_without_training_again(
    pipeline: Pipeline, jobs: JobTable, fake_bedrock: FakeBedrock, environment: dict[str, str]
) -> None:
    first = deploying(jobs, fake_bedrock, "Failed")
    end(pipeline, "GetModelDeployment")
    resumed = pipeline.ask("retryFinetuningJob", jobId=ID)
    assert (resumed["status"], resumed["run"], resumed["errorMessage"]) == ("DEPLOYING", 2, None)
    ((name, given),) = started(environment)
    assert name == f"{ID}-run-2"
    assert (given["jobId"], given["number"], given["startAt"]) == (ID, 2, "DEPLOYING")

    run = RUN | {"number": 2}
    calls = len(fake_bedrock.calls)
    pipeline.run("CreateModelDeployment", run, times=2)
    changes = [call for call in fake_bedrock.calls[calls:] if not call.startswith(("Get", "List"))]
    assert changes == ["DeleteCustomModelDeployment", "CreateCustomModelDeployment"]
    (name,) = fake_bedrock.deployments
    assert name == jobs.get(ID).deployment_name != first.deployment_name
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
    pipeline.run("CreateModelDeployment", RUN | {"number": 2})
    assert list(fake_bedrock.deployments) == [first.deployment_name]
    assert jobs.get(ID).custom_model_deployment_arn == first.custom_model_deployment_arn


@pytest.mark.parametrize("bedrock_status", ["Failed", "Stopping", "Stopped"])
def test_training_that_ended_badly_is_submitted_again_under_the_next_name(
    pipeline: Pipeline, jobs: JobTable, fake_bedrock: FakeBedrock, bedrock_status: str
) -> None:
    first = training(jobs, fake_bedrock)
    pipeline.ask("stopFinetuningJob", jobId=ID)
    end(pipeline, "GetCustomizationJob")
    fake_bedrock.jobs[first.training_name]["status"] = bedrock_status
    resumed = pipeline.ask("retryFinetuningJob", jobId=ID)
    assert (resumed["status"], resumed["customizationJobArn"]) == ("TRAINING", None)
    pipeline.run("CreateCustomizationJob", RUN | {"number": 2}, times=2)
    after = jobs.get(ID)
    assert list(fake_bedrock.jobs) == [first.training_name, after.training_name]
    assert after.customization_job_arn == fake_bedrock.jobs[after.training_name]["jobArn"]
    assert after.training_attempt == 2


@pytest.mark.parametrize("bedrock_status", ["InProgress", "Completed"])
def test_training_that_went_on_is_adopted_and_not_submitted_again(
    pipeline: Pipeline, jobs: JobTable, fake_bedrock: FakeBedrock, bedrock_status: str
) -> None:
    first = training(jobs, fake_bedrock)
    jobs.move(first.current_run, JobStatus.FAILED, error_stage=JobStatus.TRAINING)
    if bedrock_status == "Completed":
        fake_bedrock.train(first.training_name)
    pipeline.ask("retryFinetuningJob", jobId=ID)
    pipeline.run("CreateCustomizationJob", RUN | {"number": 2})
    assert pipeline.run("GetCustomizationJob", RUN | {"number": 2}) == {"status": bedrock_status}
    assert fake_bedrock.calls.count("CreateModelCustomizationJob") == 1


def test_training_that_bedrock_refused_is_submitted_again_under_its_name(
    pipeline: Pipeline, jobs: JobTable, fake_bedrock: FakeBedrock
) -> None:
    placed(jobs, "GENERATING_DATA")
    fake_bedrock.failures["CreateModelCustomizationJob"] = ["AccessDeniedException"]
    end(pipeline, "CreateCustomizationJob")
    assert pipeline.ask("retryFinetuningJob", jobId=ID)["status"] == "TRAINING"
    pipeline.run("CreateCustomizationJob", RUN | {"number": 2})
    assert list(fake_bedrock.jobs) == [job().training_name]


@pytest.mark.parametrize("minutes", [0, 11])
def test_training_that_bedrock_has_lost_is_submitted_again_under_the_next_name_once_it_cannot_follow(
    pipeline: Pipeline, jobs: JobTable, fake_bedrock: FakeBedrock, minutes: int
) -> None:
    first = training(jobs, fake_bedrock)
    rewrite(jobs, first.id, training_started_at=ago(minutes=minutes))
    fake_bedrock.unseen = {str(first.customization_job_arn)}
    jobs.move(first.current_run, JobStatus.FAILED, error_stage=JobStatus.TRAINING)
    pipeline.ask("retryFinetuningJob", jobId=ID)
    after = jobs.get(ID)
    assert (after.training_attempt, after.customization_job_arn is None) == ((2, True) if minutes else (1, False))


def test_training_whose_arn_was_never_stored_is_found_by_the_list_and_adopted(
    pipeline: Pipeline, jobs: JobTable, fake_bedrock: FakeBedrock
) -> None:
    first = training(jobs, fake_bedrock)
    rewrite(jobs, first.id, customization_job_arn=None, training_started_at=None)
    jobs.move(first.current_run, JobStatus.FAILED, error_stage=JobStatus.TRAINING)
    fake_bedrock.jobs[first.training_name]["status"] = "Queued"
    pipeline.ask("retryFinetuningJob", jobId=ID)
    pipeline.run("CreateCustomizationJob", RUN | {"number": 2}, times=2)
    assert jobs.get(ID).customization_job_arn == first.customization_job_arn
    assert fake_bedrock.created == [first.training_name]


@pytest.mark.parametrize("stage", ["VALIDATING", "GENERATING_DATA"])
def test_a_job_without_a_usable_data_set_starts_from_the_beginning(
    pipeline: Pipeline, jobs: JobTable, environment: dict[str, str], stage: str
) -> None:
    placed(jobs, "FAILED", error_stage=stage, error_code="DatasetUnusable", error_message="Too few.")
    resumed = pipeline.ask("retryFinetuningJob", jobId=ID)
    assert (resumed["status"], resumed["documents"], resumed["errorCode"]) == ("VALIDATING", None, None)
    assert [(given["number"], given["startAt"]) for _, given in started(environment)] == [(2, "VALIDATING")]
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
    assert "could not be started (TransientError). Retry the job" in str(after.error_message)
    monkeypatch.undo()


def test_a_retry_that_adopts_training_which_is_being_stopped_fails_and_the_next_one_trains_anew(
    pipeline: Pipeline, jobs: JobTable, fake_bedrock: FakeBedrock
) -> None:
    """The sweep may stop what it saw as nobody's just before a retry takes it over."""
    first = training(jobs, fake_bedrock)
    jobs.move(first.current_run, JobStatus.FAILED, error_stage=JobStatus.TRAINING)
    pipeline.ask("retryFinetuningJob", jobId=ID)
    customization = fake_bedrock.jobs[first.training_name]
    customization["status"] = "Stopping"
    pipeline.run("CreateCustomizationJob", RUN | {"number": 2})
    assert pipeline.run("GetCustomizationJob", RUN | {"number": 2}) == {"status": "InProgress"}
    customization["status"] = "Stopped"
    assert "Retry the job" in end(pipeline, "GetCustomizationJob", run=2)["message"]
    pipeline.ask("retryFinetuningJob", jobId=ID)
    pipeline.run("CreateCustomizationJob", RUN | {"number": 3})
    assert list(fake_bedrock.jobs) == [first.training_name, jobs.get(ID).training_name]
    assert fake_bedrock.jobs[jobs.get(ID).training_name]["status"] == "InProgress"


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
    for act in ("asked to stop the job.", "asked to delete the job.", "retried the job. Resumed at TRAINING, run 2."):
        assert words.count(f"author@example.com {act}") == 1
