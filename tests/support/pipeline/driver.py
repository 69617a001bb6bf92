"""Drives jobs on a local runtime: through the API alone, but for what only its owner could do."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict

from idp_finetuning.evaluation.page_scores import PageScores
from idp_finetuning.evaluation.plan import ContestantKind
from idp_finetuning.jobs.job import JobStatus
from idp_local.aws.names import function_name
from idp_local.client import client_for
from idp_local.demo.progress import Followed, follow
from idp_local.environment import local_client
from idp_local.runtime import LocalRuntime
from idp_sdk import Job, LabelledDocument
from idp_sdk.errors import JobNotFound
from tests.support.graphql_client import GraphQLClient
from tests.support.pipeline.guide import operation


class Pipeline:
    """Runs jobs on a local runtime as author@example.com."""

    def __init__(self, runtime: LocalRuntime, directory: Path) -> None:
        self.runtime = runtime
        self.connection = runtime.connection
        self.directory = directory
        self.client = GraphQLClient(self.connection, "author@example.com")
        self.sdk = client_for(self.connection, "author@example.com")
        self.s3 = local_client("s3", self.connection.aws_endpoint_url)
        self.stepfunctions = local_client("stepfunctions", self.connection.aws_endpoint_url)
        self.lambda_ = local_client("lambda", self.connection.aws_endpoint_url)
        self.bedrock = local_client("bedrock", self.connection.bedrock_endpoint_url)
        self.bedrock_runtime = local_client("bedrock-runtime", self.connection.bedrock_endpoint_url)

    def as_user(self, username: str) -> GraphQLClient:
        """A client signed in as another user."""
        return GraphQLClient(self.connection, username)

    def upload(self, name: str, documents: Sequence[LabelledDocument]) -> str:
        """Id of a complete test set with these documents."""
        return self.sdk.test_sets.upload_documents(documents, name=name).id

    def start(self, **given: Any) -> Job:
        """Starts a job with these members of StartFinetuningJobInput, by the guide's own mutation."""
        started = self.client.execute(operation("StartFinetuningJob"), {"input": given})["startFinetuningJob"]
        assert started["jobName"] == given["jobName"]
        return self.sdk.finetuning.get_job(started["id"]).model_copy(update={"status": JobStatus(started["status"])})

    def run(self, **given: Any) -> Followed:
        """Starts a job and follows it to its end and that of its evaluation."""
        followed = follow(self.sdk, self.start(**given))
        return followed.model_copy(update={"state": self.evaluated(followed.state.id)})

    def evaluated(self, job_id: str) -> Job:
        """The job once no evaluation of it runs."""
        return self.sdk.finetuning.wait_for_evaluation(job_id, poll_interval=0.3, timeout=120)

    def delete(self, job_id: str) -> None:
        """Deletes an evaluated job in the guide's words and waits until it is gone."""
        self.evaluated(job_id)
        answer = self.client.execute(operation("DeleteFinetuningJob"), {"jobId": job_id})
        assert answer == {"deleteFinetuningJob": True}
        for _ in range(120):
            try:
                self.sdk.finetuning.get_job(job_id)
            except JobNotFound:
                return
            time.sleep(0.5)
        pytest.fail("the job was not deleted")

    def invoke(self, function: str, event: dict[str, Any]) -> dict[str, Any]:
        """What a function answers to an event, or Lambda's error object."""
        name = function_name(function)
        answer = self.lambda_.invoke(FunctionName=name, Payload=json.dumps(event).encode())["Payload"]
        payload: dict[str, Any] = json.load(answer)
        return payload

    def read(self, key: str) -> bytes:
        """An object of the data bucket."""
        content: bytes = self.s3.get_object(Bucket=self.connection.data_bucket, Key=key)["Body"].read()
        return content

    def keys(self, prefix: str) -> list[str]:
        """Keys of the data bucket below a prefix."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.connection.data_bucket, Prefix=prefix)
        return [entry["Key"] for page in pages for entry in page.get("Contents", [])]

    def records(self, key: str) -> list[dict[str, Any]]:
        """The records of a JSONL object of the data bucket."""
        return [json.loads(line) for line in self.read(key).splitlines()]

    def scores(self, job: Job) -> tuple[PageScores, PageScores]:
        """Held-out scores of the job's deployment and of always answering the majority class."""
        scores = {item.kind: item.pages for item in self.sdk.finetuning.evaluation_report(job.id).contestants}
        custom, majority = scores[ContestantKind.CUSTOM_MODEL], scores[ContestantKind.MAJORITY_CLASS]
        assert custom
        assert majority
        return custom, majority


class Finished(BaseModel):
    """A followed job with the documents it was given."""

    model_config = ConfigDict(frozen=True)

    followed: Followed
    documents: tuple[LabelledDocument, ...]
    test_set_id: str

    @property
    def job(self) -> Job:
        """The ended job."""
        return self.followed.state
