"""Jobs with plans, by their names: started, waited for, and deleted again."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict

from idp_finetuning.adapters.tables.items import from_attributes
from idp_finetuning.deployment import DELETION, FINETUNING
from idp_finetuning.jobs.job import FinetuningJob
from idp_local.aws.names import state_machine_arn
from idp_local.environment import local_client
from tests.chaos.state import State, read_state
from tests.support.graphql_client import GraphQLError
from tests.support.local.faults import Fault
from tests.support.pipeline.driver import Pipeline
from tests.support.pipeline.fault_cases import HALF_DELETED
from tests.support.pipeline.planned import RESOLVER, Plan, PlannedDisturbance, refused

MODEL = "us.amazon.nova-lite-v1:0"
PATIENCE_SECONDS = 240


class Execution(BaseModel):
    """How an execution ended, as Step Functions shows it."""

    model_config = ConfigDict(frozen=True)

    status: str
    error: str | None = None
    cause: str | None = None


class PlannedJobs:
    """The jobs of a runtime by their names."""

    def __init__(self, pipeline: Pipeline, disturbance: PlannedDisturbance) -> None:
        self._pipeline = pipeline
        self._disturbance = disturbance
        self._dynamodb = local_client("dynamodb", pipeline.connection.aws_endpoint_url)
        self._ids: dict[str, str] = {}

    def start(self, name: str, test_set_id: str, plan: Plan, **given: Any) -> None:
        """Start a job with more members of StartFinetuningJobInput; on MODEL if they name none."""
        self._disturbance.plan(name, plan)
        members = {"testSetId": test_set_id, "baseModel": MODEL, "jobName": name, **given}
        self._ids[name] = self._pipeline.start(**members).id

    def id_of(self, name: str) -> str:
        return self._ids[name]

    def fails_to_start(self, name: str, test_set_id: str, fault: Fault) -> str:
        """The API's error type."""
        with pytest.raises(GraphQLError) as failed:
            self.start(name, test_set_id, Plan(faults={RESOLVER: (fault,)}))
        listed = self._pipeline.client.execute("{ listFinetuningJobs { items { id jobName } } }")
        made = next(job["id"] for job in listed["listFinetuningJobs"]["items"] if job["jobName"] == name)
        self._disturbance.name(made, name)
        self._ids[name] = made
        return str(failed.value.error_type)

    def state(self) -> State:
        return read_state(self._pipeline.connection, started=set(self._ids.values()))

    def record(self, name: str) -> FinetuningJob:
        key = {"id": {"S": self._ids[name]}, "item": {"S": "job"}}
        found = self._dynamodb.get_item(TableName=self._pipeline.connection.jobs_table, Key=key)["Item"]
        return from_attributes(FinetuningJob, found)

    def execution(self, name: str) -> Execution:
        return self._execution(FINETUNING, self._ids[name])

    def remove_manifest(self, job_id: str) -> None:
        bucket = self._pipeline.connection.data_bucket
        self._pipeline.s3.delete_object(Bucket=bucket, Key=f"jobs/{job_id}/manifest.json")

    def wait(self, names: Iterable[str]) -> None:
        """Until the workflows of these jobs have ended."""
        self._wait(FINETUNING, {name: self._ids[name] for name in names})

    def delete_half_way(self) -> tuple[dict[str, FinetuningJob], dict[str, Execution]]:
        """Records and executions of deletions that one state of the workflow kept from ending."""
        for name, (function, operation) in HALF_DELETED.items():
            self._disturbance.plan(name, Plan(faults={function: (refused(operation),)}))
        executions = self.delete(HALF_DELETED)
        records = {name: self.record(name) for name in HALF_DELETED}
        for name in HALF_DELETED:
            self._disturbance.plan(name, Plan())
        return records, executions

    def delete(self, names: Iterable[str]) -> dict[str, Execution]:
        """How their deletions ended."""
        doomed = {name: self.record(name) for name in names}
        mutation = "mutation ($id: ID!) { deleteFinetuningJob(jobId: $id) }"
        for job in doomed.values():
            self._pipeline.client.execute(mutation, {"id": job.id})
        deletions = {
            name: job.model_copy(update={"deletion_attempt": job.deletion_attempt + 1}).deletion_name
            for name, job in doomed.items()
        }
        self._wait(DELETION, deletions)
        return {name: self._execution(DELETION, execution) for name, execution in deletions.items()}

    def _wait(self, workflow: str, names: Mapping[str, str]) -> None:
        waiting, latest = dict(names), time.monotonic() + PATIENCE_SECONDS
        while waiting := {
            name: execution
            for name, execution in waiting.items()
            if self._execution(workflow, execution).status == "RUNNING"
        }:
            assert time.monotonic() < latest, f"still running: {', '.join(waiting)}"
            time.sleep(0.7)

    def _execution(self, workflow: str, name: str) -> Execution:
        arn = state_machine_arn(workflow).replace(":stateMachine:", ":execution:") + f":{name}"
        found: dict[str, Any] = self._pipeline.stepfunctions.describe_execution(executionArn=arn)
        return Execution(status=found["status"], error=found.get("error"), cause=found.get("cause"))
