"""The permissions of calls that need others than the one of the operation's name."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.iam.calls import needs
from tests.support.iam.policies import Need
from tests.support.local.call_log import AwsCall

NAMES = {"data-local": "DataBucket"}


def actions(
    service: str, operation: str, parameters: dict[str, Any], error: str | None = None
) -> list[tuple[str, str]]:
    """Actions and the last parts of their resources."""
    call = AwsCall(function="f", service=service, operation=operation, parameters=parameters, error=error)
    return [(need.action, need.resource.split(":", 5)[5]) for need in needs(call, NAMES)]


def test_a_head_of_an_absent_object_needs_to_read_it_and_to_list_the_bucket() -> None:
    assert actions("s3", "HeadObject", {"Bucket": "data-local", "Key": "a/b"}, "404") == [
        ("s3:GetObject", "DataBucket/a/b"),
        ("s3:ListBucket", "DataBucket"),
    ]


def test_the_removal_of_versions_needs_both_deletions() -> None:
    doomed = {"Objects": [{"Key": "a", "VersionId": "1"}, {"Key": "b"}]}
    assert actions("s3", "DeleteObjects", {"Bucket": "data-local", "Delete": doomed}) == [
        ("s3:DeleteObject", "DataBucket/a"),
        ("s3:DeleteObjectVersion", "DataBucket/a"),
        ("s3:DeleteObject", "DataBucket/b"),
    ]


def test_a_transaction_needs_what_its_parts_need() -> None:
    items = [{"Put": {"TableName": "t"}}, {"ConditionCheck": {"TableName": "u"}}]
    assert actions("dynamodb", "TransactWriteItems", {"TransactItems": items}) == [
        ("dynamodb:PutItem", "table/t"),
        ("dynamodb:ConditionCheckItem", "table/u"),
    ]


def test_a_query_of_an_index_needs_the_index() -> None:
    assert actions("dynamodb", "Query", {"TableName": "t", "IndexName": "i"}) == [("dynamodb:Query", "table/t/index/i")]


@pytest.mark.parametrize("operation", ["CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload"])
def test_parts_are_put(operation: str) -> None:
    assert actions("s3", operation, {"Bucket": "data-local", "Key": "a"}) == [("s3:PutObject", "DataBucket/a")]


def test_a_customization_job_needs_its_model_its_tags_and_its_role() -> None:
    parameters = {
        "jobName": "n",
        "customModelName": "m",
        "roleArn": "arn:aws:iam::123456789012:role/bedrock",
        "baseModelIdentifier": "amazon.nova-lite-v1:0:300k",
        "jobTags": [{"key": "k"}],
    }
    call = AwsCall(function="f", service="bedrock", operation="CreateModelCustomizationJob", parameters=parameters)
    create, bedrock = "bedrock:CreateModelCustomizationJob", "arn:aws:bedrock:us-east-1"
    assert needs(call, {}) == [
        Need(create, f"{bedrock}::foundation-model/amazon.nova-lite-v1:0:300k"),
        Need(create, f"{bedrock}:123456789012:custom-model/m"),
        Need(create, f"{bedrock}:123456789012:model-customization-job/n"),
        Need("bedrock:TagResource", f"{bedrock}:123456789012:model-customization-job/n"),
        Need("iam:PassRole", "arn:aws:iam::123456789012:role/bedrock", "bedrock.amazonaws.com"),
    ]


def test_an_operation_that_nobody_taught_is_not_guessed() -> None:
    with pytest.raises(KeyError):
        actions("s3", "CopyObject", {"Bucket": "data-local", "Key": "a"})
