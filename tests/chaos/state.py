"""What is left of all jobs, read from the local account: records, objects, Bedrock's resources and executions."""

from __future__ import annotations

from collections.abc import Iterator, Set
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from idp_finetuning.adapters.tables.items import from_attributes
from idp_finetuning.deployment import STATE_MACHINES
from idp_finetuning.jobs.bedrock_names import job_id_in
from idp_finetuning.jobs.job import FinetuningJob
from idp_local.aws.names import state_machine_arn
from idp_local.connection import Connection
from idp_local.environment import local_client

_UUID_LENGTH = 36


class BedrockThing(BaseModel):
    """A customization job, custom model or deployment in Bedrock."""

    model_config = ConfigDict(frozen=True)

    kind: Literal["customization job", "custom model", "deployment"]
    name: str
    arn: str
    status: str

    @property
    def job_id(self) -> str | None:
        """The job its name was made for."""
        return job_id_in(self.name)


class Execution(BaseModel):
    """An execution of one of the state machines."""

    model_config = ConfigDict(frozen=True)

    name: str
    status: str

    @property
    def job_id(self) -> str:
        """The job it runs or ran for."""
        return self.name[:_UUID_LENGTH]


class State(BaseModel):
    """Everything that the invariants look at.

    `items` are the (id, item) keys of the Jobs table, `object_keys` those of the data bucket, versions included.
    `stops` and `deletions` are the jobs whose stop or deletion was asked for, `gone` those seen to be gone, `reported`
    the orphans that the last sweep named.
    """

    model_config = ConfigDict(frozen=True)

    jobs: tuple[FinetuningJob, ...]
    items: tuple[tuple[str, str], ...]
    object_keys: tuple[str, ...]
    bedrock: tuple[BedrockThing, ...]
    executions: tuple[Execution, ...]
    started: frozenset[str] = frozenset()
    stops: frozenset[str] = frozenset()
    deletions: frozenset[str] = frozenset()
    gone: frozenset[str] = frozenset()
    reported: frozenset[str] = frozenset()

    def job(self, job_id: str | None) -> FinetuningJob | None:
        """Return the record of a job, or None if there is none."""
        return next((job for job in self.jobs if job.id == job_id), None)


def read_state(
    connection: Connection,
    *,
    started: Set[str] = frozenset(),
    stops: Set[str] = frozenset(),
    deletions: Set[str] = frozenset(),
    gone: Set[str] = frozenset(),
    reported: Set[str] = frozenset(),
) -> State:
    """Read the account."""
    url = connection.aws_endpoint_url
    rows = list(_list(local_client("dynamodb", url), "scan", "Items", TableName=connection.jobs_table))
    bedrock = local_client("bedrock", connection.bedrock_endpoint_url)
    return State(
        jobs=tuple(from_attributes(FinetuningJob, row) for row in rows if row["item"]["S"] == "job"),
        items=tuple((row["id"]["S"], row["item"]["S"]) for row in rows),
        object_keys=tuple(_list_objects(local_client("s3", url), connection.data_bucket)),
        bedrock=tuple(_list_bedrock(bedrock)),
        executions=tuple(_list_executions(local_client("stepfunctions", url))),
        started=frozenset(started),
        stops=frozenset(stops),
        deletions=frozenset(deletions),
        gone=frozenset(gone),
        reported=frozenset(reported),
    )


def _list(client: Any, operation: str, rows: str, **arguments: Any) -> Iterator[dict[str, Any]]:
    for page in client.get_paginator(operation).paginate(**arguments):
        yield from page.get(rows, [])


def _list_objects(s3: Any, bucket: str) -> Iterator[str]:
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix="jobs/"):
        yield from (entry["Key"] for entry in (*page.get("Versions", []), *page.get("DeleteMarkers", [])))


def _list_bedrock(bedrock: Any) -> Iterator[BedrockThing]:
    for row in _list(bedrock, "list_model_customization_jobs", "modelCustomizationJobSummaries"):
        yield BedrockThing(kind="customization job", name=row["jobName"], arn=row["jobArn"], status=row["status"])
    for row in _list(bedrock, "list_custom_models", "modelSummaries"):
        yield BedrockThing(kind="custom model", name=row["modelName"], arn=row["modelArn"], status="Active")
    for row in _list(bedrock, "list_custom_model_deployments", "modelDeploymentSummaries"):
        name, arn = row["customModelDeploymentName"], row["customModelDeploymentArn"]
        yield BedrockThing(kind="deployment", name=name, arn=arn, status=row["status"])


def _list_executions(stepfunctions: Any) -> Iterator[Execution]:
    for workflow in STATE_MACHINES:
        for row in _list(stepfunctions, "list_executions", "executions", stateMachineArn=state_machine_arn(workflow)):
            yield Execution(name=row["name"], status=row["status"])
