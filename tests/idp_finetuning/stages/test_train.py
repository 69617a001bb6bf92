"""From a data set to a custom model, each function run twice with the same event."""

from __future__ import annotations

from typing import Any

import pytest

from idp_finetuning.adapters.bedrock import Bedrock
from idp_finetuning.adapters.tables.jobs import JobTable
from idp_finetuning.errors import AwsCallRefused, JobNotFound, JobStopping, StaleState, TrainingFailed, TransientError
from idp_finetuning.jobs.job import FinetuningJob, JobStatus, TrainingMetrics
from idp_finetuning.jobs.life import Resumption
from idp_finetuning.stages.train import create_customization_job
from tests.idp_finetuning.conftest import client
from tests.support.domain.fake_bedrock import THEN, FakeBedrock, client_error
from tests.support.domain.pipeline import Pipeline
from tests.support.domain.samples import job
from tests.support.domain.situations import ROLE, ago, messages, rewrite


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
    assert after.status == "TRAINING"
    assert after.training_begun_at
    assert after.training_started_at
    assert after.training_begun_at <= after.training_started_at
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


@pytest.mark.parametrize("code", ["AccessDeniedException", "ValidationException"])
def test_a_refused_job_fails_with_bedrocks_words_and_what_to_do(
    pipeline: Pipeline, fake_bedrock: FakeBedrock, ready: FinetuningJob, code: str
) -> None:
    fake_bedrock.failures["CreateModelCustomizationJob"] = [code]
    with pytest.raises(TrainingFailed, match=r"^Bedrock refused .*Bedrock's own words\. Check Bedrock quotas"):
        pipeline.run("CreateCustomizationJob", ready.current_run.to_wire())


def test_a_full_quota_of_customization_jobs_is_waited_for_and_shown(
    pipeline: Pipeline, fake_bedrock: FakeBedrock, jobs: JobTable, ready: FinetuningJob
) -> None:
    event = ready.current_run.to_wire()
    for _ in range(3):
        fake_bedrock.failures["CreateModelCustomizationJob"] = ["ServiceQuotaExceededException"]
        pipeline.run("CreateCustomizationJob", event)
        assert pipeline.run("GetCustomizationJob", event, times=2) == {"status": "NotCreated"}
    assert jobs.get(ready.id).waiting_for == "Bedrock quota: Bedrock's own words."
    assert messages(jobs).count("Waiting. Bedrock quota: Bedrock's own words.") == 1
    pipeline.run("CreateCustomizationJob", event)
    assert jobs.get(ready.id).waiting_for is None
    assert pipeline.run("GetCustomizationJob", event) == {"status": "InProgress"}


def test_a_creation_that_met_passing_trouble_is_tried_again_after_the_wait(
    pipeline: Pipeline, fake_bedrock: FakeBedrock, ready: FinetuningJob
) -> None:
    event = ready.current_run.to_wire()
    fake_bedrock.failures["CreateModelCustomizationJob"] = ["ThrottlingException"]
    with pytest.raises(TransientError):
        pipeline.run("CreateCustomizationJob", event)
    assert pipeline.run("GetCustomizationJob", event) == {"status": "NotCreated"}
    pipeline.run("CreateCustomizationJob", event)
    assert fake_bedrock.created == [ready.training_name]


