"""The state machines; a named execution starts at most once."""

from __future__ import annotations

import json
import re
from enum import StrEnum
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from idp_finetuning.adapters.aws_calls import error_code
from idp_finetuning.adapters.function_versions import FunctionVersion
from idp_finetuning.jobs.evaluation import EvaluationRun
from idp_finetuning.jobs.job import JobRun, JobStatus

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient


# A version's ARN ends with its number; functions that are called without one do not match.
_VERSION = re.compile(r":function:([\w-]+):(\d+)\"")


class ExecutionStatus(StrEnum):
    """Statuses of an execution (botocore: stepfunctions ExecutionStatus)."""

    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    TIMED_OUT = "TIMED_OUT"
    ABORTED = "ABORTED"
    PENDING_REDRIVE = "PENDING_REDRIVE"

    @property
    def has_failed(self) -> bool:
        """Whether it ended before its last step."""
        return self in (ExecutionStatus.FAILED, ExecutionStatus.TIMED_OUT, ExecutionStatus.ABORTED)


class Workflow:
    """One state machine and its poll intervals in seconds."""

    def __init__(
        self, stepfunctions: SFNClient, arn: str, *, training_poll_seconds: int, deployment_poll_seconds: int
    ) -> None:
        self._stepfunctions = stepfunctions
        self._arn = arn
        self._intervals = {
            "trainingPollSeconds": training_poll_seconds,
            "deploymentPollSeconds": deployment_poll_seconds,
        }

    def start(self, run: JobRun | EvaluationRun, name: str, *, stage: JobStatus = JobStatus.VALIDATING) -> None:
        """Start the execution `name` for a run of a job at a stage, or an evaluation, unless it was started before."""
        try:
            self._stepfunctions.start_execution(
                stateMachineArn=self._arn,
                name=name,
                input=json.dumps({**run.to_wire(), "startAt": stage.value, **self._intervals}),
            )
        except ClientError as error:
            if error_code(error) != "ExecutionAlreadyExists":
                raise

    def status(self, name: str) -> ExecutionStatus | None:
        """Return the status of the execution with this name, or None if there is none."""
        arn = self._arn.replace(":stateMachine:", ":execution:") + f":{name}"
        try:
            response = self._stepfunctions.describe_execution(executionArn=arn)
        except ClientError as error:
            if error_code(error) == "ExecutionDoesNotExist":
                return None
            raise
        return ExecutionStatus(response["status"])

    def called_versions(self) -> frozenset[FunctionVersion]:
        """Return the versions of functions that executions call which start now."""
        definition = self._stepfunctions.describe_state_machine(stateMachineArn=self._arn)["definition"]
        return frozenset(FunctionVersion(name, int(number)) for name, number in _VERSION.findall(definition))
