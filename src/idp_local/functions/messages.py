"""Requests to a worker process and its responses: one JSON object on each line."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict


class Task(BaseModel):
    """One invocation.

    `for_instrument` is for the worker's instrument alone (see `worker`): any JSON that its caller and it agree on.
    """

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
    for_instrument: Any = None


class Outcome(BaseModel):
    """What the function returned, or Lambda's error object if `failed`."""

    model_config = ConfigDict(frozen=True)

    failed: bool
    payload: Any


def failure(error_type: str, message: str) -> Outcome:
    """Build an error that Lambda itself reports, in Lambda's form."""
    return Outcome(failed=True, payload={"errorType": error_type, "errorMessage": message})
