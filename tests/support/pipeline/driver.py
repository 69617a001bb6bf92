"""Drives jobs on a local runtime: through the API alone, but for what only its owner could do."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict

from idp_finetuning.evaluation.baseline import BaselineEvaluation
from idp_finetuning.evaluation.layout import baselines_prefix
from idp_finetuning.evaluation.page_scores import PageScores
from idp_finetuning.evaluation.plan import ContestantKind
from idp_finetuning.jobs.job import JobStatus
from idp_local.aws.names import function_name
from idp_local.client import client_for
from idp_local.demo.progress import Followed, follow
from idp_local.documents.generator import unseen_documents
from idp_local.environment import local_client
from idp_local.runtime import LocalRuntime
from idp_sdk import EvaluatedPage, EvaluationReport, Job, LabelledDocument
from idp_sdk.errors import Conflict, JobNotFound
from tests.support.graphql_client import GraphQLClient
from tests.support.pipeline.documents import damaged
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

    def judge(self, finished: Finished) -> Judged:
        """Evaluates a job on documents it has not seen, one that it was trained with, and some that cannot be used.

        The name of the first tells no type. Afterwards the job is evaluated on its held-out documents again.
        """
        self.evaluated(finished.job.id)
        documents = list(self.sdk.finetuning.documents(finished.job.id))
        known = {item.path: item for item in finished.documents}
        copied = next(known[item.path] for item in documents if item.side == "train" and item.path in known)
        first, *others = unseen_documents()
        unseen = (first.model_copy(update={"path": "no type"}), *others)
        given = (*unseen, copied.model_copy(update={"path": "copy.pdf"}), *damaged())
        test_set_id = self.upload("To judge by", given)
        begun = self.sdk.finetuning.evaluate_job(finished.job.id, test_set_id=test_set_id)
        try:
            self.sdk.finetuning.evaluate_job(finished.job.id)
            refusal = None
        except Conflict as error:
            refusal = str(error)
        ended = self.evaluated(finished.job.id)
        report = self.sdk.finetuning.evaluation_report(finished.job.id)
        self.sdk.finetuning.evaluate_job(finished.job.id)
        self.evaluated(finished.job.id)
        return Judged(
            test_set_id=test_set_id,
            unseen=len(unseen),
            copied=copied.path,
            begun=begun,
            refusal=refusal,
            ended=ended,
            report=report,
        )

    def measure(self) -> Measured:
        """Evaluates base models on a test set twice, without any job, and deletes the test set."""
        unseen = unseen_documents()
        test_set_id = self.upload("To measure", (*unseen, *damaged()))
        models = ["us.amazon.nova-lite-v1:0", "us.amazon.nova-pro-v1:0"]
        ended = []
        for _ in range(2):
            begun = self.sdk.test_sets.evaluate(test_set_id, base_models=models)
            again = self.sdk.test_sets.evaluate(test_set_id, base_models=models)
            assert again.number == begun.number or again.status == "COMPLETED"
            ended.append(self.sdk.test_sets.wait_for_evaluation(test_set_id, poll_interval=0.5, timeout=300))
        pages = list(self.sdk.test_sets.evaluated_pages(test_set_id))
        self.sdk.test_sets.delete(test_set_id)
        for _ in range(120):
            if not self.keys(baselines_prefix(test_set_id)):
                break
            time.sleep(0.5)
        left = self.keys(baselines_prefix(test_set_id))
        return Measured(unseen=len(unseen), first=ended[0], second=ended[1], pages=pages, left=left)

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


class Measured(BaseModel):
    """Two evaluations of a test set before any job, and what its deletion left of them."""

    model_config = ConfigDict(frozen=True)

    unseen: int
    first: BaselineEvaluation
    second: BaselineEvaluation
    pages: list[EvaluatedPage]
    left: list[str]


class Judged(BaseModel):
    """An evaluation on another test set.

    It has so many `unseen` documents and a copy of the training document `copied`; `refusal` is the answer to a request
    for an evaluation on other documents meanwhile.
    """

    model_config = ConfigDict(frozen=True)

    test_set_id: str
    unseen: int
    copied: str
    begun: Job
    refusal: str | None
    ended: Job
    report: EvaluationReport


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
