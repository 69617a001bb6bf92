"""From a data set to a custom model, each function run twice with the same event."""

from __future__ import annotations

from typing import Any

import pytest

from idp_finetuning.adapters.bedrock import Bedrock
from idp_finetuning.adapters.tables.jobs import JobTable
from idp_finetuning.errors import AwsCallRefused, JobNotFound, StaleState, TrainingFailed, TransientError
from idp_finetuning.jobs.job import FinetuningJob, JobStatus, TrainingMetrics
from idp_finetuning.stages.train import create_customization_job
from tests.support.domain.fake_bedrock import THEN, FakeBedrock
from tests.support.domain.pipeline import Pipeline
from tests.support.domain.samples import job


@pytest.fixture
def ready(jobs: JobTable) -> FinetuningJob:
    """A job whose data set is assembled, with a name no pattern of Bedrock allows."""
    return jobs.create(job(job_name="Мой job__v2 .", status=JobStatus.GENERATING_DATA, validation_records=2), None, "")


def test_training_is_started_once_with_the_jobs_data(
    pipeline: Pipeline, fake_bedrock: FakeBedrock, jobs: JobTable, ready: FinetuningJob
) -> None:
    pipeline.run("CreateCustomizationJob", ready.current_run.to_wire(), times=3)
    (request,) = fake_bedrock.requests["CreateModelCustomizationJob"]
    root = f"s3://data/jobs/{ready.id}/"
    assert request["trainingDataConfig"] == {"s3Uri": f"{root}dataset/train.jsonl"}
    assert request["validationDataConfig"] == {"validators": [{"s3Uri": f"{root}dataset/validation.jsonl"}]}
    assert request["outputDataConfig"] == {"s3Uri": f"{root}output/"}
    assert request["baseModelIdentifier"] == "amazon.nova-lite-v1:0:300k"
    assert request["hyperParameters"] == {
        "epochCount": "2",
        "learningRate": "0.00001",
        "learningRateWarmupSteps": "10",
    }
    after = jobs.get(ready.id)
    assert (after.status, after.training_started_at) == ("TRAINING", "2026-11-22T10:00:00.000Z")
    assert after.customization_job_arn == fake_bedrock.jobs[ready.training_name]["jobArn"]


def test_nothing_held_out_sends_no_validation_file(
    pipeline: Pipeline, fake_bedrock: FakeBedrock, jobs: JobTable
) -> None:
    jobs.create(job(status=JobStatus.GENERATING_DATA), None, "")
    pipeline.run("CreateCustomizationJob", job().current_run.to_wire())
    assert "validationDataConfig" not in fake_bedrock.requests["CreateModelCustomizationJob"][0]


def test_a_lost_answer_is_retried_and_trains_once(
    pipeline: Pipeline, fake_bedrock: FakeBedrock, ready: FinetuningJob
) -> None:
    fake_bedrock.lost_answers = {"CreateModelCustomizationJob"}
    with pytest.raises(TransientError):
        pipeline.run("CreateCustomizationJob", ready.current_run.to_wire())
    pipeline.run("CreateCustomizationJob", ready.current_run.to_wire(), times=2)
    assert len(fake_bedrock.jobs) == 1


@pytest.mark.parametrize("code", ["ServiceQuotaExceededException", "AccessDeniedException", "ValidationException"])
def test_a_refused_job_fails_with_bedrocks_words_and_what_to_do(
    pipeline: Pipeline, fake_bedrock: FakeBedrock, ready: FinetuningJob, code: str
) -> None:
    fake_bedrock.failures["CreateModelCustomizationJob"] = [code]
    with pytest.raises(TrainingFailed, match=r"^Bedrock refused .*Bedrock's own words\. Check Bedrock quotas"):
        pipeline.run("CreateCustomizationJob", ready.current_run.to_wire())


@pytest.mark.parametrize("ended", ["failed", "deleted"])
def test_what_was_created_for_a_job_that_ended_meanwhile_is_stopped(
    fake_bedrock: FakeBedrock, jobs: JobTable, ready: FinetuningJob, monkeypatch: pytest.MonkeyPatch, ended: str
) -> None:
    class Racing(Bedrock):
        def ensure_customization_job(self, request: Any) -> Any:
            created = super().ensure_customization_job(request)
            jobs.move(ready.current_run, JobStatus.FAILED)
            if ended == "deleted":
                jobs.delete(jobs.move(ready.current_run, JobStatus.DELETING))
            return created

    with pytest.raises(JobNotFound if ended == "deleted" else StaleState):
        create_customization_job(
            ready.current_run,
            jobs=jobs,
            bedrock=Racing(fake_bedrock),
            data_bucket="data",
            role_arn="arn:aws:iam::123456789012:role/bedrock",
        )
    assert fake_bedrock.jobs[ready.training_name]["status"] == "Stopping"


