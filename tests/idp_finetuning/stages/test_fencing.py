"""What a stopped job or an earlier run may still do: nothing."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any
from uuid import uuid4

import pytest

from idp_finetuning.adapters.bedrock import Bedrock
from idp_finetuning.adapters.tables.jobs import JobTable
from idp_finetuning.errors import JobStopping, StaleState
from idp_finetuning.jobs.job import JobStatus
from idp_finetuning.jobs.life import Resumption
from idp_finetuning.stages.train import create_customization_job
from tests.support.domain.fake_bedrock import PREFIX, FakeBedrock
from tests.support.domain.pipeline import Pipeline
from tests.support.domain.samples import job
from tests.support.domain.situations import ROLE, placed

MODEL = f"{PREFIX}custom-model/amazon.nova-lite-v1:0:300k/000000000000"
RUN = job().current_run.to_wire()
DOCUMENT = {
    "documentId": "0" * 20,
    "key": "docsplit/input/a.pdf",
    "split": "train",
    "sections": [{"className": "letter", "pageIndices": [0]}],
}
STAGE_HANDLERS = (
    "ValidateTestSet",
    "GenerateExample",
    "AssembleDataset",
    "CreateCustomizationJob",
    "GetCustomizationJob",
    "CreateModelDeployment",
    "GetModelDeployment",
    "CompleteJob",
)


def event_of(function: str, job_id: str) -> dict[str, Any]:
    """The event of the first run of a job."""
    event: dict[str, Any] = {"jobId": job_id, "number": 1}
    return event | {"document": DOCUMENT} if function == "GenerateExample" else event


@pytest.mark.parametrize("function", STAGE_HANDLERS)
def test_every_stage_ends_at_its_first_act_where_the_job_is_being_stopped(
    pipeline: Pipeline, jobs: JobTable, fake_bedrock: FakeBedrock, function: str
) -> None:
    for status in ("STOPPING", "STOPPED"):
        stopping = placed(jobs, status, job_id=str(uuid4()), custom_model_arn=MODEL)
        before = pipeline.state()
        with pytest.raises(JobStopping) if function != "GenerateExample" else nullcontext():
            pipeline.run(function, event_of(function, stopping.id))
        assert pipeline.state() == before
    assert fake_bedrock.calls == []


@pytest.mark.parametrize("function", STAGE_HANDLERS)
def test_a_stage_of_an_earlier_run_changes_nothing_after_a_retry(
    pipeline: Pipeline, jobs: JobTable, fake_bedrock: FakeBedrock, function: str
) -> None:
    for status in JobStatus:
        retried = placed(jobs, status, job_id=str(uuid4()), run=2, custom_model_arn=MODEL)
        before = pipeline.state()
        stale = pytest.raises(StaleState, match="in run 2 and cannot become")
        with stale if function != "GenerateExample" else nullcontext():
            pipeline.run(function, event_of(function, retried.id))
        assert pipeline.state() == before
    assert fake_bedrock.calls == []


def test_the_end_of_an_earlier_run_changes_nothing_after_a_retry(
    pipeline: Pipeline, jobs: JobTable, fake_bedrock: FakeBedrock
) -> None:
    for status in JobStatus:
        retried = placed(jobs, status, job_id=str(uuid4()), run=2)
        before = pipeline.state()
        caught = {"error": {"Error": "StaleState", "Cause": ""}}
        pipeline.run("EndJob", {"jobId": retried.id, "number": 1} | caught)
        assert pipeline.state() == before
    assert fake_bedrock.calls == []


@pytest.mark.parametrize("error", ["JobStopping", "StaleState"])
def test_a_document_of_a_stopped_job_leaves_no_rejection(
    pipeline: Pipeline, jobs: JobTable, s3: Any, error: str
) -> None:
    placed(jobs, "STOPPING")
    caught = {"Error": error, "Cause": '{"errorMessage": "Job is being stopped."}'}
    pipeline.run("RejectDocument", RUN | {"document": DOCUMENT, "error": caught})
    assert s3.list_objects_v2(Bucket="data")["KeyCount"] == 0


def test_a_late_run_does_not_stop_the_training_that_a_retry_adopted(fake_bedrock: FakeBedrock, jobs: JobTable) -> None:
    """The late run has made its first move when the job fails, is retried, and finds the training it submits."""
    first = placed(jobs, "GENERATING_DATA")

    class Late(Bedrock):
        def ensure_customization_job(self, request: Any, begun: Any) -> Any:
            created = super().ensure_customization_job(request, begun)
            failed = jobs.move(first.current_run, JobStatus.FAILED, error_stage=JobStatus.TRAINING)
            jobs.resume(failed.current_run, Resumption(stage=JobStatus.TRAINING), "Retried.")
            return created

    with pytest.raises(StaleState):
        create_customization_job(
            first.current_run,
            jobs=jobs,
            bedrock=Late(fake_bedrock),
            data_bucket="data",
            role_arn=ROLE,
            deployment_name="idp",
        )
    assert fake_bedrock.jobs[first.training_name]["status"] == "InProgress"
    assert jobs.get(first.id).customization_job_arn is None


def test_what_was_created_while_a_stop_was_asked_for_is_stopped(fake_bedrock: FakeBedrock, jobs: JobTable) -> None:
    first = placed(jobs, "GENERATING_DATA")

    class Slow(Bedrock):
        def ensure_customization_job(self, request: Any, begun: Any) -> Any:
            created = super().ensure_customization_job(request, begun)
            jobs.move(first.current_run, JobStatus.STOPPING)
            return created

    with pytest.raises(JobStopping):
        create_customization_job(
            first.current_run,
            jobs=jobs,
            bedrock=Slow(fake_bedrock),
            data_bucket="data",
            role_arn=ROLE,
            deployment_name="idp",
        )
    assert fake_bedrock.jobs[first.training_name]["status"] == "Stopping"
