"""Test-set records in DynamoDB."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from idp_finetuning.adapters.aws_calls import error_code
from idp_finetuning.adapters.tables.items import (
    from_attributes,
    query_newest,
    read_item,
    to_attributes,
    update_arguments,
)
from idp_finetuning.deployment import TEST_SETS_BY_CREATION
from idp_finetuning.errors import Conflict, TestSetNotFound
from idp_finetuning.pagination import Page
from idp_finetuning.test_sets.test_set import TestSet, TestSetStatus

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

KIND = "testSet"


class TestSetTable:
    """The TestSets table, keyed by id."""

    __test__ = False

    def __init__(self, dynamodb: DynamoDBClient, table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    def require_writable(self) -> None:
        """Do nothing: test sets in the deployment's own bucket may be written."""

    def create(self, test_set: TestSet) -> None:
        """Write a new record. Raises Conflict if the id is taken."""
        try:
            self._dynamodb.put_item(
                TableName=self._table,
                Item=to_attributes({**test_set.to_wire(), "kind": KIND}),
                ConditionExpression="attribute_not_exists(id)",
            )
        except ClientError as error:
            if error_code(error) != "ConditionalCheckFailedException":
                raise
            raise Conflict(f"A test set '{test_set.id}' exists already. Choose another name.") from error

    def get(self, test_set_id: str) -> TestSet:
        """Return the record. Raises TestSetNotFound."""
        item = read_item(self._dynamodb, self._table, to_attributes({"id": test_set_id}))
        if not item:
            raise TestSetNotFound(f"There is no test set '{test_set_id}'. listTestSets shows those there are.")
        return from_attributes(TestSet, item)

    def list(self, *, limit: int, next_token: str | None) -> Page[TestSet]:
        """Return a page of test sets, newest first."""
        return query_newest(
            self._dynamodb,
            TestSet,
            table=self._table,
            index=TEST_SETS_BY_CREATION.name,
            kind=KIND,
            limit=limit,
            next_token=next_token,
            extra_key={},
        )

    def mark_ready(self, test_set_id: str, file_count: int) -> TestSet:
        """Set READY and the number of documents. Idempotent. Raises Conflict if it is being deleted."""
        return self._update(
            test_set_id,
            {"status": TestSetStatus.READY.value, "fileCount": file_count},
            frozenset({TestSetStatus.UPLOADING, TestSetStatus.READY}),
        )

    def close(self, test_set_id: str) -> None:
        """Set DELETING, which takes the test set out of use; idempotent. Raises Conflict if it is gone."""
        self._update(test_set_id, {"status": TestSetStatus.DELETING.value}, frozenset(TestSetStatus))

    def reopen(self, test_set: TestSet) -> None:
        """Set the status that the test set had before it was closed."""
        self._update(test_set.id, {"status": test_set.status.value}, frozenset({TestSetStatus.DELETING}))

    def _update(self, test_set_id: str, changes: Mapping[str, object], origins: frozenset[TestSetStatus]) -> TestSet:
        arguments = update_arguments(changes)
        names = {f":from{number}": origin for number, origin in enumerate(sorted(origins))}
        arguments["ExpressionAttributeValues"] |= to_attributes(names)
        try:
            updated = self._dynamodb.update_item(
                TableName=self._table,
                Key=to_attributes({"id": test_set_id}),
                ConditionExpression=f"#status IN ({', '.join(names)})",
                ReturnValues="ALL_NEW",
                **arguments,
            )
        except ClientError as error:
            if error_code(error) != "ConditionalCheckFailedException":
                raise
            raise Conflict(
                f"Test set '{test_set_id}' is being deleted, or it is gone. Repeat deleteTestSet to finish this; "
                "create a new test set for new documents."
            ) from error
        return from_attributes(TestSet, updated["Attributes"])

    def delete(self, test_set_id: str) -> None:
        """Remove the record; idempotent."""
        self._dynamodb.delete_item(TableName=self._table, Key=to_attributes({"id": test_set_id}))
