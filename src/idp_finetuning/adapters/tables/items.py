"""What all tables need: models as DynamoDB items, reads by key and by index, and why a write was refused."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeAlias, TypedDict, TypeVar

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import ClientError
from pydantic import Field

from idp_finetuning.adapters.aws_calls import error_code
from idp_finetuning.errors import TransientError
from idp_finetuning.pagination import OpaqueToken, Page
from idp_finetuning.wire import WireModel, read_stored

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef, TransactWriteItemTypeDef

# What one table adds to a transaction of another.
TransactionPart: TypeAlias = "TransactWriteItemTypeDef"

M = TypeVar("M", bound=WireModel)

# Seconds before each repetition of a transaction that met another one, which takes milliseconds.
TRANSACTION_WAITS = (0.05, 0.1, 0.2, 0.4)
_MOST_KEYS = 100  # that BatchGetItem takes [DynamoDB API Reference, BatchGetItem]
# Seconds before each repetition of a read that left items out, as it does when throttled or above 16 MB.
READ_WAITS = (0.05, 0.1, 0.2, 0.4, 0.8)

_serializer = TypeSerializer()
_deserializer = TypeDeserializer()


def to_attributes(values: Mapping[str, Any]) -> dict[str, Any]:
    """Convert JSON-ready values to DynamoDB attributes; None is left out."""
    exact = json.loads(json.dumps(values), parse_float=Decimal)
    return {name: _serializer.serialize(value) for name, value in exact.items() if value is not None}


def from_attributes(model: type[M], item: Mapping[str, Any]) -> M:
    """Return the model in an item; keys of the table and attributes of a newer release are dropped."""
    return read_stored(model, {name: _deserializer.deserialize(value) for name, value in item.items()})


class UpdateArguments(TypedDict):
    """Return UpdateItem's expression, names and values that set the (camelCase) changes and remove the others."""

    UpdateExpression: str
    ExpressionAttributeNames: dict[str, str]
    ExpressionAttributeValues: dict[str, Any]


def update_arguments(changes: Mapping[str, Any], removed: Collection[str] = ()) -> UpdateArguments:
    """Return an Update's expression, names and values that set the (camelCase) changes and remove the others."""
    names = {f"#{name}": name for name in [*changes, *removed]}
    expression = "SET " + ", ".join(f"#{name} = :{name}" for name in changes)
    if removed:
        expression += " REMOVE " + ", ".join(f"#{name}" for name in removed)
    values = {f":{name}": value for name, value in to_attributes(changes).items()}
    return {
        "UpdateExpression": expression,
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": values,
    }


def read_item(dynamodb: DynamoDBClient, table: str, key: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the item as it is now, or None if there is none."""
    return dynamodb.get_item(TableName=table, Key=key, ConsistentRead=True).get("Item")


def failed_conditions(error: ClientError) -> frozenset[str]:
    """Return why a write was refused, as a transaction's cancellation reasons; empty for an error of another kind."""
    if error_code(error) == "ConditionalCheckFailedException":
        return frozenset({"ConditionalCheckFailed"})
    if error_code(error) != "TransactionCanceledException":
        return frozenset()
    reasons = error.response.get("CancellationReasons", [])
    return frozenset(reason["Code"] for reason in reasons) - {"None"}


def write_transaction(dynamodb: DynamoDBClient, parts: Sequence[TransactionPart]) -> None:
    """Write all parts, again if another write of the same items was under way.

    A repeated transaction is a new request: the conditions of its parts decide again.
    """
    for waited in (*TRANSACTION_WAITS, None):
        try:
            dynamodb.transact_write_items(TransactItems=parts)
        except ClientError as error:
            if waited is None or failed_conditions(error) != {"TransactionConflict"}:
                raise
            time.sleep(random.uniform(waited / 2, waited))  # noqa: S311 - spreads requests, protects nothing
        else:
            return


class PageToken(OpaqueToken):
    """Where the next page of an index begins: the last item's sort key and id."""

    created_at: str = Field(pattern=r"^[0-9TZ:.-]{20,30}$")
    id: str = Field(min_length=1, max_length=100)


class IndexedKey(WireModel):
    """What every index keyed by a createdAt has of an item."""

    id: str
    created_at: str


def read_items(
    dynamodb: DynamoDBClient, table: str, keys: Sequence[Mapping[str, Any]]
) -> list[dict[str, AttributeValueTypeDef]]:
    """Return the items with these keys that there are now, in any order.

    Raises TransientError if DynamoDB keeps leaving some out, as it does when throttled.
    """
    found: list[dict[str, AttributeValueTypeDef]] = []
    for start in range(0, len(keys), _MOST_KEYS):
        part = list(keys[start : start + _MOST_KEYS])
        wanted: dict[str, Any] = {table: {"Keys": part, "ConsistentRead": True}}
        for waited in (*READ_WAITS, None):
            answer = dynamodb.batch_get_item(RequestItems=wanted)
            found += answer["Responses"].get(table, [])
            wanted = dict(answer.get("UnprocessedKeys", {}))
            if not wanted:
                break
            if waited is None:
                raise TransientError("DynamoDB is throttled. Try again later.")
            time.sleep(random.uniform(waited / 2, waited))  # noqa: S311 - spreads requests, protects nothing
    return found


def query_newest_keys(
    dynamodb: DynamoDBClient,
    *,
    table: str,
    index: str,
    partition: tuple[str, str],
    limit: int,
    next_token: str | None,
    extra_key: Mapping[str, Any],
) -> Page[IndexedKey]:
    """Return a page of the keys of an index keyed by `partition`, a name and its value, and createdAt, newest first.

    `extra_key` completes the table's own key. Raises InvalidInput for a token of another list.
    """
    name, value = partition
    arguments: dict[str, Any] = {
        "TableName": table,
        "IndexName": index,
        "KeyConditionExpression": "#partition = :value",
        "ExpressionAttributeNames": {"#partition": name},
        "ExpressionAttributeValues": to_attributes({":value": value}),
        "ScanIndexForward": False,
        "Limit": limit,
    }
    if next_token:
        token = PageToken.from_text(next_token)
        start = {name: value, "createdAt": token.created_at, "id": token.id, **extra_key}
        arguments["ExclusiveStartKey"] = to_attributes(start)
    page = dynamodb.query(**arguments)
    last = page.get("LastEvaluatedKey")
    return Page(
        items=tuple(from_attributes(IndexedKey, item) for item in page["Items"]),
        next_token=PageToken(created_at=last["createdAt"]["S"], id=last["id"]["S"]).to_text() if last else None,
    )
