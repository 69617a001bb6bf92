"""Stops, retries, aborts and loses jobs on a local runtime, and keeps what became of them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pytest
from pydantic import BaseModel, ConfigDict

from idp_finetuning.deployment import FINETUNING
from idp_finetuning.jobs.bedrock_names import job_id_in
from idp_finetuning.jobs.job import JobStatus
from idp_finetuning.jobs.layout import JobLayout
from idp_finetuning.test_sets.split import Split
from idp_local.aws.names import state_machine_arn
from idp_local.environment import local_client
from idp_sdk.errors import JobNotFound
from tests.support.pipeline import documents
from tests.support.pipeline.driver import Pipeline

BASE_MODEL = "us.amazon.nova-lite-v1:0"
PATIENCE_SECONDS = 60
# A pass that waits for nothing to be on its way.
AT_ONCE = {"grace": {"start": 0, "record": 0, "restart": 0}}

Job = dict[str, Any]


class Controlled(BaseModel):
    """What became of the jobs; records as the API showed them."""

    model_config = ConfigDict(frozen=True)

    failed_in_deployment: Job
    completed: Job
    resumed: Job
    resumed_deletion: bool
    orphans: tuple[str, ...]
    stopped_training: tuple[str, ...]
    removed_data: tuple[str, ...]
    paid: str
    lost: str
    deleted: tuple[str, ...]


def control(pipeline: Pipeline) -> Controlled:
    """Everything once, in about the time of four jobs."""
    test_set_id = pipeline.upload("Controlled", documents.packets())
    jobs = _Jobs(pipeline, test_set_id)

    paid = jobs.start("stopped and retried")
    jobs.reaches(paid, JobStatus.TRAINING, "customizationJobArn")
    jobs.ask("stopFinetuningJob", paid)
    jobs.reaches(paid, JobStatus.STOPPED)
    jobs.ask("retryFinetuningJob", paid)
    jobs.reaches(paid, JobStatus.DEPLOYING, "customModelDeploymentArn")
    jobs.fail(paid, run=2)
    failed = jobs.reaches(paid, JobStatus.FAILED)
    jobs.set(paid, "deploymentAttempt", {"N": "2"})  # as where Bedrock has the first one as failed
    jobs.set(paid, "customModelDeploymentArn", {"NULL": True})
    jobs.ask("retryFinetuningJob", paid)
    completed = jobs.reaches(paid, JobStatus.COMPLETED)
    jobs.history(paid)

    aborted = jobs.start("aborted")
    jobs.reaches(aborted, JobStatus.TRAINING, "customizationJobArn")
    execution = state_machine_arn(FINETUNING).replace(":stateMachine:", ":execution:") + f":{aborted}"
    pipeline.stepfunctions.stop_execution(executionArn=execution)
    pipeline.invoke("ReconcileJobs", {"executionName": aborted})
    resumed = jobs.reaches(aborted, JobStatus.COMPLETED)
    jobs.set(aborted, "status", {"S": "DELETING"})
    jobs.set(aborted, "unfinished", {"S": "yes"})
    pipeline.invoke("ReconcileJobs", AT_ONCE)

    lost = jobs.start("lost")
    jobs.reaches(lost, JobStatus.TRAINING, "customizationJobArn")
    jobs.fail(lost, run=1)
    jobs.ask("retryFinetuningJob", lost)
    jobs.reaches(lost, JobStatus.TRAINING, "customizationJobArn")
    jobs.forget(lost)
    jobs.forget(paid)
    deleted = tuple(_written_late(pipeline))
    swept = pipeline.invoke("ReconcileJobs", AT_ONCE)

    unused = pipeline.upload("Unused", documents.packets())
    # Its labels are read and its pages are counted, so that its deletion has all of it to delete.
    pipeline.sdk.finetuning.validate_test_set(unused, base_model="us.amazon.nova-lite-v1:0")
    pipeline.client.execute("mutation ($id: ID!) { deleteTestSet(testSetId: $id) }", {"id": unused})
    return Controlled(
        failed_in_deployment=failed,
        completed=completed,
        resumed=resumed,
        resumed_deletion=jobs.is_gone(aborted),
        orphans=tuple(name for name in swept["orphans"] if not {paid, lost}.isdisjoint(_ids(name))),
        stopped_training=tuple(name for name in swept["stoppedTraining"] if job_id_in(name) in (paid, lost)),
        removed_data=tuple(swept["removedData"]),
        paid=paid,
        lost=lost,
        deleted=deleted,
    )


def _written_late(pipeline: Pipeline) -> Iterator[str]:
    """Ids of deleted jobs with what a function that outlived them may have written."""
    s3 = local_client("s3", pipeline.connection.aws_endpoint_url)
    validated, assembled = (JobLayout(job_id=str(uuid4())) for _ in range(2))
    document = "0" * 20
    late = {
        validated: (validated.manifest, validated.prompt),
        assembled: (
            assembled.page(document, 1),
            assembled.rejection(document),
            *(assembled.example(split, document) for split in Split),
            *(assembled.dataset(split) for split in Split),
            assembled.report,
            assembled.documents,
            f"{assembled.output}.write_access_check_file.tmp",
        ),
    }
    for layout, keys in late.items():
        for key in keys:
            s3.put_object(Bucket=pipeline.connection.data_bucket, Key=key, Body=b"{}")
        yield layout.job_id


def _ids(orphan: str) -> tuple[str | None, str]:
    """The job's id in a name of ours in Bedrock, or in the prefix of its data."""
    return job_id_in(orphan), orphan.removeprefix("data jobs/").removesuffix("/")


