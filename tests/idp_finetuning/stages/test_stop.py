"""stopFinetuningJob: at every stage, twice, and in every race."""

from __future__ import annotations

from typing import Any

import pytest

from idp_finetuning.adapters.tables.jobs import JobTable
from idp_finetuning.errors import JobStopping, TrainingFailed, TransientError
from idp_finetuning.jobs.job import JobStatus
from tests.support.domain.api import ApiError
from tests.support.domain.endings import FOUR, ID, caught, end
from tests.support.domain.fake_bedrock import FakeBedrock
from tests.support.domain.pipeline import Pipeline
from tests.support.domain.situations import deploying, messages, placed, rewrite, standing, training

NEXT = {
    "VALIDATING": "ValidateTestSet",
    "GENERATING_DATA": "AssembleDataset",
    "TRAINING": "GetCustomizationJob",
    "DEPLOYING": "GetModelDeployment",
}


@pytest.mark.parametrize("stage", FOUR)
def test_a_job_is_stopped_at_every_stage_and_asking_twice_is_fine(
    pipeline: Pipeline, jobs: JobTable, fake_bedrock: FakeBedrock, stage: str
) -> None:
    standing(jobs, fake_bedrock, stage)
    first = pipeline.ask("stopFinetuningJob", jobId=ID)
    at_once = stage in ("VALIDATING", "GENERATING_DATA")
    assert (first["status"], first["errorStage"]) == ("STOPPED" if at_once else "STOPPING", stage)
    assert pipeline.ask("stopFinetuningJob", jobId=ID)["status"] == first["status"]
    if stage == "TRAINING":
        assert fake_bedrock.jobs[jobs.get(ID).training_name]["status"] == "Stopping"
    end(pipeline, NEXT[stage])
    after = jobs.get(ID)
    assert (after.status, after.error_stage, after.error_message) == ("STOPPED", stage, None)
    words = ["author@example.com asked to stop the job.", *([] if at_once else ["The job is stopped."])]
    assert messages(jobs)[-len(words) :] == words
    assert pipeline.ask("stopFinetuningJob", jobId=ID)["status"] == "STOPPED"
    assert messages(jobs)[-len(words) :] == words
    assert list(jobs.unfinished()) == []


@pytest.mark.parametrize("status", ["COMPLETED", "FAILED", "DELETING"])
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
    jobs.move(running.current_run, JobStatus.COMPLETED)
    get = JobTable.get
    states = iter([running])
    monkeypatch.setattr(JobTable, "get", lambda self, job_id: next(states, None) or get(self, job_id))
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
    assert fake_bedrock.jobs[jobs.get(ID).training_name]["status"] == "Stopping"


def test_a_stop_asked_for_while_a_failure_is_recorded_has_one_winner_and_ends_the_training(
    pipeline: Pipeline, jobs: JobTable, fake_bedrock: FakeBedrock, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = training(jobs, fake_bedrock)
    fail = JobTable.fail

    def asked(self: JobTable, *given: Any) -> Any:
        if jobs.get(ID).status is JobStatus.TRAINING:
            jobs.stop(running.current_run, "Stop.")
        return fail(self, *given)

    monkeypatch.setattr(JobTable, "fail", asked)
    pipeline.run("EndJob", caught(TrainingFailed("No.")))
    assert jobs.get(ID).status is JobStatus.STOPPED
    assert fake_bedrock.jobs[running.training_name]["status"] == "Stopping"


@pytest.mark.parametrize("code", ["ThrottlingException", "AccessDeniedException"])
def test_a_job_is_stopped_even_if_bedrock_cannot_be_asked_and_the_sweep_stops_its_training(
    pipeline: Pipeline, jobs: JobTable, fake_bedrock: FakeBedrock, code: str
) -> None:
    running = training(jobs, fake_bedrock)
    jobs.stop(running.current_run, "Stop.")
    fake_bedrock.failures["StopModelCustomizationJob"] = [code]
    pipeline.run("EndJob", caught(JobStopping("Stopping.")))
    assert jobs.get(ID).status is JobStatus.STOPPED
    assert fake_bedrock.jobs[running.training_name]["status"] == "InProgress"
    assert pipeline.run("ReconcileJobs", {})["stoppedTraining"] == [running.training_name]
    assert fake_bedrock.jobs[running.training_name]["status"] == "Stopping"


def test_a_stop_finds_the_training_whose_arn_was_never_stored(
    pipeline: Pipeline, jobs: JobTable, fake_bedrock: FakeBedrock
) -> None:
    running = training(jobs, fake_bedrock)
    rewrite(jobs, ID, customization_job_arn=None)
    pipeline.ask("stopFinetuningJob", jobId=ID)
    assert fake_bedrock.jobs[running.training_name]["status"] == "Stopping"


@pytest.mark.parametrize("stage", FOUR)
def test_a_failure_of_an_observer_stops_no_training(
    pipeline: Pipeline, jobs: JobTable, fake_bedrock: FakeBedrock, stage: str
) -> None:
    standing(jobs, fake_bedrock, stage)
    pipeline.run("EndJob", caught(TransientError("Throttled.")), times=2)
    assert jobs.get(ID).status is JobStatus.FAILED
    assert "StopModelCustomizationJob" not in fake_bedrock.calls
