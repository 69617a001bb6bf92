"""Writes of a job record as DynamoDB takes them, alone or as parts of a transaction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from idp_finetuning.adapters.aws_calls import error_code
from idp_finetuning.adapters.tables.items import to_attributes, update_arguments
from idp_finetuning.errors import TransientError
from idp_finetuning.jobs.job import UNFINISHED, FinetuningJob, JobStatus
from idp_finetuning.wire import timestamp

KIND = "job"
# Reasons that pass by themselves [DynamoDB API reference, TransactWriteItems, cancellation reasons].
_PASSING = frozenset({"TransactionConflict", "ProvisionedThroughputExceeded", "ThrottlingError"})


def new_record(job: FinetuningJob) -> dict[str, Any]:
    """The record of a job, JSON-ready, with what its keys and indexes need."""
    unfinished = {"unfinished": "yes"} if job.status in UNFINISHED else {"unfinished": None}
    return {**job.to_wire(), "item": KIND, "kind": KIND, **unfinished}


def changed(job: FinetuningJob, changes: Mapping[str, object]) -> FinetuningJob:
    """The job with the (snake_case) changes and the next revision, or itself where they change nothing."""
    after = FinetuningJob.model_validate({**dict(job), **changes})
    if after == job:
        return job
    return after.model_copy(update={"updated_at": timestamp(), "revision": job.revision + 1})


def update_of(before: FinetuningJob, after: FinetuningJob) -> dict[str, Any]:
    """Arguments of an Update from one state of a job to the next; only where nobody has changed it meanwhile."""
    old, new = new_record(before), new_record(after)
    differing = {name: value for name, value in new.items() if value != old[name]}
    removed = {name for name, value in differing.items() if value is None}
    arguments = update_arguments({name: differing[name] for name in differing.keys() - removed}, removed)
    arguments["ExpressionAttributeNames"] |= {"#status": "status", "#revision": "revision"}
    arguments["ExpressionAttributeValues"] |= to_attributes(
        {":statusBefore": before.status, ":revisionBefore": before.revision}
    )
    condition = "#status = :statusBefore AND #revision = :revisionBefore"
    if after.status is JobStatus.DELETING:
        condition += " AND attribute_not_exists(usedBy)"
    return {"Key": _key(before.id), "ConditionExpression": condition, **arguments}


def used(job_id: str, version: str) -> dict[str, Any]:
    """Arguments of an Update that notes a configuration version on the model of a completed job."""
    return {
        "Key": _key(job_id),
        "UpdateExpression": "ADD usedBy :version",
        "ConditionExpression": "#status = :completed AND attribute_exists(customModelDeploymentArn)",
        "ExpressionAttributeNames": {"#status": "status"},
        "ExpressionAttributeValues": {":version": {"SS": [version]}, ":completed": {"S": JobStatus.COMPLETED}},
    }


def released(job_id: str, version: str) -> dict[str, Any]:
    """Arguments of an Update that removes this note; only of a record that is there, for it would make one."""
    return {
        "Key": _key(job_id),
        "UpdateExpression": "DELETE usedBy :version",
        "ConditionExpression": "attribute_exists(#status)",
        "ExpressionAttributeNames": {"#status": "status"},
        "ExpressionAttributeValues": {":version": {"SS": [version]}},
    }


def was_outrun(error: ClientError) -> bool:
    """Whether a write's condition did not hold. Raises TransientError where other transactions were in its way."""
    if error_code(error) == "ConditionalCheckFailedException":
        return True
    if error_code(error) != "TransactionCanceledException":
        return False
    reasons = {reason.get("Code") for reason in error.response.get("CancellationReasons", [])}
    if "ConditionalCheckFailed" in reasons:
        return True
    if reasons - {"None"} <= _PASSING:
        raise TransientError("A job is being changed by another call. Try again later.") from error
    return False


def _key(job_id: str) -> dict[str, Any]:
    return to_attributes({"id": job_id, "item": KIND})
