"""A full quota, or a model that is not ready: waited for, shown, and told once."""

from __future__ import annotations

import pytest

from idp_finetuning.adapters.tables.jobs import JobTable
from idp_finetuning.errors import DeploymentFailed
from idp_finetuning.jobs.job import FinetuningJob
from tests.idp_finetuning.conftest import client
from tests.support.domain.endings import ID, RUN, caught
from tests.support.domain.fake_bedrock import FakeBedrock
from tests.support.domain.pipeline import Pipeline
from tests.support.domain.situations import messages, rewrite, trained


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
    assert [words for words in messages(jobs) if "quota" in words] == ["Waiting. Bedrock quota: Bedrock's own words."]
    pipeline.run("CreateModelDeployment", RUN, times=2)
    assert jobs.get(ID).waiting_for is None
    assert pipeline.run("GetModelDeployment", RUN) == {"status": "Creating"}
    assert len(fake_bedrock.jobs) == 1


def test_a_quota_that_stays_full_fails_the_job_with_what_it_waited_for(
    pipeline: Pipeline, jobs: JobTable, waiting: FinetuningJob, environment: dict[str, str]
) -> None:
    machine = environment["FINETUNING_STATE_MACHINE_ARN"]
    client("stepfunctions").start_execution(stateMachineArn=machine, name=ID)
    rewrite(jobs, waiting.id, stage_started_at="2026-11-20T10:00:00.000Z")
    assert pipeline.run("ReconcileJobs", {})["ended"] == [ID]
    after = jobs.get(ID)
    assert (after.status, after.error_code, after.waiting_for) == ("FAILED", "DeadlinePassed", None)
    assert "It waited for: Bedrock quota: Bedrock's own words." in str(after.error_message)


def test_a_retry_after_a_full_quota_deploys_the_model_there_is(
    pipeline: Pipeline, jobs: JobTable, fake_bedrock: FakeBedrock, waiting: FinetuningJob
) -> None:
    pipeline.run("EndJob", caught(DeploymentFailed("quota.")))
    assert pipeline.ask("retryFinetuningJob", jobId=ID)["waitingFor"] is None
    pipeline.run("CreateModelDeployment", RUN | {"number": 2})
    (deployment,) = fake_bedrock.deployments.values()
    assert deployment["modelArn"] == waiting.custom_model_arn


def test_a_model_that_bedrock_is_still_making_is_waited_for(
    pipeline: Pipeline, jobs: JobTable, fake_bedrock: FakeBedrock
) -> None:
    name = trained(jobs, fake_bedrock).training_name
    fake_bedrock.model_status[name] = "Creating"
    pipeline.run("CreateModelDeployment", RUN, times=2)
    assert "CreateCustomModelDeployment" not in fake_bedrock.calls
    assert jobs.get(ID).waiting_for == "The custom model is still being created."
    assert pipeline.run("GetModelDeployment", RUN) == {"status": "NotCreated"}
    fake_bedrock.model_status[name] = "Active"
    pipeline.run("CreateModelDeployment", RUN, times=2)
    assert pipeline.run("GetModelDeployment", RUN) == {"status": "Creating"}
    assert jobs.get(ID).waiting_for is None


def test_a_model_nobody_finds_is_left_to_the_deployment_to_complain_of(
    pipeline: Pipeline, jobs: JobTable, fake_bedrock: FakeBedrock
) -> None:
    trained(jobs, fake_bedrock)
    fake_bedrock.models.clear()
    fake_bedrock.failures["CreateCustomModelDeployment"] = ["ValidationException"]
    with pytest.raises(DeploymentFailed):
        pipeline.run("CreateModelDeployment", RUN)
