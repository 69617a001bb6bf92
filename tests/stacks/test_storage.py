"""Tables as deployment.TABLES says; buckets closed, encrypted and tidy; attached ones left alone."""

from __future__ import annotations

from typing import Any

import pytest

from idp_finetuning.deployment import CLASSIFICATION_DAYS, TABLES, TableSpec
from tests.stacks.conftest import Synthesize
from tests.support.stacks.deployed import Deployed

USER_DATA = ("AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::Cognito::UserPool")
BUCKETS = pytest.mark.parametrize("bucket", ["DataBucket", "TestSetBucket"])


def _keys(schema: list[dict[str, str]]) -> dict[str, str]:
    return {key["KeyType"]: key["AttributeName"] for key in schema}


def _expected_keys(partition_key: str, sort_key: str | None) -> dict[str, str]:
    return {"HASH": partition_key} | ({"RANGE": sort_key} if sort_key else {})


def _expected_projection(projected: tuple[str, ...]) -> dict[str, Any]:
    if not projected:
        return {"ProjectionType": "KEYS_ONLY"}
    return {"ProjectionType": "INCLUDE", "NonKeyAttributes": list(projected)}


@pytest.mark.parametrize("spec", TABLES, ids=lambda spec: spec.name)
def test_a_table_has_the_keys_and_indexes_of_its_specification(deployed: Deployed, spec: TableSpec) -> None:
    table = deployed.tables()[spec.name]
    assert _keys(table["KeySchema"]) == _expected_keys(spec.partition_key, spec.sort_key)
    assert {
        index["IndexName"]: (_keys(index["KeySchema"]), index["Projection"])
        for index in table.get("GlobalSecondaryIndexes", [])
    } == {
        index.name: (_expected_keys(index.partition_key, index.sort_key), _expected_projection(index.projected))
        for index in spec.indexes
    }
    assert {definition["AttributeType"] for definition in table["AttributeDefinitions"]} == {"S"}


@pytest.mark.parametrize("count", [0, 1, 2])
def test_an_upgrade_adds_one_index_at_a_time(synthesize: Synthesize, count: int) -> None:
    """DynamoDB takes one new index an update (DynamoDB API reference, UpdateTable)."""
    table = Deployed(synthesize(jobFilterIndexes=str(count))).tables()["jobs"]
    present = [index["IndexName"] for index in table["GlobalSecondaryIndexes"]]
    assert present == ["ByCreation", "Unfinished", "ByDeployment", "ByTestSet", "ByStatus"][: 3 + count]


def test_there_is_a_table_for_each_specification(deployed: Deployed) -> None:
    assert set(deployed.tables()) == {spec.name for spec in TABLES}


def test_tables_are_paid_by_request_and_can_be_restored(deployed: Deployed) -> None:
    for table in deployed.of_type("AWS::DynamoDB::Table"):
        assert table["BillingMode"] == "PAY_PER_REQUEST"
        assert table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True
        assert table["DeletionProtectionEnabled"] is True