def test_a_refused_optional_hyperparameter_is_left_out_and_the_job_says_so(
    fake_bedrock: FakeBedrock, jobs: JobTable, ready: FinetuningJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Optional(Bedrock):
        def ensure_customization_job(self, request: Any, begun: Any) -> Any:
            optional = {"optional_hyper_parameters": frozenset({"learningRateWarmupSteps"})}
            return super().ensure_customization_job(request.model_copy(update=optional), begun)

    create = fake_bedrock.create_model_customization_job

    def picky(**request: Any) -> Any:
        if "learningRateWarmupSteps" in request["hyperParameters"]:
            words = "learningRateWarmupSteps is not a hyperparameter of this model."
            raise client_error("CreateModelCustomizationJob", "ValidationException", words)
        return create(**request)

    monkeypatch.setattr(fake_bedrock, "create_model_customization_job", picky)
    for _ in range(2):
        submit(jobs, Optional(fake_bedrock), ready)
    after = jobs.get(ready.id)
    (warning,) = after.warnings
    assert warning.startswith("Bedrock refused learningRateWarmupSteps for this model; training goes on without.")
    assert warning in messages(jobs)
    assert after.omitted_hyper_parameters == ("learningRateWarmupSteps",)
    assert len(fake_bedrock.created) == 1


def submit(jobs: JobTable, bedrock: Bedrock, ready: FinetuningJob) -> None:
    """Runs CreateCustomizationJob on another Bedrock."""
    create_customization_job(
        ready.current_run, jobs=jobs, bedrock=bedrock, data_bucket="data", role_arn=ROLE, deployment_name="idp"
    )


@pytest.mark.parametrize(
    ("ended", "goes_on"),
    [("stopping", False), ("stopped", False), ("late", False), ("deleted", False), ("failed", True), ("retried", True)],
)
def test_what_was_created_for_a_job_that_moved_meanwhile_is_stopped_only_if_a_user_or_a_deadline_ended_it(
    fake_bedrock: FakeBedrock, jobs: JobTable, ready: FinetuningJob, ended: str, goes_on: bool
) -> None:
    class Racing(Bedrock):
        def ensure_customization_job(self, request: Any, begun: Any) -> Any:
            created = super().ensure_customization_job(request, begun)
            if ended in ("stopping", "stopped"):
                jobs.stop(ready.current_run, "Stop.")
                if ended == "stopped":
                    jobs.move(ready.current_run, JobStatus.STOPPED)
                return created
            code = "DeadlinePassed" if ended == "late" else "TrainingFailed"
            failed = jobs.move(ready.current_run, JobStatus.FAILED, error_stage=JobStatus.TRAINING, error_code=code)
            if ended == "deleted":
                jobs.delete(jobs.move(ready.current_run, JobStatus.DELETING))
            if ended == "retried":
                jobs.resume(failed.current_run, Resumption(stage=JobStatus.TRAINING), "Retried.")
            return created

    with pytest.raises((JobNotFound, JobStopping, StaleState)):
        submit(jobs, Racing(fake_bedrock), ready)
    assert fake_bedrock.jobs[ready.training_name]["status"] == ("InProgress" if goes_on else "Stopping")


@pytest.mark.parametrize(
    "code", ["ThrottlingException", "ProvisionedThroughputExceededException", "InternalServerError"]
)
def test_trouble_with_the_table_stops_nothing_and_the_next_call_adopts(
    pipeline: Pipeline,
    fake_bedrock: FakeBedrock,
    jobs: JobTable,
    ready: FinetuningJob,
    monkeypatch: pytest.MonkeyPatch,
    code: str,
) -> None:
    table = client("dynamodb")

    def failing(**_: Any) -> None:
        raise client_error("TransactWriteItems", code)

    def after_creation(call: Any) -> Any:
        answer = call()
        if fake_bedrock.calls[-1] == "CreateModelCustomizationJob":
            monkeypatch.setattr(table, "transact_write_items", failing, raising=False)
        return answer

    monkeypatch.setattr(fake_bedrock, "before_call", after_creation)
    with pytest.raises((TransientError, AwsCallRefused)):
        pipeline.run("CreateCustomizationJob", ready.current_run.to_wire())
    monkeypatch.undo()
    assert jobs.get(ready.id).customization_job_arn is None
    submit(jobs, Bedrock(fake_bedrock), ready)
    assert jobs.get(ready.id).customization_job_arn == fake_bedrock.jobs[ready.training_name]["jobArn"]
    assert fake_bedrock.created == [ready.training_name]
    assert "StopModelCustomizationJob" not in fake_bedrock.calls


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


@pytest.mark.parametrize("status", ["Queued", "Scheduled", "InProgress", "Stopping", "of tomorrow"])
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


def test_a_completed_job_that_does_not_name_its_model_yet_is_in_progress(
    pipeline: Pipeline, fake_bedrock: FakeBedrock, jobs: JobTable, ready: FinetuningJob
) -> None:
    fake_bedrock.jobs[start(pipeline, ready)]["status"] = "Completed"
    event = ready.current_run.to_wire()
    assert pipeline.run("GetCustomizationJob", event, times=2) == {"status": "InProgress"}
    assert jobs.get(ready.id).training_completed_at is None
    fake_bedrock.train(ready.training_name)
    assert pipeline.run("GetCustomizationJob", event, times=2) == {"status": "Completed"}


@pytest.mark.parametrize(("minutes", "fails"), [(0, False), (9, False), (11, True)])
def test_a_job_bedrock_does_not_show_is_in_progress_for_ten_minutes_and_then_fails(
    pipeline: Pipeline, fake_bedrock: FakeBedrock, jobs: JobTable, ready: FinetuningJob, minutes: int, fails: bool
) -> None:
    start(pipeline, ready)
    fake_bedrock.jobs.clear()
    rewrite(jobs, ready.id, training_started_at=ago(minutes=minutes))
    if fails:
        with pytest.raises(TrainingFailed, match=r"^Bedrock no longer shows"):
            pipeline.run("GetCustomizationJob", ready.current_run.to_wire())
    else:
        assert pipeline.run("GetCustomizationJob", ready.current_run.to_wire()) == {"status": "InProgress"}


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
