"""A job stopped, retried, left behind by its workflow, and deleted, on the local runtime."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from idp_finetuning.jobs.job import JobStatus
from idp_local.demo.progress import follow
from idp_local.environment import local_client
from idp_sdk import Job
from tests.support.graphql_client import GraphQLError
from tests.support.local.call_log import calls
from tests.support.pipeline import documents
from tests.support.pipeline.driver import Pipeline

pytestmark = pytest.mark.xdist_group("pipeline_of_single_jobs")

MODEL = "us.amazon.nova-lite-v1:0"


@pytest.fixture(scope="module")
def packets_id(pipeline: Pipeline) -> str:
    """Ten packets."""
    return pipeline.upload("Control", documents.packets())


def until(found: Callable[[], Any], *, seconds: float = 90) -> Any:
    """What is found, as soon as it is true."""
    latest = time.monotonic() + seconds
    while not (result := found()):
        assert time.monotonic() < latest, "it never came true"
        time.sleep(0.2)
    return result


def ask(pipeline: Pipeline, field: str, job_id: str) -> dict[str, Any]:
    """What a mutation answers for a job."""
    query = f"mutation ($id: ID!) {{ {field}(jobId: $id) {{ id status run errorStage }} }}"
    answer: dict[str, Any] = pipeline.client.execute(query, {"id": job_id})[field]
    return answer


def events(pipeline: Pipeline, job_id: str) -> list[dict[str, str]]:
    """The history, oldest first."""
    query = "query ($id: ID!) { listFinetuningJobEvents(jobId: $id, limit: 100) { items { at type message } } }"
    items: list[dict[str, str]] = pipeline.client.execute(query, {"id": job_id})["listFinetuningJobEvents"]["items"]
    return items[::-1]


def customization_jobs(pipeline: Pipeline, job_id: str) -> list[str]:
    """Statuses of a job's customization jobs in Bedrock, first attempt first."""
    found = pipeline.bedrock.list_model_customization_jobs(nameContains=job_id.replace("-", ""))
    rows = found["modelCustomizationJobSummaries"]
    return [row["status"] for row in sorted(rows, key=lambda row: row["jobName"])]


def in_training(pipeline: Pipeline, test_set_id: str, name: str) -> str:
    """Id of a new job whose customization job is in progress."""
    job = pipeline.start(testSetId=test_set_id, baseModel=MODEL, jobName=name)
    until(lambda: "InProgress" in customization_jobs(pipeline, job.id))
    return job.id


def ended(pipeline: Pipeline, job_id: str) -> Job:
    """The job once it has ended."""
    return follow(pipeline.sdk, pipeline.sdk.finetuning.get_job(job_id)).state


def test_a_job_stopped_in_training_stops_in_bedrock_and_completes_once_it_is_retried(
    pipeline: Pipeline, packets_id: str
) -> None:
    job_id = in_training(pipeline, packets_id, "stopped")
    with pytest.raises(GraphQLError) as refused:
        pipeline.client.execute("mutation ($id: ID!) { deleteFinetuningJob(jobId: $id) }", {"id": job_id})
    assert (refused.value.error_type, "Stop it first" in str(refused.value)) == ("Conflict", True)
    assert ask(pipeline, "stopFinetuningJob", job_id)["status"] == "STOPPING"
    stopped = ended(pipeline, job_id)
    assert (stopped.status, stopped.error_stage) == (JobStatus.STOPPED, JobStatus.TRAINING)
    until(lambda: customization_jobs(pipeline, job_id) == ["Stopped"])

    assert ask(pipeline, "retryFinetuningJob", job_id)["run"] == 2
    completed = ended(pipeline, job_id)
    assert (completed.status, completed.error_message) == (JobStatus.COMPLETED, None)
    assert customization_jobs(pipeline, job_id) == ["Stopped", "Completed"]
    types = [event["type"] for event in events(pipeline, job_id)]
    assert [t for n, t in enumerate(types) if n == 0 or types[n - 1] != t] == [
        "GENERATING_DATA",
        "TRAINING",
        "STOPPING",
        "STOPPED",
        "TRAINING",
        "DEPLOYING",
        "COMPLETED",
    ]


