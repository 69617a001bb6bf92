"""stopFinetuningJob: at every stage, twice, and in every race."""

from __future__ import annotations

from typing import Any

import pytest

from idp_finetuning.adapters.tables.jobs import JobTable
from idp_finetuning.errors import TransientError
from idp_finetuning.jobs.job import JobStatus
from tests.support.domain.api import ApiError
from tests.support.domain.endings import FOUR, ID, caught, end
from tests.support.domain.fake_bedrock import FakeBedrock
from tests.support.domain.pipeline import Pipeline
from tests.support.domain.situations import deploying, messages, placed, standing, training

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
    assert (first["status"], first["errorStage"]) == ("STOPPING", stage)
    assert pipeline.ask("stopFinetuningJob", jobId=ID)["status"] == "STOPPING"
    if stage == "TRAINING":
        assert fake_bedrock.jobs[jobs.get(ID).training_name]["status"] == "Stopping"
    end(pipeline, NEXT[stage])
    after = jobs.get(ID)
    assert (after.status, after.error_stage, after.error_message) == ("STOPPED", stage, None)
    assert messages(jobs)[-2:] == ["author@example.com asked to stop the job.", "The job is stopped."]
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
    assert fake_bedrock.jobs[running.training_name]["status"] == "Stopping"


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
    assert fake_bedrock.jobs[running.training_name]["status"] == "Stopping"
