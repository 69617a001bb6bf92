"""Job records in DynamoDB; every write is conditional on the status it comes from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from idp_finetuning.adapters.aws_calls import error_code
from idp_finetuning.adapters.dynamodb_items import (
    from_attributes,
    query_newest,
    to_attributes,
    update_arguments,
)
from idp_finetuning.adapters.job_history import JobHistory
from idp_finetuning.clock import timestamp
from idp_finetuning.errors import Conflict, FinetuningError, JobNotFound, JobStopping, StaleState, TransientError
from idp_finetuning.jobs import MAY_BECOME_FROM, UNFINISHED, FinetuningJob, JobRun, JobStatus, JobSummary
from idp_finetuning.settings import JOBS_BY_CREATION, UNFINISHED_JOBS
from idp_finetuning.wire import WireModel

KIND = "job"
YES = "yes"


class JobPage(WireModel):
    """A page of jobs, newest first."""

    items: tuple[JobSummary, ...]
    next_token: str | None


class JobTable:
    """The Jobs table: items (job id, "job"), (job id, "event#…") and (client token, "token")."""

    def __init__(self, dynamodb: Any, table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table
        self.history = JobHistory(dynamodb, table)

    def create(self, job: FinetuningJob, token_id: str | None, request_digest: str) -> FinetuningJob:
        """Writes the job and its client token in one transaction.

        Where the token is known already, answers with the job it made; raises Conflict where the request was
        another.
        """
        puts = [{**job.to_wire(), "item": KIND, "kind": KIND, "unfinished": YES}]
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

    def unfinished(self) -> Iterator[str]:
        """Ids of all jobs that have not ended, oldest first."""
        pages = self._dynamodb.get_paginator("query").paginate(
            TableName=self._table,
            IndexName=UNFINISHED_JOBS.name,
            KeyConditionExpression="#unfinished = :yes",
            ExpressionAttributeNames={"#unfinished": "unfinished"},
            ExpressionAttributeValues=to_attributes({":yes": YES}),
        )
        return (item["id"]["S"] for page in pages for item in page["Items"])

    def require(self, run: JobRun, status: JobStatus) -> FinetuningJob:
        """The job, where this run of it still stands in the status. Raises JobNotFound, JobStopping or StaleState."""
        job = self.get(run.job_id)
        if job.run != run.run or job.status is not status:
            raise _refusal(job, run, status)
        return job

    def move(self, run: JobRun, to: JobStatus, fact: str | None = None, **changes: object) -> FinetuningJob:
        """The one transition: sets the status and the (snake_case) changes where this run of the job may come to `to`.

        A job may also move to the status it has. A transition is recorded as a fact of the job; `fact` adds words to
        it, or tells of the changes where there is no transition. Raises JobNotFound, JobStopping or StaleState.
        """
        try:
            return self._stay(run, to, fact, changes)
        except _Refused:
            pass
        try:
            _, job = self._update(
                run, to, MAY_BECOME_FROM[to] - {to}, _values(to, {**changes, "stage_started_at": timestamp()})
            )
        except _Refused:
            pass
        else:
            self.history.record(run.job_id, to.value, fact or _WORDS[to])
            return job
        try:
            return self._stay(run, to, fact, changes)  # another call with the same event was faster
        except _Refused as refused:
            raise _refusal(self.get(run.job_id), run, to) from refused

    def _stay(self, run: JobRun, status: JobStatus, fact: str | None, changes: Mapping[str, object]) -> FinetuningJob:
        """Changes a job that has the status; of two calls with one event the first records the fact."""
        before, job = self._update(run, status, MAY_BECOME_FROM[status] & {status}, _values(status, changes))
        if fact and job != before.model_copy(update={"updated_at": job.updated_at}):
            self.history.record(run.job_id, status.value, fact)
        return job

    def resume(self, job: FinetuningJob, stage: JobStatus, **changes: object) -> FinetuningJob:
        """Starts the next run of a failed or stopped job at a stage. Raises StaleState where a call was faster."""
        values = _values(
            stage,
            {
                **changes,
                "run": job.run + 1,
                "stage_started_at": timestamp(),
                "error_code": None,
                "error_message": None,
                "error_stage": None,
                "waiting_for": None,
            },
        )
        try:
            _, resumed = self._update(job.current_run, stage, frozenset({JobStatus.FAILED, JobStatus.STOPPED}), values)
        except _Refused as refused:
            raise _refusal(self.get(job.id), job.current_run, stage) from refused
        self.history.record(job.id, stage.value, f"Resumed at {stage}, run {resumed.run}.")
        return resumed

    def _update(
        self, run: JobRun, to: JobStatus, origins: frozenset[JobStatus], values: Mapping[str, object]
    ) -> tuple[FinetuningJob, FinetuningJob]:
        """The job before and after."""
        if not origins:
            raise _Refused
        values = {**values, "unfinished": YES if to in UNFINISHED else None}
        kept = {name: value for name, value in values.items() if value is not None}
        removed = values.keys() - kept.keys()
        arguments = update_arguments(kept, removed=removed)
        names = {f":from{n}": origin for n, origin in enumerate(sorted(origins))}
        arguments["ExpressionAttributeValues"] |= to_attributes({**names, ":thisRun": run.run})
        arguments["ExpressionAttributeNames"]["#run"] = "run"
        try:
            answer = self._dynamodb.update_item(
                TableName=self._table,
                Key=self._key(run.job_id),
                ConditionExpression=f"#run = :thisRun AND #status IN ({', '.join(names)})",
                ReturnValues="ALL_OLD",
                **arguments,
            )
        except ClientError as error:
            if error_code(error) != "ConditionalCheckFailedException":
                raise
            raise _Refused from error
        old = answer["Attributes"]
        new = {name: value for name, value in (old | to_attributes(kept)).items() if name not in removed}
        return from_attributes(FinetuningJob, old), from_attributes(FinetuningJob, new)

    def delete(self, job: FinetuningJob) -> None:
        """Removes history, client token and record; only while DELETING, so that nothing comes back or goes early."""
        self.history.delete(job.id)
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


class _Refused(Exception):
    """The record is not in a status, or not in the run, that the write comes from."""


_WORDS: Mapping[JobStatus, str] = {
    JobStatus.VALIDATING: "Checking the test set.",
    JobStatus.GENERATING_DATA: "Converting documents to training data.",
    JobStatus.TRAINING: "Submitting the customization job to Bedrock.",
    JobStatus.DEPLOYING: "Creating the on-demand deployment.",
    JobStatus.COMPLETED: "The model is ready to use.",
    JobStatus.FAILED: "The job failed.",
    JobStatus.STOPPING: "Stopping was asked for.",
    JobStatus.STOPPED: "The job is stopped.",
    JobStatus.DELETING: "Deletion was asked for.",
}


def _values(to: JobStatus, changes: Mapping[str, object]) -> dict[str, object]:
    """Attribute names and JSON-ready values of a change; None removes."""
    fields = FinetuningJob.model_fields
    values = {str(fields[name].alias): _wire(value) for name, value in changes.items()}
    return {**values, "status": to.value, "updatedAt": timestamp()}


def _refusal(job: FinetuningJob, run: JobRun, to: JobStatus) -> FinetuningError:
    if job.run == run.run and job.status in (JobStatus.STOPPING, JobStatus.STOPPED):
        return JobStopping(f"Job '{job.id}' is being stopped.")
    return StaleState(
        f"Job '{job.id}' is {job.status} in run {job.run} and cannot become {to} in run {run.run}. Nothing was changed."
    )


def _wire(value: object) -> object:
    return value.to_wire() if isinstance(value, WireModel) else value
