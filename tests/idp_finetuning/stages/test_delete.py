"""deleteFinetuningJob: refused while something needs the job, and then nothing is left."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest

from idp_finetuning.adapters.buckets import DataBucket
from idp_finetuning.adapters.tables.jobs import JobTable
from idp_finetuning.errors import JobNotFound, JobStopping, RemovalPending, TransientError
from idp_finetuning.jobs.job import JobStatus
from tests.idp_finetuning.conftest import client
from tests.support.domain.api import ApiError
from tests.support.domain.endings import FOUR, ID, RUN, caught, end, started
from tests.support.domain.fake_bedrock import PREFIX, FakeBedrock
from tests.support.domain.pipeline import Pipeline
from tests.support.domain.situations import deploying, placed, standing


@pytest.mark.parametrize("status", [*FOUR, "STOPPING"])
def test_a_running_job_is_not_deleted_and_the_refusal_says_what_to_do(
    pipeline: Pipeline, jobs: JobTable, environment: dict[str, str], status: str
) -> None:
    before = placed(jobs, status)
    with pytest.raises(ApiError, match=f"Conflict: Job '{ID}' is {status}. Stop it first, or delete it when it has"):
        pipeline.ask("deleteFinetuningJob", jobId=ID)
    assert jobs.get(ID) == before
    assert started(environment, "DELETION") == []


def test_a_job_whose_model_is_used_is_not_deleted_and_the_refusal_names_the_versions(
    pipeline: Pipeline, jobs: JobTable, dynamodb: Any, environment: dict[str, str]
) -> None:
    placed(jobs, "COMPLETED", custom_model_deployment_arn=f"{PREFIX}custom-model-deployment/000000000000")
    for version in ("v2", "v1"):
        dynamodb.transact_write_items(TransactItems=[jobs.use(ID, version)])
    with pytest.raises(ApiError, match=f"Conflict: The model of job '{ID}' is used by .* version 'v1', 'v2'. Give"):
        pipeline.ask("deleteFinetuningJob", jobId=ID)
    assert (jobs.get(ID).status, started(environment, "DELETION")) == ("COMPLETED", [])
    for version in ("v2", "v1"):
        dynamodb.transact_write_items(TransactItems=[jobs.release(ID, version)])
    assert pipeline.ask("deleteFinetuningJob", jobId=ID) is True


def delete(pipeline: Pipeline, fake_bedrock: FakeBedrock, run: int = 1) -> None:
    """Asks for the deletion, twice, and runs it as its workflow does; a deployment still Creating becomes Active."""
    for _ in range(2):
        assert pipeline.ask("deleteFinetuningJob", jobId=ID) is True
    event = RUN | {"number": run}
    for _ in range(5):
        with suppress(RemovalPending):
            pipeline.run("DeleteModelDeployment", event)
            break
        for deployment in fake_bedrock.deployments.values():
            deployment["status"] = "Active"
    pipeline.run("DeleteCustomModel", event)
    pipeline.run("DeleteJobData", event)


def assert_nothing_is_left(jobs: JobTable, fake_bedrock: FakeBedrock, s3: Any, dynamodb: Any) -> None:
    """No deployment, model, object in any version, record or history."""
    assert fake_bedrock.deployments == {}
    assert fake_bedrock.models == {}
    assert {found["status"] for found in fake_bedrock.jobs.values()} <= {"Stopping", "Stopped", "Completed"}
    left = s3.list_object_versions(Bucket="data", Prefix=f"jobs/{ID}/")
    assert not [*left.get("Versions", []), *left.get("DeleteMarkers", [])]
    assert dynamodb.scan(TableName="t-jobs")["Items"] == []
    with pytest.raises(JobNotFound):
        jobs.get(ID)


@pytest.mark.parametrize("ended", ["failed", "stopped"])
@pytest.mark.parametrize("stage", FOUR)
def test_a_job_that_ended_at_any_stage_leaves_nothing_once_deleted(
    pipeline: Pipeline,
    jobs: JobTable,
    fake_bedrock: FakeBedrock,
    data: DataBucket,
    s3: Any,
    dynamodb: Any,
    stage: str,
    ended: str,
) -> None:
    """A deployment is still Creating when its job is stopped or fails."""
    standing(jobs, fake_bedrock, stage)
    for _ in range(2):
        data.write(f"jobs/{ID}/manifest.json", b"[]")
    if ended == "stopped":
        pipeline.ask("stopFinetuningJob", jobId=ID)
        pipeline.run("EndJob", caught(JobStopping("Job is being stopped.")))
    else:
        pipeline.run("EndJob", caught(TransientError("Throttled.")))
    delete(pipeline, fake_bedrock)
    assert_nothing_is_left(jobs, fake_bedrock, s3, dynamodb)


def test_what_earlier_attempts_left_goes_with_the_job(
    pipeline: Pipeline, jobs: JobTable, fake_bedrock: FakeBedrock, s3: Any, dynamodb: Any
) -> None:
    deploying(jobs, fake_bedrock, "Failed")
    end(pipeline, "GetModelDeployment")
    pipeline.ask("retryFinetuningJob", jobId=ID)
    fake_bedrock.failures["DeleteCustomModelDeployment"] = ["AccessDeniedException"]
    end(pipeline, "CreateModelDeployment", run=2)
    delete(pipeline, fake_bedrock, run=2)
    assert_nothing_is_left(jobs, fake_bedrock, s3, dynamodb)


@pytest.mark.parametrize(
    ("function", "operation"),
    [
        ("DeleteModelDeployment", "ListCustomModelDeployments"),
        ("DeleteModelDeployment", "DeleteCustomModelDeployment"),
        ("DeleteCustomModel", "DeleteCustomModel"),
    ],
)
def test_a_deletion_that_failed_half_way_is_finished_by_the_next_request(
    pipeline: Pipeline,
    jobs: JobTable,
    fake_bedrock: FakeBedrock,
    s3: Any,
    dynamodb: Any,
    environment: dict[str, str],
    function: str,
    operation: str,
) -> None:
    done = deploying(jobs, fake_bedrock, "Active")
    jobs.move(done.current_run, JobStatus.COMPLETED)
    pipeline.ask("deleteFinetuningJob", jobId=ID)
    if function == "DeleteCustomModel":
        with pytest.raises(RemovalPending):
            pipeline.run("DeleteModelDeployment", RUN)
    fake_bedrock.failures[operation] = ["AccessDeniedException"]
    end(pipeline, function)
    after = jobs.get(ID)
    assert (after.status, str(after.error_message)[:17]) == ("DELETING", "Deletion failed: ")
    machine = environment["DELETION_STATE_MACHINE_ARN"].replace(":stateMachine:", ":execution:")
    client("stepfunctions").stop_execution(executionArn=f"{machine}:{after.deletion_name}")
    delete(pipeline, fake_bedrock)
    assert sorted(name for name, _ in started(environment, "DELETION")) == [f"{ID}-deletion-1", f"{ID}-deletion-2"]
    assert_nothing_is_left(jobs, fake_bedrock, s3, dynamodb)
