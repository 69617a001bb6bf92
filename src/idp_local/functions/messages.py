"""What a worker process is asked and answers: one JSON object a line."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

from idp_local.functions.faults import Fault


class Task(BaseModel):
    """One invocation."""

    model_config = ConfigDict(frozen=True)

    request_id: str
    function_name: str
    function_arn: str
    handler: str  # "package.module.function"
    environment: dict[str, str]
    timeout_seconds: float
    memory_mb: int
    log_file: str
    event: Any
    faults: tuple[Fault, ...] = ()


class Outcome(BaseModel):
    """What the function answered, or Lambda's error object where `failed`."""

    model_config = ConfigDict(frozen=True)

    failed: bool
    payload: Any


def failure(error_type: str, message: str) -> Outcome:
    """An error that Lambda itself reports, in Lambda's form."""
    return Outcome(failed=True, payload={"errorType": error_type, "errorMessage": message})
