"""The history of jobs in DynamoDB: items (job id, "event#<time>#<random>") of the Jobs table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

from idp_finetuning.adapters.tables.items import PageToken, TransactionPart, from_attributes, to_attributes
from idp_finetuning.adapters.tables.job_items import item_key
from idp_finetuning.jobs.job import JobEvent
from idp_finetuning.pagination import Page

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

PREFIX = "event#"


class JobEvents:
    """The events of all jobs; each is written in the transaction of the change it is about."""

    def __init__(self, dynamodb: DynamoDBClient, table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    def put(self, job_id: str, event: JobEvent) -> TransactionPart:
        """Return a part of a transaction: the event is added to the job's history."""
        key = {"id": job_id, "item": f"{PREFIX}{event.at}#{uuid4().hex[:8]}"}
        return {"Put": {"TableName": self._table, "Item": to_attributes({**key, **event.to_wire()})}}

    def page(self, job_id: str, *, limit: int, next_token: str | None) -> Page[JobEvent]:
        """Return a page of the history, newest first."""
        start: dict[str, Any] = {}
        if next_token:
            token = PageToken.from_text(next_token)
            start["ExclusiveStartKey"] = item_key(job_id, f"{PREFIX}{token.created_at}#{token.id}")
        page = self._dynamodb.query(**self._query(job_id), ScanIndexForward=False, Limit=limit, **start)
        last = page.get("LastEvaluatedKey")
        token_text = None
        if last:
            at, _, rest = last["item"]["S"].removeprefix(PREFIX).partition("#")
            token_text = PageToken(created_at=at, id=rest).to_text()
        items = tuple(from_attributes(JobEvent, item) for item in page["Items"])
        return Page(items=items, next_token=token_text)

    def delete(self, job_id: str) -> None:
        """Remove the whole history; idempotent."""
        pages = self._dynamodb.get_paginator("query").paginate(**self._query(job_id), ConsistentRead=True)
        for page in pages:
            for item in page["Items"]:
                self._dynamodb.delete_item(TableName=self._table, Key={"id": item["id"], "item": item["item"]})

    def _query(self, job_id: str) -> dict[str, Any]:
        return {
            "TableName": self._table,
            "KeyConditionExpression": "#id = :id AND begins_with(#item, :prefix)",
            "ExpressionAttributeNames": {"#id": "id", "#item": "item"},
            "ExpressionAttributeValues": to_attributes({":id": job_id, ":prefix": PREFIX}),
        }
