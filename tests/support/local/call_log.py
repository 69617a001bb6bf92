"""What the functions call in AWS, a JSON line a call in `logs/aws-calls.jsonl`: names of resources, never contents."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import botocore
from pydantic import BaseModel, ConfigDict

from idp_local.functions.messages import Task

FILE_NAME = "aws-calls.jsonl"

_STASH = "idp_local_names"
# Only these members of a request are logged, at any depth: all others may have text of users.
_NAMING = frozenset(
    {
        "Bucket",
        "FunctionName",
        "IndexName",
        "Key",
        "Prefix",
        "TableName",
        "UserPoolId",
        "VersionId",
        "baseModelIdentifier",
        "customModelDeploymentIdentifier",
        "customModelName",
        "executionArn",
        "jobIdentifier",
        "jobName",
        "key",  # of a tag
        "modelArn",
        "modelId",
        "modelDeploymentName",
        "modelIdentifier",
        "resourceARN",
        "roleArn",
        "stateMachineArn",
    }
)


class AwsCall(BaseModel):
    """One call: boto3's names of service and operation; `error` is AWS's code if it refused.

    What is presigned counts as called: AWS will judge it by the function's role.
    """

    model_config = ConfigDict(frozen=True)

    function: str
    service: str
    operation: str
    parameters: dict[str, Any]
    error: str | None = None


def calls(directory: Path) -> list[AwsCall]:
    """Every call of the functions of the runtime in this folder."""
    lines = (directory / "logs" / FILE_NAME).read_text(encoding="utf-8").splitlines()
    return [AwsCall.model_validate_json(line) for line in lines]


class CallLog:
    """Writes every AWS call of this process as one of the function that it runs."""

    def __init__(self) -> None:
        self._function = ""
        self._path = Path(os.devnull)
        botocore.register_initializer(self._observe)

    def begin(self, task: Task) -> None:
        """Log calls from now on as this task's, beside its log."""
        self._function = task.function_name
        self._path = Path(task.log_file).with_name(FILE_NAME)

    def _observe(self, session: Any) -> None:
        session.register("provide-client-params", self._stash)
        session.register("before-sign", self._presigned)
        session.register("after-call", self._answered)

    def _stash(self, params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
        context[_STASH] = naming(params)

    def _presigned(self, request: Any, operation_name: str, signing_name: str, **_: Any) -> None:
        if request.context.get("is_presign_request"):
            form = naming({"Key": request.context.get("s3-presign-post-fields", {}).get("key")})
            self._write(signing_name, operation_name, {**request.context[_STASH], **form})

    def _answered(self, parsed: dict[str, Any], model: Any, context: dict[str, Any], **_: Any) -> None:
        self._write(model.service_model.service_name, model.name, context[_STASH], parsed.get("Error", {}).get("Code"))

    def _write(self, service: str, operation: str, parameters: dict[str, Any], error: str | None = None) -> None:
        call = AwsCall(
            function=self._function, service=service, operation=operation, parameters=parameters, error=error
        )
        # One write a line, since threads and processes share the file.
        file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(file, call.model_dump_json(exclude_none=True).encode() + b"\n")
        finally:
            os.close(file)


def naming(value: Any) -> Any:
    """Return a request's parameters without all that names no resource; empty if nothing does."""
    if isinstance(value, dict) and "RequestItems" in value:  # by the name of the table
        return {"RequestItems": [{"TableName": table} for table in value["RequestItems"]]}
    if isinstance(value, list):
        return [kept for item in value if (kept := naming(item))]
    if not isinstance(value, dict):
        return None
    kept = {name: item if name in _NAMING and isinstance(item, str) else naming(item) for name, item in value.items()}
    return {name: item for name, item in kept.items() if item}
