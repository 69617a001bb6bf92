"""Creates the buckets and tables of the stack."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from idp_finetuning.deployment import IndexSpec, TableSpec


def create_bucket(s3: Any, name: str) -> None:
    """Create a versioned bucket, without a policy: moto ignores conditions, so a TLS-only Deny denies everything."""
    s3.create_bucket(Bucket=name)
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})


def create_table(dynamodb: Any, spec: TableSpec, prefix: str) -> None:
    """Create a table with its indexes; all keys are strings."""
    indexes = {"GlobalSecondaryIndexes": [_index(index) for index in spec.indexes]} if spec.indexes else {}
    keyed: tuple[TableSpec | IndexSpec, ...] = (spec, *spec.indexes)
    names = {name for keys in keyed for name in (keys.partition_key, keys.sort_key) if name}
    dynamodb.create_table(
        TableName=spec.table_name(prefix),
        KeySchema=_keys(spec.partition_key, spec.sort_key),
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in sorted(names)],
        BillingMode="PAY_PER_REQUEST",
        **indexes,
    )


def add_missing_indexes(dynamodb: Any, spec: TableSpec, prefix: str) -> None:
    """Give a table that an earlier release made the indexes that it lacks, one at a time as DynamoDB takes them."""
    table = dynamodb.describe_table(TableName=spec.table_name(prefix))["Table"]
    present = {index["IndexName"] for index in table.get("GlobalSecondaryIndexes", [])}
    for index in spec.indexes:
        if index.name not in present:
            names = (index.partition_key, index.sort_key)
            dynamodb.update_table(
                TableName=spec.table_name(prefix),
                AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in names],
                GlobalSecondaryIndexUpdates=[{"Create": _index(index)}],
            )


def _index(spec: IndexSpec) -> dict[str, Any]:
    return {
        "IndexName": spec.name,
        "KeySchema": _keys(spec.partition_key, spec.sort_key),
        "Projection": _projection(spec.projected),
    }


def _projection(attributes: Iterable[str]) -> dict[str, Any]:
    named = list(attributes)
    return {"ProjectionType": "INCLUDE", "NonKeyAttributes": named} if named else {"ProjectionType": "KEYS_ONLY"}


def _keys(partition_key: str, sort_key: str | None) -> list[dict[str, str]]:
    keys = [{"AttributeName": partition_key, "KeyType": "HASH"}]
    return [*keys, {"AttributeName": sort_key, "KeyType": "RANGE"}] if sort_key else keys
