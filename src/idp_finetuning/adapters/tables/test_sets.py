"""Test-set records in DynamoDB."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from idp_finetuning.adapters.aws_calls import error_code
from idp_finetuning.adapters.tables.items import (
    from_attributes,
    query_newest_keys,
    read_item,
    read_items,
    to_attributes,
    update_arguments,
)
from idp_finetuning.deployment import TEST_SETS_BY_CREATION
from idp_finetuning.errors import Conflict, TestSetNotFound
from idp_finetuning.pagination import Page
from idp_finetuning.test_sets.test_set import TestSet, TestSetRecord, TestSetStatus
from idp_finetuning.wire import timestamp

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

    def is_free(self, test_set_id: str) -> bool:
        """Return whether no test set has this id."""
        return read_item(self._dynamodb, self._table, to_attributes({"id": test_set_id})) is None

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
            item = read_item(self._dynamodb, self._table, to_attributes({"id": test_set.id}))
            if item and from_attributes(TestSetRecord, item).status is TestSetStatus.DELETING:
                raise Conflict(
                    f"Test set '{test_set.id}' is still being deleted. Try again in a minute, or choose another name."
                ) from error
            raise Conflict(f"A test set '{test_set.id}' exists already. Choose another name.") from error

    def get(self, test_set_id: str) -> TestSetRecord:
        """Return the record. Raises TestSetNotFound."""
        item = read_item(self._dynamodb, self._table, to_attributes({"id": test_set_id}))
        if not item:
            raise TestSetNotFound(f"There is no test set '{test_set_id}'. listTestSets shows those there are.")
        return from_attributes(TestSetRecord, item)

    def list(self, *, limit: int, next_token: str | None) -> Page[TestSet]:
        """Return a page of test sets, newest first; the index lacks their versions, so each record is read."""
        page = query_newest_keys(
            self._dynamodb,
            table=self._table,
            index=TEST_SETS_BY_CREATION.name,
            partition=("kind", KIND),
            limit=limit,
            next_token=next_token,
            extra_key={},
        )
        keys = [to_attributes({"id": key.id}) for key in page.items]
        found = (from_attributes(TestSetRecord, item) for item in read_items(self._dynamodb, self._table, keys))
        records = {record.id: record for record in found}
        # The index lags behind the table: what it shows may be gone.
        items = tuple(records[key.id] for key in page.items if key.id in records)
        return Page(items=items, next_token=page.next_token)

    def mark_ready(self, test_set_id: str, file_count: int, fingerprint: str) -> TestSetRecord:
        """Set READY with the number of documents and the listing's fingerprint; what is READY stays as it is.

        Raises Conflict if it is being deleted.
        """
        changes = {"status": TestSetStatus.READY.value, "fileCount": file_count, "fingerprint": fingerprint}
        try:
            return self._update(test_set_id, changes, frozenset({TestSetStatus.UPLOADING}))
        except Conflict:
            try:
                known = self.get(test_set_id)
            except TestSetNotFound:
                known = None
            if known and known.status is TestSetStatus.READY:
                return known
            raise

    def revise(self, before: TestSetRecord, file_count: int, fingerprint: str) -> TestSetRecord:
        """Set the next version of a READY test set. Raises Conflict if it is no longer the one it was."""
        changes = {"version": before.version + 1, "fileCount": file_count, "fingerprint": fingerprint}
        try:
            return self._update(
                before.id, changes, frozenset({TestSetStatus.READY}), fingerprint_before=before.fingerprint
            )
        except Conflict:
            known = self.get(before.id)
            if (known.fingerprint, known.version) == (fingerprint, before.version + 1):
                return known  # this write's response was lost, and the client library repeated it
            raise Conflict(
                f"Test set '{before.id}' was changed by another request at the same time. Repeat yours."
            ) from None

    def close(self, test_set_id: str) -> None:
        """Set DELETING, which takes the test set out of use; idempotent. Raises Conflict if it is gone."""
        changes = {"status": TestSetStatus.DELETING.value, "deletingSince": timestamp()}
        self._update(test_set_id, changes, frozenset(TestSetStatus))

    def postpone(self, test_set_id: str) -> None:
        """Count a deletion's time from now on. Raises Conflict if the test set is not DELETING."""
        self._update(test_set_id, {"deletingSince": timestamp()}, frozenset({TestSetStatus.DELETING}))

    def closed_before(self, moment: datetime) -> Iterator[TestSetRecord]:
        """Yield the test sets whose deletion was last started before this moment and has not ended."""
        pages = self._dynamodb.get_paginator("query").paginate(
            TableName=self._table,
            IndexName=TEST_SETS_BY_CREATION.name,
            KeyConditionExpression="#kind = :kind",
            FilterExpression="#status = :deleting",
            ExpressionAttributeNames={"#kind": "kind", "#status": "status"},
            ExpressionAttributeValues=to_attributes({":kind": KIND, ":deleting": TestSetStatus.DELETING.value}),
        )
        for page in pages:
            for item in page["Items"]:
                try:
                    found = self.get(item["id"]["S"])
                except TestSetNotFound:
                    continue  # the index lags behind the table
                since = found.deleting_since or found.created_at
                if found.status is TestSetStatus.DELETING and since < moment:
                    yield found

    def reopen(self, test_set: TestSetRecord) -> None:
        """Set the status that the test set had before it was closed."""
        changes = {"status": test_set.status.value}
        self._update(test_set.id, changes, frozenset({TestSetStatus.DELETING}), removed=("deletingSince",))

    def _update(
        self,
        test_set_id: str,
        changes: Mapping[str, object],
        origins: frozenset[TestSetStatus],
        removed: Collection[str] = (),
        fingerprint_before: str | None = None,
    ) -> TestSetRecord:
        arguments = update_arguments(changes, removed)
        names = {f":from{number}": origin for number, origin in enumerate(sorted(origins))}
        arguments["ExpressionAttributeNames"]["#status"] = "status"
        arguments["ExpressionAttributeValues"] |= to_attributes({**names, ":fingerprintBefore": fingerprint_before})
        condition = f"#status IN ({', '.join(names)})"
        if fingerprint_before:
            arguments["ExpressionAttributeNames"]["#fingerprint"] = "fingerprint"
            condition += " AND #fingerprint = :fingerprintBefore"
        try:
            updated = self._dynamodb.update_item(
                TableName=self._table,
                Key=to_attributes({"id": test_set_id}),
                ConditionExpression=condition,
                ReturnValues="ALL_NEW",
                **arguments,
            )
        except ClientError as error:
            if error_code(error) != "ConditionalCheckFailedException":
                raise
            raise Conflict(
                f"Test set '{test_set_id}' is being deleted, or it is gone. Create a new test set for new documents."
            ) from error
        return from_attributes(TestSetRecord, updated["Attributes"])

    def is_closed(self, test_set_id: str, created_at: datetime) -> bool:
        """Return whether this test set, and not a later one under its id, is DELETING."""
        try:
            found = self.get(test_set_id)
        except TestSetNotFound:
            return False
        return found.status is TestSetStatus.DELETING and found.created_at == created_at

    def delete(self, test_set_id: str, created_at: datetime) -> None:
        """Remove the record of this test set if it is DELETING, never that of a later one under its id; idempotent."""
        try:
            self._dynamodb.delete_item(
                TableName=self._table,
                Key=to_attributes({"id": test_set_id}),
                ConditionExpression="#status = :deleting AND createdAt = :created",
                ExpressionAttributeNames={"#status": "status"},
                ExpressionAttributeValues=to_attributes(
                    {":deleting": TestSetStatus.DELETING.value, ":created": timestamp(created_at)}
                ),
            )
        except ClientError as error:
            if error_code(error) != "ConditionalCheckFailedException":
                raise
