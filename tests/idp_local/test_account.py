"""What the local account holds, as the services themselves tell it."""

from __future__ import annotations

from typing import Any

import pytest

from idp_finetuning.deployment import GROUPS, TABLES, TableSpec
from idp_local.aws.names import PREFIX
from idp_local.environment import local_client
from idp_local.runtime import LocalRuntime

pytestmark = pytest.mark.xdist_group("local_runtime")


def client(runtime: LocalRuntime, service: str) -> Any:
    return local_client(service, runtime.connection.aws_endpoint_url)


def keys(schema: list[dict[str, str]]) -> list[str]:
    return [key["AttributeName"] for key in schema]


@pytest.mark.parametrize("spec", TABLES, ids=lambda spec: spec.name)
def test_a_table_has_the_keys_and_indexes_of_the_settings(runtime: LocalRuntime, spec: TableSpec) -> None:
    table = client(runtime, "dynamodb").describe_table(TableName=spec.table_name(PREFIX))["Table"]
    assert keys(table["KeySchema"]) == [key for key in (spec.partition_key, spec.sort_key) if key]
    found = {index["IndexName"]: index for index in table.get("GlobalSecondaryIndexes", [])}
    assert set(found) == {index.name for index in spec.indexes}
    for index in spec.indexes:
        assert keys(found[index.name]["KeySchema"]) == [index.partition_key, index.sort_key]
        projection = found[index.name]["Projection"]
        assert projection["ProjectionType"] == ("INCLUDE" if index.projected else "KEYS_ONLY")
        assert set(projection.get("NonKeyAttributes", [])) == set(index.projected)


def test_both_buckets_keep_versions_and_have_no_policy(runtime: LocalRuntime) -> None:
    s3 = client(runtime, "s3")
    for bucket in (runtime.connection.data_bucket, runtime.connection.test_set_bucket):
        assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
        with pytest.raises(s3.exceptions.ClientError, match="NoSuchBucketPolicy"):
            s3.get_bucket_policy(Bucket=bucket)


def test_the_client_of_the_pool_is_public_and_allows_the_three_flows(runtime: LocalRuntime) -> None:
    found = client(runtime, "cognito-idp").describe_user_pool_client(
        UserPoolId=runtime.connection.user_pool_id, ClientId=runtime.connection.user_pool_client_id
    )["UserPoolClient"]
    assert "ClientSecret" not in found
    assert set(found["ExplicitAuthFlows"]) == {
        "ALLOW_USER_PASSWORD_AUTH",
        "ALLOW_USER_SRP_AUTH",
        "ALLOW_REFRESH_TOKEN_AUTH",
    }


def test_every_group_has_one_user_and_one_user_has_no_group(runtime: LocalRuntime) -> None:
    cognito, pool = client(runtime, "cognito-idp"), runtime.connection.user_pool_id
    members = {
        group: cognito.list_users_in_group(UserPoolId=pool, GroupName=group)["Users"]
        for group in (found["GroupName"] for found in cognito.list_groups(UserPoolId=pool)["Groups"])
    }
    assert {group: len(users) for group, users in members.items()} == dict.fromkeys(GROUPS, 1)
    assert len(cognito.list_users(UserPoolId=pool)["Users"]) == len(GROUPS) + 1
    assert [user.group for user in runtime.connection.users] == [*GROUPS, None]


def test_the_jobs_of_functions_and_clients_name_the_same_state_machine(runtime: LocalRuntime) -> None:
    machines = client(runtime, "stepfunctions").list_state_machines()["stateMachines"]
    assert runtime.connection.state_machine_arn in [machine["stateMachineArn"] for machine in machines]
