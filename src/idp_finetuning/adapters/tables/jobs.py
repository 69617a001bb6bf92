"""Fine-tuning jobs in DynamoDB: the job decides its changes, the table stores them if no other request was faster."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Unpack

from botocore.exceptions import ClientError

from idp_finetuning.adapters.aws_calls import error_code
from idp_finetuning.adapters.tables.items import (
    IndexedKey,
    PageToken,
    TransactionPart,
    failed_conditions,
    from_attributes,
    query_newest_keys,
    read_item,
    read_items,
    to_attributes,
)
from idp_finetuning.adapters.tables.job_events import JobEvents
from idp_finetuning.adapters.tables.job_items import (
    CLIENT_TOKEN,
    CONFIGURATION,
    JOB,
    UNFINISHED_MARK,
    item_key,
    release_model,
    to_item,
    update_job,
    use_model,
)
from idp_finetuning.deployment import (
    JOBS_BY_BASE_MODEL,
    JOBS_BY_CREATION,
    JOBS_BY_DEPLOYMENT,
    JOBS_BY_STATUS,
    JOBS_BY_TEST_SET,
    UNFINISHED_JOBS,
    IndexSpec,
)
from idp_finetuning.errors import Conflict, JobNotFound, TransientError
from idp_finetuning.jobs import life
from idp_finetuning.jobs.job import (
    DeployedJob,
    Failure,
    FinetuningJob,
    JobConfiguration,
    JobEvent,
    JobFilter,
    JobRun,
    JobStatus,
    JobSummary,
)
from idp_finetuning.pagination import Page

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


TRIES = 10  # each is lost only to a write that went through, and no more than a few calls change a job at once
_MOST_READ = 500  # records that one page of a list reads
_STEP = 100  # of them read together, if some may not match
_LONGEST_PAUSE = 0.05  # seconds before a lost try is made again, drawn between nothing and this
# Reasons that pass by themselves [DynamoDB API Reference, TransactWriteItems, cancellation reasons].
_PASSING_REASONS = frozenset({"TransactionConflict", "ProvisionedThroughputExceeded", "ThrottlingError"})


class JobTable:
    """The Jobs table: items (job id, "job"), (…, "configuration"), (…, "event#…") and (client token, "token")."""

    def __init__(self, dynamodb: DynamoDBClient, table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table
        self.events = JobEvents(dynamodb, table)

    def create(
        self,
        job: FinetuningJob,
        token_id: str | None,
        request_digest: str,
        configuration: JobConfiguration | None = None,
    ) -> FinetuningJob:
        """Write the job, its configuration and its client token in one transaction.

        If the token is known already, return the job it made. Raises Conflict if it came with another request.
        """
        items = [to_item(job)]
        if configuration:
            items.append({"id": job.id, "item": CONFIGURATION, **configuration.to_wire()})
        if token_id:
            items.append({"id": token_id, "item": CLIENT_TOKEN, "jobId": job.id, "requestDigest": request_digest})
        puts: list[TransactionPart] = [
            {
                "Put": {
                    "TableName": self._table,
                    "Item": to_attributes(item),
                    "ConditionExpression": "attribute_not_exists(id)",
                }
            }
            for item in items
        ]
        for _ in range(TRIES):
            try:
                self._dynamodb.transact_write_items(TransactItems=puts)
            except ClientError as error:
                if known := self.find_by_token(token_id, request_digest) if token_id else None:
                    return known
                if not _passes(error) and not (token_id and error_code(error) == "TransactionCanceledException"):
                    raise
                _pause()
            else:
                return job
        raise TransientError("Another request for this job is still being carried out. Send it again.")

    def find_by_token(self, token_id: str, request_digest: str) -> FinetuningJob | None:
        """Return the job this client token made, or None if the token is new.

        Raises Conflict if it came with another request.
        """
        item = self._read(token_id, CLIENT_TOKEN)
        if not item:
            return None
        if item["requestDigest"]["S"] != request_digest:
            raise Conflict(
                "This clientToken was used for another request. Use a new clientToken for a new fine-tuning job."
            )
        return self.get(item["jobId"]["S"])

    def get(self, job_id: str) -> FinetuningJob:
        """Return the job as it is now. Raises JobNotFound."""
        item = self._read(job_id, JOB)
        if item is None:
            raise JobNotFound(f"There is no fine-tuning job '{job_id}'. listFinetuningJobs shows those there are.")
        return from_attributes(FinetuningJob, item)

    def configuration(self, job_id: str) -> JobConfiguration | None:
        """Return what the job took from a configuration version, or None if it trains with the built-in prompt."""
        item = self._read(job_id, CONFIGURATION)
        return from_attributes(JobConfiguration, item) if item else None

    def list(self, *, limit: int, next_token: str | None, shown: JobFilter | None = None) -> Page[JobSummary]:
        """Return a page of the jobs that a filter shows, newest first.

        It reads at most 500 records: a page may have fewer jobs than the limit, and there is more while it has a token.
        """
        shown = shown or JobFilter()
        step = limit if _is_answered_by_index(shown) else _STEP
        kept: list[JobSummary] = []
        for _ in range(_MOST_READ // step):
            page = self._keys(shown, limit=step, next_token=next_token)
            records = self._read_records(page.items)
            for key in page.items:
                job = records.get(key.id)
                if job and shown.matches(job):
                    kept.append(job)
                if len(kept) == limit and (key is not page.items[-1] or page.next_token):
                    return Page(items=tuple(kept), next_token=_token_after(key))
            next_token = page.next_token
            if not next_token:
                break
        return Page(items=tuple(kept), next_token=next_token)

    def _keys(self, shown: JobFilter, *, limit: int, next_token: str | None) -> Page[IndexedKey]:
        """Return a page of keys, newest first, of the index with the fewest jobs that do not match."""
        index, value = _choose_index(shown)
        return query_newest_keys(
            self._dynamodb,
            table=self._table,
            index=index.name,
            partition=(index.partition_key, value),
            limit=limit,
            next_token=next_token,
            extra_key={"item": JOB},
        )

    def _read_records(self, keys: Sequence[IndexedKey]) -> dict[str, JobSummary]:
        """Return the jobs by id as they are now, without those that are gone meanwhile."""
        items = read_items(self._dynamodb, self._table, [item_key(key.id, JOB) for key in keys])
        found = (from_attributes(JobSummary, item) for item in items)
        return {job.id: job for job in found}

    def ids(self) -> Iterator[str]:
        """Iterate over the ids of all jobs, newest first."""
        token = None
        while True:
            page = self._keys(JobFilter(), limit=1_000, next_token=token)
            yield from (key.id for key in page.items)
            token = page.next_token
            if not token:
                return

    def deployed(self) -> tuple[DeployedJob, ...]:
        """Return the completed jobs with a deployment, newest first: a scan of an index that has such jobs only."""
        pages = self._dynamodb.get_paginator("scan").paginate(TableName=self._table, IndexName=JOBS_BY_DEPLOYMENT.name)
        jobs = (from_attributes(DeployedJob, item) for page in pages for item in page["Items"])
        found = [job for job in jobs if job.status is JobStatus.COMPLETED]
        return tuple(sorted(found, key=lambda job: (job.created_at, job.id), reverse=True))

    def find_deployed(self, deployment_arn: str) -> DeployedJob | None:
        """Return the completed job with this deployment, or None if there is none."""
        page = self._dynamodb.query(
            TableName=self._table,
            IndexName=JOBS_BY_DEPLOYMENT.name,
            KeyConditionExpression="#arn = :arn",
            ExpressionAttributeNames={"#arn": JOBS_BY_DEPLOYMENT.partition_key},
            ExpressionAttributeValues=to_attributes({":arn": deployment_arn}),
        )
        jobs = (from_attributes(DeployedJob, item) for item in page["Items"])
        return next((job for job in jobs if job.status is JobStatus.COMPLETED), None)

    def unfinished(self) -> Iterator[str]:
        """Iterate over the ids of all jobs that have not ended, oldest first."""
        pages = self._dynamodb.get_paginator("query").paginate(
            TableName=self._table,
            IndexName=UNFINISHED_JOBS.name,
            KeyConditionExpression="#unfinished = :yes",
            ExpressionAttributeNames={"#unfinished": "unfinished"},
            ExpressionAttributeValues=to_attributes({":yes": UNFINISHED_MARK}),
        )
        return (item["id"]["S"] for page in pages for item in page["Items"])

    def require(self, run: JobRun, status: JobStatus, *others: JobStatus) -> FinetuningJob:
        """Return the job if this run of it has one of the statuses. Raises JobNotFound, JobStopping or StaleState."""
        job = self.get(run.job_id)
        life.require(job, run, status, *others)
        return job

    def move(
        self, run: JobRun, to: JobStatus, message: str | None = None, **changes: Unpack[life.JobChanges]
    ) -> FinetuningJob:
        """Store what `life.move` makes of the job."""
        return self.update(run.job_id, lambda job: life.move(job, run, to, message, **changes))

    def begin_creation(self, run: JobRun, stage: JobStatus) -> tuple[FinetuningJob, bool]:
        """Store what `life.begin_creation` makes of the job; also return whether an earlier call noted the creation."""
        noted = False

        def begin(job: FinetuningJob) -> life.Outcome:
            nonlocal noted
            noted = (job.training_begun_at if stage is JobStatus.TRAINING else job.deployment_begun_at) is not None
            return life.begin_creation(job, run, stage)

        return self.update(run.job_id, begin), noted

    def finish_creation(self, run: JobRun, stage: JobStatus, *, arn: str, at: str, message: str) -> FinetuningJob:
        """Store what `life.finish_creation` makes of the job."""
        return self.update(
            run.job_id, lambda job: life.finish_creation(job, run, stage, arn=arn, at=at, message=message)
        )

    def stop(self, run: JobRun, message: str) -> FinetuningJob:
        """Store what `life.stop` makes of the job."""
        return self.update(run.job_id, lambda job: life.stop(job, run, message))

    def restart(self, run: JobRun, reason: str) -> FinetuningJob:
        """Store what `life.restart` makes of the job."""
        return self.update(run.job_id, lambda job: life.restart(job, run, reason))

    def fail(self, run: JobRun, stage: JobStatus, failure: Failure) -> FinetuningJob:
        """Store what `life.fail` makes of the job."""
        return self.update(run.job_id, lambda job: life.fail(job, run, stage, failure))

    def resume(self, run: JobRun, resumption: life.Resumption, message: str) -> FinetuningJob:
        """Store what `life.resume` makes of the job."""
        return self.update(run.job_id, lambda job: life.resume(job, run, resumption, message))

    def update(self, job_id: str, change: Callable[[FinetuningJob], life.Outcome]) -> FinetuningJob:
        """Read the job, let `change` decide what becomes of it, and store that together with its event.

        If another write came in between, decide again from the job it left. If nothing changes, write nothing. Raises
        JobNotFound, or what `change` raises.
        """
        for _ in range(TRIES):
            before = self.get(job_id)
            after, event = change(before)
            if after == before:
                return after
            if self._write(before, after, event):
                return after
            _pause()
        raise TransientError(f"Job '{job_id}' is being changed by many calls. Try again later.")

    def _write(self, before: FinetuningJob, after: FinetuningJob, event: JobEvent | None) -> bool:
        """Return False if another write came in between or is under way."""
        update = update_job(self._table, before, after)
        try:
            if event:
                parts: list[TransactionPart] = [{"Update": update}, self.events.put(after.id, event)]
                self._dynamodb.transact_write_items(TransactItems=parts)
            else:
                self._dynamodb.update_item(**update)
        except ClientError as error:
            if "ConditionalCheckFailed" not in failed_conditions(error) and not _passes(error):
                raise
            return False
        return True

    def use(self, job_id: str, version: str) -> TransactionPart:
        """Return a part of a transaction: the version uses the job's model; it fails unless the job offers one."""
        return {"Update": use_model(self._table, job_id, version)}

    def release(self, job_id: str, version: str) -> TransactionPart | None:
        """Return a part of a transaction: the version no longer uses the job's model; None if the job is gone."""
        if self._read(job_id, JOB) is None:
            return None
        return {"Update": release_model(self._table, job_id, version)}

    def delete(self, job: FinetuningJob) -> None:
        """Remove all items of a job; idempotent. The record goes last, and only while DELETING.

        So nothing comes back, and nothing goes before its time.
        """
        self.events.delete(job.id)
        others = [item_key(job.id, CONFIGURATION)]
        if job.client_token:
            others.append(item_key(job.client_token, CLIENT_TOKEN))
        for key in others:
            self._dynamodb.delete_item(TableName=self._table, Key=key)
        self._dynamodb.delete_item(
            TableName=self._table,
            Key=item_key(job.id, JOB),
            ConditionExpression="attribute_not_exists(id) OR #status = :deleting",
            ExpressionAttributeNames={"#status": "status"},
            ExpressionAttributeValues=to_attributes({":deleting": JobStatus.DELETING}),
        )

    def _read(self, id_: str, item: str) -> Mapping[str, Any] | None:
        return read_item(self._dynamodb, self._table, item_key(id_, item))


def _choose_index(shown: JobFilter) -> tuple[IndexSpec, str]:
    if shown.test_set_id is not None:
        return JOBS_BY_TEST_SET, shown.test_set_id
    if shown.status is not None:
        return JOBS_BY_STATUS, shown.status
    if shown.base_model is not None:
        return JOBS_BY_BASE_MODEL, shown.base_model
    return JOBS_BY_CREATION, JOB


def _is_answered_by_index(shown: JobFilter) -> bool:
    """Return whether every job of its index matches: there is at most one filter, and it is no prefix."""
    return shown.name_prefix is None and [shown.status, shown.base_model, shown.test_set_id].count(None) >= 2


def _token_after(key: IndexedKey) -> str:
    return PageToken(created_at=key.created_at, id=key.id).to_text()


def _passes(error: ClientError) -> bool:
    """Return whether a write was refused only because of what other requests do at the moment."""
    reasons = failed_conditions(error)
    return error_code(error) == "TransactionConflictException" or (bool(reasons) and reasons <= _PASSING_REASONS)


def _pause() -> None:
    time.sleep(random.uniform(0, _LONGEST_PAUSE))  # noqa: S311 - no secret
