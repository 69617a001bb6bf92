"""AWS in memory: buckets, tables and state machines as the stack makes them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cache
from typing import Any

import boto3
import pytest
from botocore.config import Config
from moto import mock_aws

from idp_finetuning.adapters.buckets import DataBucket, TestSetBucket
from idp_finetuning.adapters.tables.jobs import JobTable
from idp_finetuning.adapters.tables.test_sets import TestSetTable
from idp_finetuning.deployment import GROUPS, STATE_MACHINES, TABLES, environment_variables, state_machine_name
from idp_local.aws.dynamodb import serialize_requests
from idp_local.aws.storage import create_table
from tests.support.domain.fake_account import FakeLambda, FakeServiceQuotas
from tests.support.domain.fake_bedrock import FakeBedrock

REGION = "us-east-1"

serialize_requests()  # some functions call DynamoDB from several threads, which moto does not stand


@cache
def client(service: str) -> Any:
    """One client a service for all tests, because making one takes a second; moto answers it wherever it is on."""
    session: Any = boto3.Session(aws_access_key_id="testing", aws_secret_access_key="testing", region_name=REGION)
    return session.client(service, config=Config(signature_version="s3v4" if service == "s3" else None))


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """AWS that lasts one test; no call leaves the process."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
    }.items():
        monkeypatch.setenv(name, value)
    for name in [name for name in os.environ if name.startswith("AWS_ENDPOINT_URL")]:
        monkeypatch.delenv(name)
    with mock_aws():
        yield


@pytest.fixture
def s3(aws: None) -> Any:
    """S3 with both buckets; the data bucket keeps versions."""
    s3 = client("s3")
    for bucket in ("documents", "data"):
        s3.create_bucket(Bucket=bucket)
    s3.put_bucket_versioning(Bucket="data", VersioningConfiguration={"Status": "Enabled"})
    return s3


@pytest.fixture
def dynamodb(aws: None) -> Any:
    """DynamoDB with all tables."""
    dynamodb = client("dynamodb")
    for spec in TABLES:
        create_table(dynamodb, spec, "t")
    return dynamodb


@pytest.fixture
def jobs(dynamodb: Any) -> JobTable:
    """Job records."""
    return JobTable(dynamodb, "t-jobs")


@pytest.fixture
def test_sets(dynamodb: Any) -> TestSetTable:
    """Test-set records."""
    return TestSetTable(dynamodb, "t-test-sets")


@pytest.fixture
def documents_bucket(s3: Any) -> TestSetBucket:
    """The bucket of test sets."""
    return TestSetBucket(s3, "documents")


@pytest.fixture
def data(s3: Any) -> DataBucket:
    """The bucket of job data."""
    return DataBucket(s3, "data")


@pytest.fixture
def fake_bedrock() -> FakeBedrock:
    """Bedrock's control plane."""
    return FakeBedrock()


@pytest.fixture
def fake_lambda() -> FakeLambda:
    """Lambda's Invoke and account settings."""
    return FakeLambda()


@pytest.fixture
def fake_service_quotas() -> FakeServiceQuotas:
    """Service Quotas."""
    return FakeServiceQuotas()


@pytest.fixture
def user_pool(aws: None) -> str:
    """Id of a pool whose users sign in by e-mail address, with the four groups and nobody in it."""
    cognito = client("cognito-idp")
    pool = cognito.create_user_pool(PoolName="t", UsernameAttributes=["email"])["UserPool"]["Id"]
    for group in GROUPS:
        cognito.create_group(GroupName=group, UserPoolId=pool)
    return str(pool)


@pytest.fixture
def environment(
    monkeypatch: pytest.MonkeyPatch,
    s3: Any,
    dynamodb: Any,
    user_pool: str,
    fake_bedrock: FakeBedrock,
    fake_lambda: FakeLambda,
    fake_service_quotas: FakeServiceQuotas,
) -> dict[str, str]:
    """The environment variables of the functions, set in this process, so that handlers can run."""
    stepfunctions = client("stepfunctions")
    arns = {
        name: stepfunctions.create_state_machine(
            name=state_machine_name(name, "t"),
            definition='{"StartAt": "End", "States": {"End": {"Type": "Succeed"}}}',
            roleArn="arn:aws:iam::123456789012:role/states",
        )["stateMachineArn"]
        for name in STATE_MACHINES
    }
    values = environment_variables(
        "t",
        data_bucket="data",
        data_bucket_owner="123456789012",
        test_set_bucket="documents",
        user_pool_id=user_pool,
        state_machine_arns=arns,
        bedrock_role_arn="arn:aws:iam::123456789012:role/bedrock",
        training_poll_seconds=60,
        deployment_poll_seconds=60,
    )
    variables = {str(variable): value for variable, value in values.items()}
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    fakes = {"bedrock": fake_bedrock, "lambda": fake_lambda, "service-quotas": fake_service_quotas}
    monkeypatch.setattr(
        "idp_finetuning.adapters.services.client",
        lambda service: fakes.get(service) or client(service),
    )
    return variables
