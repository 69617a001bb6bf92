"""AppSync's answers: data and errors in the form its clients know."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphql import ExecutionResult, GraphQLError

ERROR_TYPE = "errorType"


def refused(error_type: str, message: str) -> dict[str, Any]:
    """The body of a request that is not executed at all."""
    return {"errors": [{"errorType": error_type, "message": message}]}


def invalid(errors: Sequence[GraphQLError]) -> dict[str, Any]:
    """The body for a document that breaks GraphQL's or the schema's rules."""
    return {"data": None, "errors": [_error(error, "ValidationError") for error in errors]}


def executed(result: ExecutionResult) -> dict[str, Any]:
    """The body for an executed document."""
    body: dict[str, Any] = {"data": result.data}
    if result.errors:
        body["errors"] = [_error(error, None) for error in result.errors]
    return body


def _error(error: GraphQLError, otherwise: str | None) -> dict[str, Any]:
    locations = error.locations or []
    return {
        "path": error.path,
        "data": None,
        "errorType": (error.extensions or {}).get(ERROR_TYPE, otherwise),
        "errorInfo": None,
        "locations": [{"line": place.line, "column": place.column, "sourceName": None} for place in locations],
        "message": error.message,
    }
