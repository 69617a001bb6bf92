"""Job records in DynamoDB; every write is conditional on the status it comes from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from idp_finetuning.adapters.aws_calls import error_code
from idp_finetuning.adapters.tables.items import from_attributes, query_newest, to_attributes
from idp_finetuning.adapters.tables.job_history import JobHistory
from idp_finetuning.adapters.tables.job_writes import KIND, changed, new_record, released, update_of, used, was_outrun
from idp_finetuning.deployment import JOBS_BY_CREATION, UNFINISHED_JOBS
from idp_finetuning.errors import Conflict, FinetuningError, JobNotFound, JobStopping, StaleState, TransientError
from idp_finetuning.jobs.job import (
    MAY_BECOME_FROM,
    TRANSITIONS,
    FinetuningJob,
    JobConfiguration,
    JobRun,
    JobStatus,
    JobSummary,
)
from idp_finetuning.pagination import Page
from idp_finetuning.wire import timestamp

CONFIGURATION = "configuration"
YES = "yes"
TRIES = 10  # each is lost only to a write that went through; no more than a few ever meet


class JobTable:
    """The Jobs table: items (job id, "job"), (…, "configuration"), (…, "event#…") and (client token, "token")."""

    def __init__(self, dynamodb: Any, table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table
        self.history = JobHistory(dynamodb, table)

    def create(
        self,
        job: FinetuningJob,
        token_id: str | None,
        request_digest: str,
        configuration: JobConfiguration | None = None,
    ) -> FinetuningJob:
        """Writes the job, its configuration and its client token in one transaction.

        Where the token is known already, answers with the job it made; raises Conflict where the request was
        another.
        """
        puts = [new_record(job)]
        if configuration:
            puts.append({"id": job.id, "item": CONFIGURATION, **configuration.to_wire()})
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
            known = self.made_with(token_id, request_digest)
            if not known:
                raise TransientError(
                    "A request with this clientToken is still being carried out. Send it again."
                ) from error
            return known
        return job

    def made_with(self, token_id: str, request_digest: str) -> FinetuningJob | None:
        """The job that this client token made; None where it is new. Raises Conflict where the request was another."""
        item = self._item(token_id, "token")
        if not item:
            return None
        if item["requestDigest"]["S"] != request_digest:
            raise Conflict(
                "This clientToken was used for another request. Use a new clientToken for a new fine-tuning job."
            )
        return self.get(item["jobId"]["S"])

    def get(self, job_id: str) -> FinetuningJob:
        """The job as it stands now. Raises JobNotFound."""
        item = self._item(job_id, KIND)
        if item is None:
            raise JobNotFound(f"There is no fine-tuning job '{job_id}'. listFinetuningJobs shows those there are.")
        return from_attributes(FinetuningJob, item)

    def configuration(self, job_id: str) -> JobConfiguration | None:
        """What the job took from a configuration version; None where it trains with the built-in prompt."""
        item = self._item(job_id, CONFIGURATION)
        return from_attributes(JobConfiguration, item) if item else None

    def _item(self, id_: str, item: str) -> dict[str, Any] | None:
        key = to_attributes({"id": id_, "item": item})
        found: dict[str, Any] | None = self._dynamodb.get_item(TableName=self._table, Key=key, ConsistentRead=True).get(
            "Item"
        )
        return found

    def list(self, *, limit: int, next_token: str | None) -> Page[JobSummary]:
        """Return a page of jobs, newest first."""
        return query_newest(
            self._dynamodb,
            JobSummary,
            table=self._table,
            index=JOBS_BY_CREATION.name,
            kind=KIND,
            limit=limit,
            next_token=next_token,
            extra_key={"item": KIND},
        )

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

        A job may also move to the status it has. A transition is recorded as a fact of the job in the same
        transaction; `fact` says it in other words, or tells of the changes where there is no transition. Where nothing
        changes nothing is written. Raises JobNotFound, JobStopping or StaleState, and Conflict where configuration
        versions use the model of a job that is to be deleted.
        """
        for _ in range(TRIES):
            job = self.get(run.job_id)
            if job.run != run.run or job.status not in MAY_BECOME_FROM[to]:
                raise _refusal(job, run, to)
            if to is JobStatus.DELETING and job.used_by:
                # Whoever asked may not be allowed to know the names.
                raise Conflict(
                    f"The model of job '{job.id}' is used by a configuration version. Try again to see which."
                )
            if job.status is to:
                after, words = changed(job, changes), fact
            else:
                after = changed(job, {**changes, "status": to, "stage_started_at": timestamp()})
                words = fact or TRANSITIONS[to]
            if after == job or self._write(job, after, words):
                return after
        raise TransientError(f"Job '{run.job_id}' is being changed by many calls. Try again later.")

    def resume(self, job: FinetuningJob, stage: JobStatus, fact: str | None = None, **changes: object) -> FinetuningJob:
        """Starts the next run of a failed or stopped job at a stage. Raises StaleState where a call was faster."""
        resumed = changed(
            job,
            {
                **changes,
                "status": stage,
                "run": job.run + 1,
                "stage_started_at": timestamp(),
                "error_code": None,
                "error_message": None,
                "error_stage": None,
                "waiting_for": None,
            },
        )
        words = f"Resumed at {stage}, run {resumed.run}."
        if job.status not in (JobStatus.FAILED, JobStatus.STOPPED) or not self._write(
            job, resumed, f"{fact} {words}" if fact else words
        ):
            raise _refusal(self.get(job.id), job.current_run, stage)
        return resumed

    def _write(self, before: FinetuningJob, after: FinetuningJob, fact: str | None) -> bool:
        """Writes a change together with its fact; False where another write was faster."""
        update = {"TableName": self._table, **update_of(before, after)}
        try:
            if fact:
                entry = self.history.entry(after.id, after.status.value, fact)
                self._dynamodb.transact_write_items(TransactItems=[{"Update": update}, entry])
            else:
                self._dynamodb.update_item(**update)
        except ClientError as error:
            if was_outrun(error):
                return False
            raise
        return True

    def use(self, job_id: str, version: str) -> dict[str, Any]:
        """Part of a transaction: the version uses the model of this job; cancels it unless the job offers one."""
        return {"Update": {"TableName": self._table, **used(job_id, version)}}

    def release(self, job_id: str, version: str) -> dict[str, Any] | None:
        """Part of a transaction: the version no longer uses the model of this job; None where the job is gone."""
        if self._item(job_id, KIND) is None:
            return None
        return {"Update": {"TableName": self._table, **released(job_id, version)}}

    def delete(self, job: FinetuningJob) -> None:
        """Removes all that is kept of a job; only while DELETING, so that nothing comes back or goes early."""
        self.history.delete(job.id)
        others = [{"id": job.id, "item": CONFIGURATION}]
        if job.client_token:
            others.append({"id": job.client_token, "item": "token"})
        for key in others:
            self._dynamodb.delete_item(TableName=self._table, Key=to_attributes(key))
        self._dynamodb.delete_item(
            TableName=self._table,
            Key=to_attributes({"id": job.id, "item": KIND}),
            ConditionExpression="attribute_not_exists(id) OR #status = :deleting",
            ExpressionAttributeNames={"#status": "status"},
            ExpressionAttributeValues=to_attributes({":deleting": JobStatus.DELETING}),
        )


def _refusal(job: FinetuningJob, run: JobRun, to: JobStatus) -> FinetuningError:
    if job.run == run.run and job.status in (JobStatus.STOPPING, JobStatus.STOPPED):
        return JobStopping(f"Job '{job.id}' is being stopped.")
    return StaleState(
        f"Job '{job.id}' is {job.status} in run {job.run} and cannot become {to} in run {run.run}. Nothing was changed."
    )
