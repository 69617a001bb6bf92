"""From a custom model to an endpoint, each function run twice with the same event."""

from __future__ import annotations

import pytest

from idp_finetuning.adapters.tables.jobs import JobTable
from idp_finetuning.errors import DeploymentFailed, TransientError
from idp_finetuning.jobs.job import FinetuningJob, JobStatus
from tests.support.domain.fake_bedrock import PREFIX, FakeBedrock
from tests.support.domain.pipeline import Pipeline
from tests.support.domain.samples import job
from tests.support.domain.situations import ago, rewrite

MODEL = f"{PREFIX}custom-model/amazon.nova-lite-v1:0:300k/000000000000"


@pytest.fixture
def trained(jobs: JobTable) -> FinetuningJob:
    """A job whose model is there."""
    return jobs.create(job(job_name="--", status=JobStatus.TRAINING, custom_model_arn=MODEL), None, "")


def test_the_deployment_is_created_once_and_completes_the_job(
    pipeline: Pipeline, fake_bedrock: FakeBedrock, jobs: JobTable, trained: FinetuningJob
) -> None:
    event = trained.current_run.to_wire()
    pipeline.run("CreateModelDeployment", event, times=3)
    (request,) = fake_bedrock.requests["CreateCustomModelDeployment"]
    assert request["modelArn"] == MODEL
    assert {"key": "idp-finetuning:job-id", "value": trained.id} in request["tags"]
    assert {"key": "idp-finetuning:deployment", "value": "t"} in request["tags"]
    assert pipeline.run("GetModelDeployment", event, times=2) == {"status": "Creating"}
    deployment = fake_bedrock.deployments[trained.deployment_name]
    deployment["status"] = "Active"
    assert pipeline.run("GetModelDeployment", event, times=2) == {"status": "Active"}
    pipeline.run("CompleteJob", event, times=3)
    after = jobs.get(trained.id)
    assert (after.status, after.custom_model_deployment_arn) == ("COMPLETED", deployment["customModelDeploymentArn"])
    assert after.deployment_completed_at


def test_a_lost_answer_is_retried_and_deploys_once(
    pipeline: Pipeline, fake_bedrock: FakeBedrock, trained: FinetuningJob
) -> None:
    fake_bedrock.lost_answers = {"CreateCustomModelDeployment"}
    with pytest.raises(TransientError):
        pipeline.run("CreateModelDeployment", trained.current_run.to_wire())
    pipeline.run("CreateModelDeployment", trained.current_run.to_wire(), times=2)
    assert len(fake_bedrock.deployments) == 1


def test_a_failed_deployment_fails_with_its_reason_and_is_not_created_again(
    pipeline: Pipeline, fake_bedrock: FakeBedrock, trained: FinetuningJob
) -> None:
    pipeline.run("CreateModelDeployment", trained.current_run.to_wire())
    fake_bedrock.deployments[trained.deployment_name] |= {"status": "Failed", "failureMessage": "No capacity."}
    pipeline.run("CreateModelDeployment", trained.current_run.to_wire())
    with pytest.raises(DeploymentFailed, match=r"^No capacity\. Verify Custom Model"):
        pipeline.run("GetModelDeployment", trained.current_run.to_wire())


@pytest.mark.parametrize("code", ["ValidationException", "AccessDeniedException"])
def test_a_refused_deployment_fails_with_bedrocks_words(
    pipeline: Pipeline, fake_bedrock: FakeBedrock, trained: FinetuningJob, code: str
) -> None:
    fake_bedrock.failures["CreateCustomModelDeployment"] = [code]
    with pytest.raises(DeploymentFailed, match=r"^Bedrock refused it: Bedrock's own words\."):
        pipeline.run("CreateModelDeployment", trained.current_run.to_wire())


def test_training_that_left_no_model_fails(pipeline: Pipeline, jobs: JobTable) -> None:
    jobs.create(job(status=JobStatus.TRAINING), None, "")
    with pytest.raises(DeploymentFailed, match="training left no custom model"):
        pipeline.run("CreateModelDeployment", job().current_run.to_wire())


def test_a_creation_that_met_passing_trouble_before_its_first_act_is_tried_again(
    pipeline: Pipeline, fake_bedrock: FakeBedrock, jobs: JobTable, trained: FinetuningJob
) -> None:
    assert pipeline.run("GetModelDeployment", trained.current_run.to_wire()) == {"status": "NotCreated"}
    assert jobs.get(trained.id).status is JobStatus.TRAINING


@pytest.mark.parametrize("status", ["Creating", "Updating", "Deleting", "of tomorrow"])
def test_an_unknown_status_is_waited_for(
    pipeline: Pipeline, fake_bedrock: FakeBedrock, trained: FinetuningJob, status: str
) -> None:
    pipeline.run("CreateModelDeployment", trained.current_run.to_wire())
    fake_bedrock.deployments[trained.deployment_name]["status"] = status
    assert pipeline.run("GetModelDeployment", trained.current_run.to_wire()) == {"status": "Creating"}


@pytest.mark.parametrize(("minutes", "fails"), [(0, False), (9, False), (11, True)])
def test_a_deployment_bedrock_does_not_show_is_being_created_for_ten_minutes_and_then_fails(
    pipeline: Pipeline, fake_bedrock: FakeBedrock, jobs: JobTable, trained: FinetuningJob, minutes: int, fails: bool
) -> None:
    event = trained.current_run.to_wire()
    pipeline.run("CreateModelDeployment", event)
    fake_bedrock.deployments.clear()
    rewrite(jobs, trained.id, deployment_started_at=ago(minutes=minutes))
    if fails:
        with pytest.raises(DeploymentFailed, match="Bedrock no longer shows deployment"):
            pipeline.run("GetModelDeployment", event)
    else:
        assert pipeline.run("GetModelDeployment", event) == {"status": "Creating"}


def test_a_model_that_bedrock_does_not_show_yet_is_waited_for(
    pipeline: Pipeline, fake_bedrock: FakeBedrock, jobs: JobTable, trained: FinetuningJob
) -> None:
    event = trained.current_run.to_wire()
    fake_bedrock.failures["CreateCustomModelDeployment"] = ["ResourceNotFoundException"]
    pipeline.run("CreateModelDeployment", event)
    assert str(jobs.get(trained.id).waiting_for).startswith("Bedrock does not show the custom model yet")
    assert pipeline.run("GetModelDeployment", event) == {"status": "NotCreated"}
    pipeline.run("CreateModelDeployment", event)
    assert list(fake_bedrock.deployments) == [trained.deployment_name]
