"""Job records in DynamoDB; every write is conditional on the status it comes from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from idp_finetuning.adapters.aws_calls import error_code
from idp_finetuning.adapters.dynamodb_items import (
    from_attributes,
    query_newest,
    to_attributes,
    update_arguments,
)
from idp_finetuning.clock import timestamp
from idp_finetuning.errors import Conflict, JobNotFound, StaleState, TransientError
from idp_finetuning.jobs import MAY_BECOME_FROM, FinetuningJob, JobStatus, JobSummary
from idp_finetuning.settings import JOBS_BY_CREATION
from idp_finetuning.wire import WireModel

KIND = "job"


class JobPage(WireModel):
    """A page of jobs, newest first."""

    items: tuple[JobSummary, ...]
    next_token: str | None


class JobTable:
    """The Jobs table: items (job id, "job") and (client token, "token")."""

    def __init__(self, dynamodb: Any, table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    def create(self, job: FinetuningJob, token_id: str | None, request_digest: str) -> FinetuningJob:
        """Writes the job and its client token in one transaction.

        Where the token is known already, answers with the job it made; raises Conflict where the request was
        another.
        """
        puts = [{**job.to_wire(), "item": KIND, "kind": KIND}]
        if token_id:
            puts.append({"id": token_id, "item": "token", "jobId": job.id, "requestDigest": request_digest})
        try:
            self._dynamodb.transact_write_items(
                TransactItems=[
                    {
                        "Put": {
                            "TableName": self._table,
                            "Item": to_attributes(put),
                            "ConditionExpression": "attribute_not_exists(id)",
                        }
                    }
                    for put in puts
                ]
            )
        except ClientError as error:
            if error_code(error) != "TransactionCanceledException" or not token_id:
                raise
            return self._made_by(token_id, request_digest)
        return job

    def _made_by(self, token_id: str, request_digest: str) -> FinetuningJob:
        answer = self._dynamodb.get_item(
            TableName=self._table, Key=to_attributes({"id": token_id, "item": "token"}), ConsistentRead=True
        )
        item = answer.get("Item")
        if not item:
            raise TransientError("A request with this clientToken is still being carried out. Send it again.")
        if item["requestDigest"]["S"] != request_digest:
            raise Conflict(
                "This clientToken was used for another request. Use a new clientToken for a new fine-tuning job."
            )
        return self.get(item["jobId"]["S"])

    def get(self, job_id: str) -> FinetuningJob:
        """The job as it stands now. Raises JobNotFound."""
        answer = self._dynamodb.get_item(TableName=self._table, Key=self._key(job_id), ConsistentRead=True)
        if "Item" not in answer:
            raise JobNotFound(f"There is no fine-tuning job '{job_id}'. listFinetuningJobs shows those there are.")
        return from_attributes(FinetuningJob, answer["Item"])

    def list(self, *, limit: int, next_token: str | None) -> JobPage:
        """A page of jobs, newest first."""
        page = query_newest(
            self._dynamodb,
            table=self._table,
            index=JOBS_BY_CREATION.name,
            kind=KIND,
            limit=limit,
            next_token=next_token,
            extra_key={"item": KIND},
        )
        return JobPage(items=tuple(from_attributes(JobSummary, i) for i in page.items), next_token=page.next_token)

    def all(self) -> Iterator[JobSummary]:
        """Every job, newest first."""
        token = None
        while True:
            page = self.list(limit=100, next_token=token)
            yield from page.items
            token = page.next_token
            if not token:
                return

    def move(self, job_id: str, to: JobStatus, **changes: object) -> FinetuningJob:
        """The one transition: sets the status and the (snake_case) changes where the job may come to `to`.

        A job may also move to the status it has. Raises JobNotFound or StaleState.
        """
        wanted = FinetuningJob.model_fields
        values = {str(wanted[name].alias): _wire(value) for name, value in changes.items()}
        values |= {"status": to.value, "updatedAt": timestamp()}
        arguments = update_arguments(
            {name: value for name, value in values.items() if value is not None},
            removed=[name for name, value in values.items() if value is None],
        )
        origins = sorted(MAY_BECOME_FROM[to])
        arguments["ExpressionAttributeValues"] |= to_attributes({f":from{n}": o for n, o in enumerate(origins)})
        condition = ", ".join(f":from{n}" for n in range(len(origins)))
        try:
            answer = self._dynamodb.update_item(
                TableName=self._table,
                Key=self._key(job_id),
                ConditionExpression=f"#status IN ({condition})",
                ReturnValues="ALL_NEW",
                **arguments,
            )
        except ClientError as error:
            if error_code(error) != "ConditionalCheckFailedException":
                raise
            current = self.get(job_id)
            raise StaleState(
                f"Job '{job_id}' is {current.status} and cannot become {to}. Nothing was changed."
            ) from error
        return from_attributes(FinetuningJob, answer["Attributes"])

    def delete(self, job: FinetuningJob) -> None:
        """Removes the record and its client token; only while DELETING, so that nothing comes back or goes early."""
        if job.client_token:
            self._dynamodb.delete_item(
                TableName=self._table, Key=to_attributes({"id": job.client_token, "item": "token"})
            )
        self._dynamodb.delete_item(
            TableName=self._table,
            Key=self._key(job.id),
            ConditionExpression="attribute_not_exists(id) OR #status = :deleting",
            ExpressionAttributeNames={"#status": "status"},
            ExpressionAttributeValues=to_attributes({":deleting": JobStatus.DELETING}),
        )

    @staticmethod
    def _key(job_id: str) -> dict[str, Any]:
        return to_attributes({"id": job_id, "item": KIND})


def _wire(value: object) -> object:
    return value.to_wire() if isinstance(value, WireModel) else value