@contextmanager
def record_with(pipeline: Pipeline, job_id: str, attribute: str, value: str) -> Iterator[None]:
    """A text of a job's record changed behind the service's back, for as long as the block takes."""
    jobs = _Jobs(pipeline, "")
    known = jobs.record(job_id)[attribute]
    jobs.set(job_id, attribute, {"S": value})
    try:
        yield
    finally:
        jobs.set(job_id, attribute, known)


class _Jobs:
    def __init__(self, pipeline: Pipeline, test_set_id: str) -> None:
        self._pipeline = pipeline
        self._test_set_id = test_set_id
        self._dynamodb = local_client("dynamodb", pipeline.connection.aws_endpoint_url)

    def start(self, name: str) -> str:
        return self._pipeline.start(testSetId=self._test_set_id, baseModel=BASE_MODEL, jobName=name).id

    def ask(self, mutation: str, job_id: str) -> None:
        self._pipeline.client.execute(f"mutation ($id: ID!) {{ {mutation}(jobId: $id) {{ status }} }}", {"id": job_id})

    def reaches(self, job_id: str, status: JobStatus, *present: str) -> Job:
        """The job once it has the status and these members."""
        fields = "status run errorStage customizationJobArn customModelArn customModelDeploymentArn"
        job: Job = {}
        for _ in range(PATIENCE_SECONDS * 10):
            query = f"query ($id: ID!) {{ getFinetuningJob(jobId: $id) {{ {fields} }} }}"
            job = self._pipeline.client.execute(query, {"id": job_id})["getFinetuningJob"]
            if job["status"] == status and all(job[name] for name in present):
                return job
            time.sleep(0.1)
        pytest.fail(f"the job is not {status}: {job}")

    def history(self, job_id: str) -> None:
        query = "query ($id: ID!) { listFinetuningJobEvents(jobId: $id) { nextToken } }"
        self._pipeline.client.execute(query, {"id": job_id})

    def fail(self, job_id: str, *, run: int) -> None:
        """Ends the job as a step that outlasted its time does."""
        self._pipeline.invoke("EndJob", {"jobId": job_id, "number": run, "error": {"Error": "States.Timeout"}})

    def set(self, job_id: str, attribute: str, value: dict[str, Any]) -> None:
        """Changes the record behind the service's back."""
        self._dynamodb.update_item(
            TableName=self._pipeline.connection.jobs_table,
            Key=self._key(job_id),
            UpdateExpression="SET #attribute = :value",
            ExpressionAttributeNames={"#attribute": attribute},
            ExpressionAttributeValues={":value": value},
        )

    def record(self, job_id: str) -> dict[str, Any]:
        """The item as DynamoDB holds it."""
        table = self._pipeline.connection.jobs_table
        item: dict[str, Any] = self._dynamodb.get_item(TableName=table, Key=self._key(job_id))["Item"]
        return item

    def forget(self, job_id: str) -> None:
        """Removes the record behind the service's back."""
        self._dynamodb.delete_item(TableName=self._pipeline.connection.jobs_table, Key=self._key(job_id))

    def is_gone(self, job_id: str) -> bool:
        """Whether the job goes away."""
        for _ in range(PATIENCE_SECONDS * 10):
            try:
                self._pipeline.sdk.finetuning.get_job(job_id)
            except JobNotFound:
                return True
            time.sleep(0.1)
        return False

    @staticmethod
    def _key(job_id: str) -> dict[str, Any]:
        return {"id": {"S": job_id}, "item": {"S": "job"}}