def start(pipeline: Pipeline, ready: FinetuningJob) -> str:
    """Starts training; the answer is the customization job's name."""
    pipeline.run("CreateCustomizationJob", ready.current_run.to_wire())
    return ready.training_name


def test_losses_are_stored_with_each_poll_and_none_is_taken_away(
    pipeline: Pipeline, fake_bedrock: FakeBedrock, jobs: JobTable, ready: FinetuningJob
) -> None:
    name = start(pipeline, ready)
    event = ready.current_run.to_wire()
    seen = []
    polls: tuple[dict[str, Any], ...] = (
        {},
        {"trainingMetrics": {"trainingLoss": 0.5}},
        {"trainingMetrics": {}},
        {"trainingMetrics": {"trainingLoss": 0.25}, "validationMetrics": [{"validationLoss": 0.75}]},
    )
    for shown in polls:
        fake_bedrock.jobs[name].pop("trainingMetrics", None)
        fake_bedrock.jobs[name] |= shown
        assert pipeline.run("GetCustomizationJob", event, times=2) == {"status": "InProgress"}
        seen.append(jobs.get(ready.id).training_metrics)
    assert seen == [
        TrainingMetrics(),
        TrainingMetrics(training_loss=0.5),
        TrainingMetrics(training_loss=0.5),
        TrainingMetrics(training_loss=0.25, validation_loss=0.75),
    ]


def test_a_completed_job_leaves_model_and_time_on_the_record(
    pipeline: Pipeline, fake_bedrock: FakeBedrock, jobs: JobTable, ready: FinetuningJob
) -> None:
    arn = fake_bedrock.train(start(pipeline, ready), trainingMetrics={"trainingLoss": 0.05})
    assert pipeline.run("GetCustomizationJob", ready.current_run.to_wire(), times=3) == {"status": "Completed"}
    after = jobs.get(ready.id)
    assert (after.status, after.custom_model_arn) == ("TRAINING", arn)
    assert after.training_completed_at == "2026-11-22T10:00:00.000Z"
    assert after.training_metrics == TrainingMetrics(training_loss=0.05)


@pytest.mark.parametrize("status", ["InProgress", "Stopping"])
def test_a_job_that_has_not_ended_is_waited_for(
    pipeline: Pipeline, fake_bedrock: FakeBedrock, ready: FinetuningJob, status: str
) -> None:
    fake_bedrock.jobs[start(pipeline, ready)]["status"] = status
    assert pipeline.run("GetCustomizationJob", ready.current_run.to_wire()) == {"status": "InProgress"}


@pytest.mark.parametrize(
    ("status", "shown", "message"),
    [
        ("Failed", {"failureMessage": "Invalid record 7."}, r"^Invalid record 7\. Check"),
        ("Failed", {}, r"^Bedrock gave no reason\. Check"),
        ("Stopped", {}, r"^the customization job was stopped in Bedrock\."),
    ],
)
def test_a_job_that_ended_badly_fails_with_its_reason_and_keeps_its_losses(
    pipeline: Pipeline,
    fake_bedrock: FakeBedrock,
    jobs: JobTable,
    ready: FinetuningJob,
    status: str,
    shown: dict[str, Any],
    message: str,
) -> None:
    fake_bedrock.train(start(pipeline, ready), status, trainingMetrics={"trainingLoss": 3.0}, endTime=THEN, **shown)
    with pytest.raises(TrainingFailed, match=message):
        pipeline.run("GetCustomizationJob", ready.current_run.to_wire())
    assert jobs.get(ready.id).training_metrics == TrainingMetrics(training_loss=3.0)


def test_a_job_bedrock_no_longer_shows_fails(
    pipeline: Pipeline, fake_bedrock: FakeBedrock, ready: FinetuningJob
) -> None:
    start(pipeline, ready)
    fake_bedrock.jobs.clear()
    with pytest.raises(TrainingFailed, match=r"^Bedrock no longer shows"):
        pipeline.run("GetCustomizationJob", ready.current_run.to_wire())


@pytest.mark.parametrize(
    ("code", "error"), [("ThrottlingException", TransientError), ("AccessDeniedException", AwsCallRefused)]
)
def test_a_poll_that_fails_is_tried_again_or_final(
    pipeline: Pipeline, fake_bedrock: FakeBedrock, ready: FinetuningJob, code: str, error: type[Exception]
) -> None:
    start(pipeline, ready)
    fake_bedrock.failures["GetModelCustomizationJob"] = [code]
    with pytest.raises(error):
        pipeline.run("GetCustomizationJob", ready.current_run.to_wire())
