"""Response bodies in AppSync's form: data and errors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphql import ExecutionResult, GraphQLError

ERROR_TYPE = "errorType"


def refuse_request(error_type: str, message: str) -> dict[str, Any]:
    """Return the body for a request that is not executed at all."""
    return {"errors": [{"errorType": error_type, "message": message}]}


def report_errors(errors: Sequence[GraphQLError]) -> dict[str, Any]:
    """Return the body for a document that breaks GraphQL's or the schema's rules."""
    return {"data": None, "errors": [_error(error, "ValidationError") for error in errors]}


def report_result(result: ExecutionResult) -> dict[str, Any]:
    """Return the body for an executed document."""
    body: dict[str, Any] = {"data": result.data}
    if result.errors:
        body["errors"] = [_error(error, None) for error in result.errors]
    return body


def _error(error: GraphQLError, default_type: str | None) -> dict[str, Any]:
    locations = error.locations or []
    return {
        "path": error.path,
        "data": None,
        "errorType": (error.extensions or {}).get(ERROR_TYPE, default_type),
        "errorInfo": None,
        "locations": [{"line": location.line, "column": location.column, "sourceName": None} for location in locations],
        "message": error.message,
    }
