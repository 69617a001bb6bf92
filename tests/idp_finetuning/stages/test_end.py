"""The end of a job: failures are recorded once, and a deletion leaves nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from idp_finetuning.adapters.buckets import DataBucket
from idp_finetuning.adapters.tables.jobs import JobTable
from idp_finetuning.errors import AwsCallRefused, Conflict, JobNotFound, RemovalPending, TransientError
from idp_finetuning.jobs.job import FinetuningJob, JobStatus
from tests.support.domain.fake_bedrock import PREFIX, FakeBedrock
from tests.support.domain.pipeline import Pipeline
from tests.support.domain.samples import job
from tests.support.domain.situations import training

EVENT = job().current_run.to_wire()


def caught(name: str, message: str) -> dict[str, Any]:
    """An event of EndJob."""
    return EVENT | {"error": {"Error": name, "Cause": json.dumps({"errorMessage": message, "errorType": name})}}


@pytest.mark.parametrize("stage", ["VALIDATING", "GENERATING_DATA", "TRAINING", "DEPLOYING"])
def test_a_failure_is_recorded_with_its_stage_and_the_execution_shows_it(
    pipeline: Pipeline, jobs: JobTable, stage: str
) -> None:
    jobs.create(job(status=JobStatus(stage)), None, "")
    shown = pipeline.run("EndJob", caught("AwsCallRefused", "GetObject returned AccessDenied."), times=3)
    after = jobs.get(job().id)
    assert (after.status, after.error_stage, after.error_code) == ("FAILED", stage, "AwsCallRefused")
    assert shown == {"code": "AwsCallRefused", "message": after.error_message}
    assert after.error_message
    assert after.error_message.endswith("failed: GetObject returned AccessDenied.")


def test_the_first_failure_is_kept(pipeline: Pipeline, jobs: JobTable) -> None:
    jobs.create(job(status=JobStatus.TRAINING), None, "")
    first = pipeline.run("EndJob", caught("TrainingFailed", "bad data."))
    second = pipeline.run("EndJob", caught("StaleState", "Job is FAILED."))
    assert second == first == {"code": "TrainingFailed", "message": "Training failed: bad data."}
    assert jobs.get(job().id).error_message == "Training failed: bad data."


@pytest.mark.parametrize("error", [{}, {"Error": "States.Timeout"}, {"Error": "X", "Cause": "no JSON"}])
def test_a_failure_without_a_cause_ends_the_job_too(pipeline: Pipeline, jobs: JobTable, error: dict[str, str]) -> None:
    jobs.create(job(status=JobStatus.TRAINING), None, "")
    shown = pipeline.run("EndJob", EVENT | {"error": error}, times=2)
    assert shown["message"].startswith("Training failed: The step ")
    assert shown["code"]
    assert jobs.get(job().id).status is JobStatus.FAILED


def test_a_completed_job_cannot_be_failed_afterwards(pipeline: Pipeline, jobs: JobTable) -> None:
    before = jobs.create(job(status=JobStatus.COMPLETED), None, "")
    pipeline.run("EndJob", caught("TransientError", "late"))
    assert jobs.get(job().id) == before


def test_a_deletion_that_failed_shows_why_and_stays_a_deletion(pipeline: Pipeline, jobs: JobTable) -> None:
    jobs.create(job(status=JobStatus.DELETING), None, "")
    pipeline.run("EndJob", caught("AwsCallRefused", "Denied."), times=2)
    after = jobs.get(job().id)
    assert (after.status, after.error_message) == ("DELETING", "Deletion failed: Denied.")


def test_a_failure_after_the_record_is_gone_brings_nothing_back(pipeline: Pipeline, jobs: JobTable) -> None:
    assert pipeline.run("EndJob", caught("TransientError", "late"))["message"].startswith("Deletion failed: ")
    with pytest.raises(JobNotFound):
        jobs.get(job().id)


@pytest.fixture
def doomed(jobs: JobTable, data: DataBucket, fake_bedrock: FakeBedrock) -> FinetuningJob:
    """A completed job that is to go, with a model, an active deployment, and objects in several versions."""
    token = "token#sub#1"
    made = jobs.create(job(status=JobStatus.DELETING, client_token=token), token, "digest")
    for key in ("manifest.json", "manifest.json", "pages/a/1.jpeg"):
        data.write(f"jobs/{made.id}/{key}", b"x")
    data.write("jobs/other/manifest.json", b"x")
    model = f"{PREFIX}custom-model/amazon.nova-lite-v1:0:300k/000000000000"
    fake_bedrock.models[made.training_name] = model
    arn = fake_bedrock.create_custom_model_deployment(modelDeploymentName=made.deployment_name, modelArn=model)
    fake_bedrock.deployments[made.deployment_name]["status"] = "Active"
    return jobs.move(
        made.current_run,
        JobStatus.DELETING,
        custom_model_arn=model,
        custom_model_deployment_arn=arn["customModelDeploymentArn"],
    )


def test_a_deletion_removes_deployment_model_objects_versions_token_and_record(
    pipeline: Pipeline, fake_bedrock: FakeBedrock, s3: Any, dynamodb: Any, doomed: FinetuningJob
) -> None:
    with pytest.raises(RemovalPending):
        pipeline.run("DeleteModelDeployment", EVENT)
    pipeline.run("DeleteModelDeployment", EVENT, times=2)
    pipeline.run("DeleteCustomModel", EVENT, times=2)
    pipeline.run("DeleteJobData", EVENT, times=2)
    assert not fake_bedrock.deployments
    assert not fake_bedrock.models
    left = s3.list_object_versions(Bucket="data")
    assert [v["Key"] for v in [*left["Versions"], *left.get("DeleteMarkers", [])]] == ["jobs/other/manifest.json"]
    assert dynamodb.scan(TableName="t-jobs")["Items"] == []
    for function in ("DeleteModelDeployment", "DeleteCustomModel", "DeleteJobData"):
        pipeline.run(function, EVENT)


def test_a_deployment_still_being_created_is_waited_for(
    pipeline: Pipeline, fake_bedrock: FakeBedrock, doomed: FinetuningJob
) -> None:
    fake_bedrock.deployments[doomed.deployment_name]["status"] = "Creating"
    for _ in range(2):
        with pytest.raises(RemovalPending, match="is Creating"):
            pipeline.run("DeleteModelDeployment", EVENT)
    assert "DeleteCustomModelDeployment" not in fake_bedrock.calls


def test_a_deployment_that_fails_to_go_at_first_goes_on_a_repetition(
    pipeline: Pipeline, fake_bedrock: FakeBedrock, doomed: FinetuningJob
) -> None:
    fake_bedrock.failures["DeleteCustomModelDeployment"] = ["ThrottlingException", "AccessDeniedException"]
    for error in (TransientError, AwsCallRefused):
        with pytest.raises(error):
            pipeline.run("DeleteModelDeployment", EVENT)
    with pytest.raises(RemovalPending):
        pipeline.run("DeleteModelDeployment", EVENT)
    pipeline.run("DeleteModelDeployment", EVENT)
    assert not fake_bedrock.deployments


def test_what_the_record_does_not_name_is_found_by_its_name(
    pipeline: Pipeline, fake_bedrock: FakeBedrock, jobs: JobTable, doomed: FinetuningJob
) -> None:
    jobs.move(doomed.current_run, JobStatus.DELETING, custom_model_arn=None, custom_model_deployment_arn=None)
    with pytest.raises(RemovalPending):
        pipeline.run("DeleteModelDeployment", EVENT)
    pipeline.run("DeleteCustomModel", EVENT)
    assert not fake_bedrock.deployments
    assert not fake_bedrock.models


def test_a_model_its_deployment_still_holds_is_tried_again(pipeline: Pipeline, doomed: FinetuningJob) -> None:
    with pytest.raises(RemovalPending, match=r"Bedrock has not removed everything yet: Bedrock's own words\."):
        pipeline.run("DeleteCustomModel", EVENT)


@pytest.mark.parametrize("code", ["ConflictException", "ValidationException"])
@pytest.mark.parametrize("status", ["Active", "Updating", "Deleting"])
def test_a_refused_removal_is_on_its_way_and_shows_bedrocks_words(
    pipeline: Pipeline, fake_bedrock: FakeBedrock, doomed: FinetuningJob, status: str, code: str
) -> None:
    fake_bedrock.deployments[doomed.deployment_name]["status"] = status
    fake_bedrock.failures["DeleteCustomModelDeployment"] = [code]
    with pytest.raises(RemovalPending, match=rf"is {status}\. Bedrock's own words\."):
        pipeline.run("DeleteModelDeployment", EVENT)


def test_what_the_record_names_goes_even_if_no_list_shows_it(
    pipeline: Pipeline, fake_bedrock: FakeBedrock, doomed: FinetuningJob
) -> None:
    fake_bedrock.unlisted = {doomed.deployment_name, doomed.training_name}
    fake_bedrock.deployments[doomed.deployment_name]["status"] = "Active"
    for function in ("DeleteModelDeployment", "DeleteCustomModel"):
        pipeline.run(function, EVENT, times=2)
    assert (fake_bedrock.deployments, fake_bedrock.models) == ({}, {})


@pytest.mark.parametrize("code", ["AccessDeniedException", "ResourceNotFoundException", "ValidationException"])
def test_what_is_gone_is_gone_however_bedrock_says_so(
    pipeline: Pipeline, fake_bedrock: FakeBedrock, doomed: FinetuningJob, code: str
) -> None:
    fake_bedrock.deployments.clear()
    fake_bedrock.models.clear()
    fake_bedrock.failures["DeleteCustomModelDeployment"] = fake_bedrock.failures["DeleteCustomModel"] = [code]
    fake_bedrock.failures["DeleteCustomModel"] = [code]
    for function in ("DeleteModelDeployment", "DeleteCustomModel"):
        pipeline.run(function, EVENT)


def test_what_still_trains_for_a_deleted_job_is_stopped(
    pipeline: Pipeline, jobs: JobTable, fake_bedrock: FakeBedrock
) -> None:
    running = training(jobs, fake_bedrock)
    jobs.move(running.current_run, JobStatus.FAILED)
    jobs.move(running.current_run, JobStatus.DELETING)
    pipeline.run("DeleteModelDeployment", EVENT, times=2)
    assert fake_bedrock.jobs[running.training_name]["status"] == "Stopping"


@pytest.mark.parametrize("function", ["DeleteModelDeployment", "DeleteCustomModel", "DeleteJobData"])
def test_nothing_of_a_job_that_is_not_being_deleted_is_removed(
    pipeline: Pipeline, fake_bedrock: FakeBedrock, jobs: JobTable, data: DataBucket, function: str
) -> None:
    kept = jobs.create(job(status=JobStatus.COMPLETED), None, "")
    data.write(f"jobs/{kept.id}/manifest.json", b"x")
    before = pipeline.state()
    with pytest.raises(Conflict):
        pipeline.run(function, EVENT)
    assert pipeline.state() == before
    assert not [call for call in fake_bedrock.calls if call.startswith("Delete")]
