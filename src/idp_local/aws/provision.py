"""Creates the resources of the stack in the local account, if they are not there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from idp_finetuning.deployment import TABLES, FunctionSpec
from idp_local.aws.identity import UserPool, find_or_create_user_pool
from idp_local.aws.names import DATA_BUCKET, NOTIFICATION_SENDER, PREFIX, TEST_SET_BUCKET, function_arn
from idp_local.aws.state_machines import create_state_machines
from idp_local.aws.storage import add_missing_indexes, create_bucket, create_table
from idp_local.connection import LocalUser
from idp_local.environment import local_client


def provision(
    aws_url: str,
    *,
    functions: Sequence[FunctionSpec],
    definitions: Path,
    retry_interval_seconds: int,
    known_users: Mapping[str, LocalUser],
) -> UserPool:
    """Create buckets, tables, state machines and user pool; return the pool with the ids that Cognito made."""
    s3 = local_client("s3", aws_url)
    buckets = {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]}
    for bucket in {DATA_BUCKET, TEST_SET_BUCKET} - buckets:
        create_bucket(s3, bucket)
    dynamodb = local_client("dynamodb", aws_url)
    tables = dynamodb.list_tables()["TableNames"]
    for table in TABLES:
        if table.table_name(PREFIX) not in tables:
            create_table(dynamodb, table, PREFIX)
        else:
            add_missing_indexes(dynamodb, table, PREFIX)
    create_state_machines(
        local_client("stepfunctions", aws_url),
        definitions,
        names={
            **{f"{spec.name}Arn": function_arn(spec.function_name(PREFIX)) for spec in functions},
            "DataBucketName": DATA_BUCKET,
        },
        retry_interval_seconds=retry_interval_seconds,
    )
    local_client("sesv2", aws_url).create_email_identity(EmailIdentity=NOTIFICATION_SENDER)
    return find_or_create_user_pool(local_client("cognito-idp", aws_url), PREFIX, known_users)
