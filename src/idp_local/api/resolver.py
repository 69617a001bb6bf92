"""`graphql/resolver.js` in Python, held equal to it by tests/graphql/resolver_vectors.json."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

INTERNAL_ERROR = "The service could not answer. Try again; if it keeps failing, see the resolver log."


class ResolverError(Exception):
    """What `util.error(message, type)` does: the field fails with this type and message."""

    def __init__(self, message: str | None, error_type: str | None) -> None:
        super().__init__(message)
        self.message = message
        self.error_type = error_type


def request(ctx: Mapping[str, Any]) -> dict[str, Any]:
    """The Lambda's event, from AppSync's context (`info.fieldName`, `args`, `identity`)."""
    identity = ctx.get("identity") or {}
    groups = identity.get("groups")
    return {
        "field": ctx["info"]["fieldName"],
        "arguments": ctx["args"],
        "identity": {
            "sub": identity.get("sub"),
            "username": identity.get("username"),
            "groups": [] if groups is None else groups,
        },
    }


def response(ctx: Mapping[str, Any]) -> Any:
    """The field's data, from AppSync's context (`error`, `result`). Raises ResolverError."""
    result = ctx.get("result")
    if _is_truthy(ctx.get("error")) or not _is_truthy(result):
        raise ResolverError(INTERNAL_ERROR, "InternalError")
    members = result if isinstance(result, dict) else {}
    error = members.get("error")
    if _is_truthy(error):
        named = error if isinstance(error, dict) else {}
        raise ResolverError(named.get("message"), named.get("type"))
    return members.get("data")


def _is_truthy(value: Any) -> bool:
    """JavaScript's truth: an empty object or list is true."""
    return not (value is None or value is False or value == "" or (isinstance(value, int | float) and value == 0))