@BUCKETS
def test_a_bucket_is_private_encrypted_and_versioned(deployed: Deployed, bucket: str) -> None:
    properties = deployed.buckets()[bucket]
    assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}
    assert len(properties["PublicAccessBlockConfiguration"]) == 4
    (encryption,) = properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert encryption["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    assert properties["VersioningConfiguration"] == {"Status": "Enabled"}
    assert properties["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]


@BUCKETS
def test_a_bucket_refuses_everything_without_tls(deployed: Deployed, bucket: str) -> None:
    denials = [statement for statement in deployed.buckets()[bucket]["BucketPolicy"] if statement["Effect"] == "Deny"]
    arn = f"arn:aws:s3:::{bucket}"
    assert {
        "Action": "s3:*",
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        "Effect": "Deny",
        "Principal": {"AWS": "*"},
        "Resource": [arn, f"{arn}/*"],
    } in denials
    assert {"NumericLessThan": {"s3:TlsVersion": 1.2}} in [statement["Condition"] for statement in denials]


@BUCKETS
def test_old_versions_and_unfinished_uploads_are_cleared(deployed: Deployed, bucket: str) -> None:
    rules = deployed.buckets()[bucket]["LifecycleConfiguration"]["Rules"]
    assert any(rule.get("NoncurrentVersionExpiration") == {"NoncurrentDays": 30} for rule in rules)
    assert any("AbortIncompleteMultipartUpload" in rule for rule in rules)
    assert {rule["Status"] for rule in rules} == {"Enabled"}


def test_no_labelled_document_and_no_job_data_expires_by_itself(deployed: Deployed) -> None:
    expiring = {
        (name, rule.get("Prefix"))
        for name, bucket in deployed.buckets().items()
        for rule in bucket["LifecycleConfiguration"]["Rules"]
        if "ExpirationInDays" in rule
    }
    assert expiring == {("DataBucket", "validation/"), ("DataBucket", "classifications/"), ("AccessLogs", None)}


def test_classifications_are_kept_for_thirty_days(deployed: Deployed) -> None:
    rules = deployed.buckets()["DataBucket"]["LifecycleConfiguration"]["Rules"]
    (days,) = [rule["ExpirationInDays"] for rule in rules if rule.get("Prefix") == "classifications/"]
    assert days == CLASSIFICATION_DAYS


@BUCKETS
def test_every_access_to_a_bucket_is_logged_as_long_as_other_logs_last(customized: Deployed, bucket: str) -> None:
    buckets = customized.buckets()
    assert buckets[bucket]["LoggingConfiguration"] == {
        "DestinationBucketName": "AccessLogs",
        "LogFilePrefix": f"{bucket}/",
    }
    (rule,) = buckets["AccessLogs"]["LifecycleConfiguration"]["Rules"]
    assert (rule["Status"], rule["ExpirationInDays"]) == ("Enabled", 7)
    writers = [
        s for s in buckets["AccessLogs"]["BucketPolicy"] if s["Effect"] == "Allow" and "Service" in s["Principal"]
    ]
    sources = {w["Condition"]["ArnLike"]["aws:SourceArn"]: (w["Principal"]["Service"], w["Resource"]) for w in writers}
    assert sources[f"arn:aws:s3:::{bucket}"] == (
        "logging.s3.amazonaws.com",
        f"arn:aws:s3:::AccessLogs/{bucket}/*",
    )


def test_browsers_may_post_documents_and_nothing_else(deployed: Deployed) -> None:
    for name in ("DataBucket", "TestSetBucket"):
        (rule,) = deployed.buckets()[name]["CorsConfiguration"]["CorsRules"]
        assert rule["AllowedMethods"] == ["POST"]
    assert "CorsConfiguration" not in deployed.buckets()["AccessLogs"]


def _policies(template: dict[str, Any]) -> set[str]:
    return {
        resource[policy]
        for resource in template["Resources"].values()
        if resource["Type"] in USER_DATA
        for policy in ("DeletionPolicy", "UpdateReplacePolicy")
    }


# The properties that give a resource a physical name (CloudFormation template reference), if it can be retained.
NAMES = {
    "AWS::DynamoDB::Table": "TableName",
    "AWS::S3::Bucket": "BucketName",
    "AWS::Cognito::UserPool": "UserPoolName",
}


def test_nothing_is_both_fixed_in_name_and_retained(template: dict[str, Any]) -> None:
    """What a failed first deployment leaves would block its repetition."""
    kept = [r for r in template["Resources"].values() if "Retain" in r.get("DeletionPolicy", "Delete")]
    assert {resource["Type"] for resource in kept} - set(NAMES) == {"AWS::Lambda::Version"}  # numbered by Lambda
    assert [r for r in kept if NAMES.get(r["Type"]) in r["Properties"]] == []


def test_user_data_outlives_the_stack(template: dict[str, Any]) -> None:
    assert _policies(template) == {"Retain"}


def test_user_data_goes_with_the_stack_where_the_context_says_so(customized: Deployed) -> None:
    assert _policies(customized.template) == {"Delete"}
    assert not any(table["DeletionProtectionEnabled"] for table in customized.of_type("AWS::DynamoDB::Table"))
    assert customized.only("AWS::Cognito::UserPool")["DeletionProtection"] == "INACTIVE"


def test_old_versions_live_as_long_as_the_context_says(customized: Deployed) -> None:
    for name in ("DataBucket", "TestSetBucket"):
        rules = customized.buckets()[name]["LifecycleConfiguration"]["Rules"]
        assert [r["NoncurrentVersionExpiration"] for r in rules if "NoncurrentVersionExpiration" in r] == [
            {"NoncurrentDays": 5}
        ]


def test_an_attached_bucket_is_not_part_of_the_stack(attached: Deployed) -> None:
    assert set(attached.buckets()) == {"DataBucket", "AccessLogs"}
    assert attached.outputs()["TestSetBucketName"] == "accelerator-test-sets"
    names = {
        function["Environment"]["Variables"].get("TEST_SET_BUCKET")
        for function in attached.of_type("AWS::Lambda::Function")
    }
    assert names == {"accelerator-test-sets", None}


def test_nobody_may_write_to_an_attached_bucket(attached: Deployed) -> None:
    actions = {
        action
        for role in attached.roles()
        for statement in attached.statements(role)
        if any(resource.startswith("arn:aws:s3:::accelerator-test-sets") for resource in statement.resources)
        for action in statement.actions
    }
    assert actions == {"s3:ListBucket", "s3:GetObject"}


def test_the_key_of_an_attached_bucket_is_used_through_s3_only(attached: Deployed) -> None:
    users = {}
    for function in attached.of_type("AWS::Lambda::Function"):
        for statement in attached.statements(function["Role"]):
            if any(action.startswith("kms:") for action in statement.actions):
                users[function["FunctionName"]] = (statement.actions, statement.conditions)
    through_s3 = {"StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}}
    assert users == {
        f"idp-finetuning-{name}": (frozenset({"kms:Decrypt"}), through_s3)
        for name in (
            *("resolver", "read-labels", "validate-test-set", "generate-example", "classify-document"),
            *("prepare-evaluation", "evaluate-document"),
        )
    }
