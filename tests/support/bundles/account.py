"""A local AWS account with test sets and jobs for the bundled functions; documents and labels carry marks."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from moto.server import ThreadedMotoServer

from idp_finetuning.adapters.buckets import TestSetBucket
from idp_finetuning.adapters.tables.jobs import JobTable
from idp_finetuning.adapters.tables.test_sets import TestSetTable
from idp_finetuning.classification.classification import TestSetDocument
from idp_finetuning.classification.layout import ClassificationLayout
from idp_finetuning.deployment import (
    JOBS_TABLE,
    POWERTOOLS_VARIABLES,
    STATE_MACHINES,
    TABLES,
    TEST_SETS_TABLE,
    FunctionSpec,
)
from idp_finetuning.jobs.job import JobStatus
from idp_finetuning.nova.prompt import DocumentClass, Prompt
from idp_finetuning.test_sets.keys import sealed_key
from idp_finetuning.test_sets.test_set import TestSet, TestSetStatus
from idp_local.aws.account_limits import answer_account_limits
from idp_local.aws.identity import find_or_create_user_pool
from idp_local.aws.names import (
    DATA_BUCKET,
    PREFIX,
    TEST_SET_BUCKET,
    state_machine_arn,
    state_machine_name,
    variable_values,
)
from idp_local.aws.storage import create_bucket, create_table
from idp_local.bedrock import BedrockServer
from idp_local.environment import ACCOUNT_ID, aws_environment, local_client
from tests.idp_finetuning.classification.test_classification import request
from tests.support.domain.samples import job, pdf, result_json

# The jobs of events/*.json: the first goes through the whole pipeline, the others each fail at one function.
JOB, FEW, REFUSED, LOST, UNTRAINED, UNDEPLOYED = (f"6f1c2b1e-0000-4000-8000-00000000000{n}" for n in range(1, 7))
CLASSIFICATION = "6f1c2b1e-0000-4000-8000-0000000000c1"
DOCUMENTS = 12
COUNTED_AS = "7741"  # the fingerprint in the events of CountPages
MISLABELLED = 11  # this document's labels tell of a page that it does not have

# What no log may show. The last five stand in events/*.json.
DOCUMENT_TEXT = "DOCUMENT-TEXT-7741"
INFERENCE_RESULT = "INFERENCE-RESULT-7741"
MARKS = (
    DOCUMENT_TEXT,
    INFERENCE_RESULT,
    "PAGE-TEXT-7741",
    "IDENTITY-SUB-7741",
    "IDENTITY-USERNAME-7741",
    "CLIENT-TOKEN-7741",
    "HEADER-TOKEN-7741",
)

# What records name and Bedrock no longer shows.
_BEDROCK = "arn:aws:bedrock:us-east-1:123456789012"
ABSENT_TRAINING = f"{_BEDROCK}:model-customization-job/amazon.nova-lite-v1:0:300k/00000000000f"
ABSENT_DEPLOYMENT = f"{_BEDROCK}:custom-model-deployment/00000000000f"


class Account:
    """What the functions work with, seen from outside of them."""

    def __init__(self, aws_url: str, bedrock_url: str) -> None:
        self.s3 = local_client("s3", aws_url)
        self.stepfunctions = local_client("stepfunctions", aws_url)
        dynamodb = local_client("dynamodb", aws_url)
        self.jobs = JobTable(dynamodb, JOBS_TABLE.table_name(PREFIX))
        for bucket in (DATA_BUCKET, TEST_SET_BUCKET):
            create_bucket(self.s3, bucket)
        for table in TABLES:
            create_table(dynamodb, table, PREFIX)
        for workflow in STATE_MACHINES:
            self.stepfunctions.create_state_machine(
                name=state_machine_name(workflow),
                definition='{"StartAt": "End", "States": {"End": {"Type": "Succeed"}}}',
                roleArn=f"arn:aws:iam::{ACCOUNT_ID}:role/{state_machine_name(workflow)}",
            )
        self._user_pool_id = find_or_create_user_pool(local_client("cognito-idp", aws_url), PREFIX, {}).pool_id
        self._endpoints = aws_environment(aws_url, bedrock_url)
        self._test_sets = TestSetTable(dynamodb, TEST_SETS_TABLE.table_name(PREFIX))
        self._fill()

    def variables(self, spec: FunctionSpec) -> Mapping[str, str]:
        """Return the environment of a function: its own variables, Powertools', and the endpoints."""
        values = variable_values(poll_seconds=1, user_pool_id=self._user_pool_id)
        return {**{str(name): values[name] for name in spec.variables}, **POWERTOOLS_VARIABLES, **self._endpoints}

    def objects(self, prefix: str) -> dict[str, bytes]:
        """Contents of the data bucket below a prefix, by key."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=DATA_BUCKET, Prefix=prefix)
        keys = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
        return {key: self.s3.get_object(Bucket=DATA_BUCKET, Key=key)["Body"].read() for key in keys}

    def started(self) -> list[dict[str, Any]]:
        """Inputs of the executions that were started."""
        inputs = []
        for workflow in STATE_MACHINES:
            arn = state_machine_arn(workflow)
            for execution in self.stepfunctions.list_executions(stateMachineArn=arn)["executions"]:
                described = self.stepfunctions.describe_execution(executionArn=execution["executionArn"])
                inputs.append(json.loads(described["input"]))
        return inputs

    def close_test_set(self, test_set_id: str) -> None:
        """What deleteTestSet writes."""
        self._test_sets.close(test_set_id)

    def test_sets(self) -> set[str]:
        """Ids of test sets with a record or an object."""
        objects = self.s3.list_object_versions(Bucket=TEST_SET_BUCKET).get("Versions", [])
        found = {item.id for item in self._test_sets.list(limit=100, next_token=None).items}
        return found | {entry["Key"].split("/")[0] for entry in objects}

    def _fill(self) -> None:
        self._upload("statements", DOCUMENTS)
        self._upload("few", 3)
        listing = TestSetBucket(self.s3, TEST_SET_BUCKET).listing("statements")
        key = sealed_key("statements", COUNTED_AS)
        self.s3.put_object(Bucket=TEST_SET_BUCKET, Key=key, Body=listing.model_dump_json(by_alias=True))
        by_job: dict[str, dict[str, Any]] = {
            JOB: {"test_set_id": "statements", "test_set_name": "statements"},
            FEW: {"test_set_id": "few", "test_set_name": "few"},
            # Nova 2 Pro is none of the models that the stand-in's account is offered.
            REFUSED: {"status": JobStatus.GENERATING_DATA, "base_model": "us.amazon.nova-2-pro-v1:0"},
            LOST: {"status": JobStatus.TRAINING, "customization_job_arn": ABSENT_TRAINING},
            UNTRAINED: {"status": JobStatus.TRAINING},
            UNDEPLOYED: {"status": JobStatus.DEPLOYING, "custom_model_deployment_arn": ABSENT_DEPLOYMENT},
        }
        for job_id, changes in by_job.items():
            self.jobs.create(job(job_id, **changes), None, "")
        asked = request(
            id=CLASSIFICATION,
            upload_key=None,
            test_set_document=TestSetDocument(test_set_id="statements", path="doc 0.pdf"),
            prompt=Prompt(classes=(DocumentClass(name="invoice"), DocumentClass(name="letter"))),
        )
        key = ClassificationLayout(classification_id=CLASSIFICATION).request
        self.s3.put_object(Bucket=DATA_BUCKET, Key=key, Body=asked.model_dump_json(by_alias=True))

    def _upload(self, test_set_id: str, documents: int) -> None:
        """Documents of two pages, labelled invoice and letter in turn."""
        for number in range(documents):
            path = f"doc {number}.pdf"
            shade = number % 2
            pages = [(80, 80, f"{shade} {n / 2} 0.5 rg 0 0 {40 + number} 80 re f\n% {DOCUMENT_TEXT}") for n in range(2)]
            self.s3.put_object(Bucket=TEST_SET_BUCKET, Key=f"{test_set_id}/input/{path}", Body=pdf(*pages))
            indices = [0, 1, 2] if number == MISLABELLED else [0, 1]
            self.s3.put_object(
                Bucket=TEST_SET_BUCKET,
                Key=f"{test_set_id}/baseline/{path}/sections/1/result.json",
                Body=result_json(
                    "letter" if number % 2 else "invoice", indices, inference_result={"total": INFERENCE_RESULT}
                ),
            )
        self._test_sets.create(
            TestSet(
                id=test_set_id,
                name=test_set_id,
                file_count=documents,
                status=TestSetStatus.READY,
                created_at=datetime(2026, 11, 22, 9, tzinfo=UTC),
            )
        )


@contextmanager
def local_account() -> Iterator[Account]:
    """The account with its servers, until the block ends."""
    answer_account_limits()
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    moto.start()
    try:
        host, port = moto.get_host_and_port()
        aws_url = f"http://{host}:{port}"
        with BedrockServer(seconds_per_phase=0.05, s3_endpoint=aws_url) as bedrock:
            yield Account(aws_url, bedrock.url)
    finally:
        moto.stop()
