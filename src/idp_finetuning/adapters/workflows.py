"""The state machines: started by a name that makes a second start harmless."""

from __future__ import annotations

import json
from typing import Any

from botocore.exceptions import ClientError

from idp_finetuning.adapters.aws_calls import error_code


class Workflow:
    """One state machine and its poll intervals in seconds."""

    def __init__(
        self, stepfunctions: Any, arn: str, *, training_poll_seconds: int, deployment_poll_seconds: int
    ) -> None:
        self._stepfunctions = stepfunctions
        self._arn = arn
        self._intervals = {
            "trainingPollSeconds": training_poll_seconds,
            "deploymentPollSeconds": deployment_poll_seconds,
        }

    def start(self, job_id: str, name: str) -> None:
        """Starts the execution `name` for a job; one that was started already is fine."""
        try:
            self._stepfunctions.start_execution(
                stateMachineArn=self._arn, name=name, input=json.dumps({"jobId": job_id, **self._intervals})
            )
        except ClientError as error:
            if error_code(error) != "ExecutionAlreadyExists":
                raise

    def is_running(self, name: str) -> bool:
        """Whether the execution of this name exists and has not ended."""
        arn = self._arn.replace(":stateMachine:", ":execution:") + f":{name}"
        try:
            answer = self._stepfunctions.describe_execution(executionArn=arn)
        except ClientError as error:
            if error_code(error) == "ExecutionDoesNotExist":
                return False
            raise
        return bool(answer["status"] == "RUNNING")
