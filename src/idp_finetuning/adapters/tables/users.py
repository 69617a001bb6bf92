"""User records in DynamoDB: what Admins decided about them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from idp_finetuning.adapters.tables.items import from_attributes, read_item, to_attributes
from idp_finetuning.classification.scopes import UserRecord

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class UserTable:
    """The Users table, keyed by the user's `sub`; most users have no record."""

    def __init__(self, dynamodb: DynamoDBClient, table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    def find(self, user_id: str) -> UserRecord | None:
        """Return the record, or None if there is none."""
        item = read_item(self._dynamodb, self._table, to_attributes({"id": user_id}))
        return from_attributes(UserRecord, item) if item else None

    def put(self, record: UserRecord) -> None:
        """Write the record over any earlier one."""
        self._dynamodb.put_item(TableName=self._table, Item=to_attributes(record.to_wire()))

    def delete(self, user_id: str) -> None:
        """Remove the record; idempotent."""
        self._dynamodb.delete_item(TableName=self._table, Key=to_attributes({"id": user_id}))
