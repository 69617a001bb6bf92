"""`graphql/resolver.js` in Python; tests/graphql/resolver_vectors.json has the cases of both."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

INTERNAL_ERROR = "The service could not answer. Try again; if it keeps failing, see the resolver log."


class ResolverError(Exception):
    """A field fails with this type and message, as by `util.error(message, type)`."""

    def __init__(self, message: str | None, error_type: str | None) -> None:
        super().__init__(message)
        self.message = message
        self.error_type = error_type


def request(ctx: Mapping[str, Any]) -> dict[str, Any]:
    """Return the function's event for AppSync's context (`info.fieldName`, `args`, `identity`)."""
    identity = ctx.get("identity") or {}
    groups = identity.get("groups")
    return {
        "field": ctx["info"]["fieldName"],
        "arguments": ctx["args"],
        "identity": {
            "sub": identity.get("sub"),
            "username": identity.get("username"),
            "email": (identity.get("claims") or {}).get("email"),
            "groups": [] if groups is None else groups,
        },
    }


def response(ctx: Mapping[str, Any]) -> Any:
    """Return the field's data from AppSync's context (`error`, `result`); raises ResolverError."""
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
    """Judge as JavaScript does: an empty object or list is true."""
    return not (value is None or value is False or value == "" or (isinstance(value, int | float) and value == 0))
