"""A local Bedrock on moto's S3, with drawn training data in a bucket, for the tests of this folder."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from moto.server import ThreadedMotoServer

from idp_local.bedrock import BedrockServer
from tests.support.local.drawn import BUCKET, CLASSES, jsonl, page, record

Job = dict[str, Any]
Submit = Callable[..., str]

ROLE = "arn:aws:iam::123456789012:role/customization"
OUTPUT = f"s3://{BUCKET}/jobs/1/output/"
TRAINING = f"s3://{BUCKET}/jobs/1/dataset/train.jsonl"
VALIDATION = f"s3://{BUCKET}/jobs/1/dataset/validation.jsonl"


def client(service: str, url: str) -> Any:
    make: Any = boto3.client
    return make(
        service,
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
        config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
    )


@pytest.fixture(scope="session")
def s3_url() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="session")
def s3(s3_url: str) -> Any:
    """S3 with 30 drawn pages: 24 for training, 6 for validation."""
    s3 = client("s3", s3_url)
    s3.create_bucket(Bucket=BUCKET)
    records = []
    for number in range(30):
        kind = CLASSES[number % 3]
        key = f"jobs/1/pages/{number}/1.jpeg"
        s3.put_object(Bucket=BUCKET, Key=key, Body=page(kind, number))
        records.append(record(key, kind, "continue" if number % 5 == 0 else "start"))
    s3.put_object(Bucket=BUCKET, Key="jobs/1/dataset/train.jsonl", Body=jsonl(records[:24]))
    s3.put_object(Bucket=BUCKET, Key="jobs/1/dataset/validation.jsonl", Body=jsonl(records[24:]))
    return s3


@pytest.fixture(scope="session")
def server(s3_url: str, s3: Any) -> Iterator[BedrockServer]:
    with BedrockServer(seconds_per_phase=0.05, s3_endpoint=s3_url) as server:
        yield server


@pytest.fixture(scope="session")
def bedrock(server: BedrockServer) -> Any:
    return client("bedrock", server.url)


@pytest.fixture(scope="session")
def runtime(server: BedrockServer) -> Any:
    return client("bedrock-runtime", server.url)


@pytest.fixture(scope="session")
def unique() -> Callable[[str], str]:
    """Return a new name at each call: a job's name stays in use."""
    counter = itertools.count(1)
    return lambda stem: f"{stem}-{next(counter)}"


def request(name: str, **changes: Any) -> dict[str, Any]:
    """Return a complete CreateModelCustomizationJob request; a change to None leaves the member out."""
    whole = {
        "jobName": name,
        "customModelName": f"{name}-model",
        "roleArn": ROLE,
        "baseModelIdentifier": "amazon.nova-lite-v1:0:300k",
        "customizationType": "FINE_TUNING",
        "trainingDataConfig": {"s3Uri": TRAINING},
        "outputDataConfig": {"s3Uri": OUTPUT},
        "hyperParameters": {"epochCount": "2", "learningRate": "0.00001", "learningRateWarmupSteps": "10"},
    }
    return {member: value for member, value in (whole | changes).items() if value is not None}


def wait_for_end(bedrock: Any, job: str) -> Job:
    """Return the job once it has ended; raises TimeoutError after 30 s."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        found: Job = bedrock.get_model_customization_job(jobIdentifier=job)
        if found["status"] not in ("InProgress", "Stopping"):
            return found
        time.sleep(0.05)
    raise TimeoutError(f"{job} is still {found['status']}")


@pytest.fixture
def submit(bedrock: Any, unique: Callable[[str], str]) -> Iterator[Submit]:
    """Submit a job with changes to a complete request and return its ARN; stop the job after the test."""
    arns: list[str] = []

    def create(**changes: Any) -> str:
        answer = bedrock.create_model_customization_job(**request(unique("job"), **changes))
        arns.append(answer["jobArn"])
        return arns[-1]

    yield create
    for arn in arns:
        if bedrock.get_model_customization_job(jobIdentifier=arn)["status"] == "InProgress":
            bedrock.stop_model_customization_job(jobIdentifier=arn)


@pytest.fixture(scope="session")
def trained(bedrock: Any) -> Job:
    """A finished job, trained with a validation set."""
    validation = {"validators": [{"s3Uri": VALIDATION}]}
    tags = [{"key": "idp-finetuning:job-id", "value": "1"}]
    bedrock.create_model_customization_job(
        **request("trained", validationDataConfig=validation, jobTags=tags, customModelTags=tags)
    )
    return wait_for_end(bedrock, "trained")


@pytest.fixture(scope="session")
def deployed(bedrock: Any, trained: Job) -> str:
    """ARN of an Active deployment of the trained model."""
    answer = bedrock.create_custom_model_deployment(
        modelDeploymentName="deployed", modelArn=trained["outputModelArn"], description="for the tests"
    )
    arn: str = answer["customModelDeploymentArn"]
    while bedrock.get_custom_model_deployment(customModelDeploymentIdentifier=arn)["status"] != "Active":
        time.sleep(0.02)
    return arn
