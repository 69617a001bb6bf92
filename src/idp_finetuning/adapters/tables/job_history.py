"""The history of a job in DynamoDB: every transition and notable fact with its time."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from idp_finetuning.adapters.tables.items import PageToken, from_attributes, to_attributes
from idp_finetuning.jobs.job import JobFact
from idp_finetuning.pagination import Page
from idp_finetuning.wire import timestamp

PREFIX = "event#"


class JobHistory:
    """Items (job id, "event#<time>#<random>") of the Jobs table."""

    def __init__(self, dynamodb: Any, table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    def entry(self, job_id: str, type_: str, message: str) -> dict[str, Any]:
        """Part of a transaction that adds a fact; it belongs into that of the change it tells of.

        Messages are cut at 1,000 characters.
        """
        fact = JobFact(at=timestamp(), type=type_, message=message[:1000])
        key = {"id": job_id, "item": f"{PREFIX}{fact.at}#{uuid4().hex[:8]}"}
        return {"Put": {"TableName": self._table, "Item": to_attributes({**key, **fact.to_wire()})}}

    def page(self, job_id: str, *, limit: int, next_token: str | None) -> Page[JobFact]:
        """Return a page of the history, newest first."""
        start: dict[str, Any] = {}
        if next_token:
            token = PageToken.from_text(next_token)
            key = {"id": job_id, "item": f"{PREFIX}{token.created_at}#{token.id}"}
            start["ExclusiveStartKey"] = to_attributes(key)
        answer = self._dynamodb.query(**self._query(job_id), ScanIndexForward=False, Limit=limit, **start)
        last = answer.get("LastEvaluatedKey")
        token_text = None
        if last:
            at, _, rest = last["item"]["S"].removeprefix(PREFIX).partition("#")
            token_text = PageToken(created_at=at, id=rest).to_text()
        return Page(items=tuple(from_attributes(JobFact, item) for item in answer["Items"]), next_token=token_text)

    def delete(self, job_id: str) -> None:
        """Removes the whole history; may be repeated."""
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
