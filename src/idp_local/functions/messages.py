"""Requests to a worker process and its responses: one JSON object on each line, in ASCII.

Strings come through as they are, even half a surrogate pair, which is legal in JSON as an escape and nowhere else.
"""

from __future__ import annotations

import json
from typing import Any, Self

from pydantic import BaseModel, ConfigDict


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True)

    def to_line(self) -> bytes:
        """Return the message as a line. Raises ValueError, TypeError or RecursionError if JSON cannot hold it."""
        return json.dumps(self.model_dump()).encode() + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> Self:
        """Return the message on a line."""
        return cls.model_validate(json.loads(line))


class Task(_Message):
    """One invocation.

    `for_instrument` is for the worker's instrument alone (see `worker`): any JSON that its caller and it agree on.
    """

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


class Outcome(_Message):
    """What the function returned, or Lambda's error object if `failed`."""

    failed: bool
    payload: Any


def failure(error_type: str, message: str) -> Outcome:
    """Build an error that Lambda itself reports, in Lambda's form."""
    return Outcome(failed=True, payload={"errorType": error_type, "errorMessage": message})