def test_a_job_whose_workflow_was_aborted_goes_on_is_deployed_by_a_retry_and_leaves_nothing_once_deleted(
    pipeline: Pipeline, packets_id: str
) -> None:
    job_id = in_training(pipeline, packets_id, "aborted")
    trained = until(lambda: pipeline.sdk.finetuning.get_job(job_id).customization_job_arn)
    execution = f"{pipeline.connection.state_machine_arn.replace(':stateMachine:', ':execution:')}:{job_id}"
    pipeline.stepfunctions.stop_execution(executionArn=execution)
    until(lambda: pipeline.stepfunctions.describe_execution(executionArn=execution)["status"] == "ABORTED")
    assert "errorType" not in pipeline.invoke("ReconcileJobs", {})
    resumed = pipeline.sdk.finetuning.get_job(job_id)
    assert (resumed.run, resumed.error_message, resumed.customization_job_arn) == (2, None, trained)
    words = "Its workflow ABORTED. Started again at TRAINING, run 2."
    assert {"type": "TRAINING", "message": words} in [
        {"type": event["type"], "message": event["message"]} for event in events(pipeline, job_id)
    ]

    deployed = until(lambda: pipeline.sdk.finetuning.get_job(job_id).custom_model_deployment_arn)
    pipeline.invoke("EndJob", {"jobId": job_id, "number": 2, "error": {"Error": "States.Timeout"}})
    failed = pipeline.sdk.finetuning.get_job(job_id)
    assert (failed.status, failed.error_stage) == (JobStatus.FAILED, JobStatus.DEPLOYING)
    assert ask(pipeline, "retryFinetuningJob", job_id)["run"] == 3
    completed = ended(pipeline, job_id)
    assert (completed.status, completed.error_message) == (JobStatus.COMPLETED, None)
    assert (completed.customization_job_arn, completed.custom_model_deployment_arn) == (trained, deployed)
    assert customization_jobs(pipeline, job_id) == ["Completed"]
    stopped = [call for call in calls(pipeline.directory) if call.operation == "StopModelCustomizationJob"]
    assert trained not in [call.parameters["jobIdentifier"] for call in stopped]

    pipeline.delete(job_id)
    name = job_id.replace("-", "")
    assert pipeline.bedrock.list_custom_models(nameContains=name)["modelSummaries"] == []
    assert pipeline.bedrock.list_custom_model_deployments(nameContains=name)["modelDeploymentSummaries"] == []
    left = pipeline.s3.list_object_versions(Bucket=pipeline.connection.data_bucket, Prefix=f"jobs/{job_id}/")
    assert [*left.get("Versions", []), *left.get("DeleteMarkers", [])] == []
    dynamodb = local_client("dynamodb", pipeline.connection.aws_endpoint_url)
    items = dynamodb.scan(TableName=pipeline.connection.jobs_table)["Items"]
    assert job_id not in {item["id"]["S"] for item in items}


def test_a_test_set_is_deleted_once_no_job_reads_it(pipeline: Pipeline) -> None:
    test_set_id = pipeline.upload("Short-lived", documents.unusable())
    assert pipeline.sdk.finetuning.validate_test_set(test_set_id).is_valid  # by its labels alone
    mutation = "mutation ($id: ID!) { deleteTestSet(testSetId: $id) }"
    assert pipeline.client.execute(mutation, {"id": test_set_id}) == {"deleteTestSet": True}
    until(lambda: test_set_id not in {found.id for found in pipeline.sdk.test_sets.list()})
    bucket = pipeline.connection.test_set_bucket
    left = pipeline.s3.list_object_versions(Bucket=bucket, Prefix=f"{test_set_id}/")
    assert [*left.get("Versions", []), *left.get("DeleteMarkers", [])] == []
    with pytest.raises(GraphQLError) as gone:
        pipeline.client.execute(mutation, {"id": test_set_id})
    assert gone.value.error_type == "TestSetNotFound"
