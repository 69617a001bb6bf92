"""DynamoDB of the local account where requests come at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from idp_finetuning.deployment import TEST_SETS_TABLE
from idp_local.aws.names import PREFIX
from idp_local.environment import local_client
from idp_local.runtime import LocalRuntime

pytestmark = pytest.mark.xdist_group("local_runtime")

TABLE = TEST_SETS_TABLE.table_name(PREFIX)


@pytest.fixture(scope="module")
def dynamodb(runtime: LocalRuntime) -> Any:
    """DynamoDB with one test set, `shared`, whose count is 0, among many others."""
    client = local_client("dynamodb", runtime.connection.aws_endpoint_url)
    for first in range(0, 500, 25):
        puts = [{"PutRequest": {"Item": {"id": {"S": f"filler {first + n}"}}}} for n in range(25)]
        client.batch_write_item(RequestItems={TABLE: puts})
    client.put_item(TableName=TABLE, Item={"id": {"S": "shared"}, "count": {"N": "0"}})
    return client


def write(test_set_id: str, **condition: str) -> dict[str, Any]:
    """A transaction's update that sets `touched`."""
    return {
        "Update": {
            "TableName": TABLE,
            "Key": {"id": {"S": test_set_id}},
            "UpdateExpression": "SET touched = :yes",
            "ExpressionAttributeValues": {":yes": {"S": "yes"}},
            **condition,
        }
    }


def item(dynamodb: Any, test_set_id: str) -> Any:
    return dynamodb.get_item(TableName=TABLE, Key={"id": {"S": test_set_id}}).get("Item")


def test_a_cancelled_transaction_leaves_all_items_as_they_were(dynamodb: Any) -> None:
    missing = write("other", ConditionExpression="attribute_exists(id)")
    new = {"Put": {"TableName": TABLE, "Item": {"id": {"S": "new"}}}}
    with pytest.raises(dynamodb.exceptions.TransactionCanceledException):
        dynamodb.transact_write_items(TransactItems=[write("filler 0"), new, missing])
    assert item(dynamodb, "filler 0") == {"id": {"S": "filler 0"}}
    assert (item(dynamodb, "new"), item(dynamodb, "other")) == (None, None)


def test_what_others_write_during_cancelled_transactions_stays(dynamodb: Any) -> None:
    def count(_: int) -> None:
        dynamodb.update_item(
            TableName=TABLE,
            Key={"id": {"S": "shared"}},
            UpdateExpression="ADD #count :one",
            ExpressionAttributeNames={"#count": "count"},
            ExpressionAttributeValues={":one": {"N": "1"}},
        )

    def cancel(_: int) -> None:
        with pytest.raises(dynamodb.exceptions.TransactionCanceledException):
            dynamodb.transact_write_items(
                TransactItems=[write("bystander"), write("other", ConditionExpression="attribute_exists(id)")]
            )

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: (count if n % 2 else cancel)(n), range(80)))
    assert item(dynamodb, "shared")["count"] == {"N": "40"}


def test_of_writes_with_one_condition_one_succeeds(dynamodb: Any) -> None:
    def claim(number: int) -> bool:
        try:
            dynamodb.transact_write_items(
                TransactItems=[write(f"claim {number // 8}", ConditionExpression="attribute_not_exists(id)")]
            )
        except dynamodb.exceptions.TransactionCanceledException:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        claimed = list(pool.map(claim, range(80)))
    assert [sum(claimed[start : start + 8]) for start in range(0, 80, 8)] == [1] * 10
