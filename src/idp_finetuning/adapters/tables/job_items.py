"""Items of the Jobs table: their keys, and the arguments of each statement that changes a job's record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from idp_finetuning.adapters.tables.items import to_attributes, update_arguments
from idp_finetuning.jobs.job import UNFINISHED, FinetuningJob, JobStatus

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import UpdateTypeDef

JOB = "job"
CONFIGURATION = "configuration"
CLIENT_TOKEN = "token"  # noqa: S105 - the kind of an item, no secret
UNFINISHED_MARK = "yes"  # what keeps a job in the sparse index of the unfinished


def item_key(id_: str, item: str) -> dict[str, Any]:
    """Return the key of an item: a job's id or a client token, and which item of it."""
    return to_attributes({"id": id_, "item": item})


def to_item(job: FinetuningJob) -> dict[str, Any]:
    """Return the record of a job, JSON-ready, with what its keys and indexes need."""
    is_unfinished = job.status in UNFINISHED or job.evaluation_run or job.is_notification_due
    return {**job.to_wire(), "item": JOB, "kind": JOB, "unfinished": UNFINISHED_MARK if is_unfinished else None}


def update_job(table: str, before: FinetuningJob, after: FinetuningJob) -> UpdateTypeDef:
    """Return an Update from one state of a job to the next; its condition is that it has not changed meanwhile."""
    old, new = to_item(before), to_item(after)
    differing = {name: value for name, value in new.items() if value != old[name]}
    removed = {name for name, value in differing.items() if value is None}
    arguments = update_arguments({name: differing[name] for name in differing.keys() - removed}, removed)
    state_before = {":statusBefore": before.status, ":revisionBefore": before.revision}
    condition = "#status = :statusBefore AND #revision = :revisionBefore"
    if after.status is JobStatus.DELETING:
        condition += " AND attribute_not_exists(usedBy)"  # a version's transaction leaves the revision as it is
    return {
        "TableName": table,
        "Key": item_key(before.id, JOB),
        "UpdateExpression": arguments["UpdateExpression"],
        "ConditionExpression": condition,
        "ExpressionAttributeNames": {
            **arguments["ExpressionAttributeNames"],
            "#status": "status",
            "#revision": "revision",
        },
        "ExpressionAttributeValues": {**arguments["ExpressionAttributeValues"], **to_attributes(state_before)},
    }


def use_model(table: str, job_id: str, version: str) -> UpdateTypeDef:
    """Return an Update that notes a configuration version on a completed job with a deployment."""
    return {
        "TableName": table,
        "Key": item_key(job_id, JOB),
        "UpdateExpression": "ADD usedBy :version",
        "ConditionExpression": "#status = :completed AND attribute_exists(customModelDeploymentArn)",
        "ExpressionAttributeNames": {"#status": "status"},
        "ExpressionAttributeValues": {":version": {"SS": [version]}, ":completed": {"S": JobStatus.COMPLETED}},
    }


def release_model(table: str, job_id: str, version: str) -> UpdateTypeDef:
    """Return an Update that removes this note; its condition is that the job exists, or it would make a record."""
    return {
        "TableName": table,
        "Key": item_key(job_id, JOB),
        "UpdateExpression": "DELETE usedBy :version",
        "ConditionExpression": "attribute_exists(#status)",
        "ExpressionAttributeNames": {"#status": "status"},
        "ExpressionAttributeValues": {":version": {"SS": [version]}},
    }
