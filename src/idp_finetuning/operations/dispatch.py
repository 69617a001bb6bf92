"""From a GraphQL field to its operation, and from its outcome to the response the API's resolver expects."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from idp_finetuning.adapters.services import Services
from idp_finetuning.errors import (
    AwsCallRefused,
    FinetuningError,
    InternalError,
    InvalidInput,
    SettingMissing,
    Unauthorized,
)
from idp_finetuning.operations.identity import Identity
from idp_finetuning.operations.table import OPERATIONS, Result
from idp_finetuning.text import hide_account, why_unsendable
from idp_finetuning.wire import WireModel

SHOWN_PROBLEMS = 5
# Members of the schema with texts for people that may contain a message of AWS.
MAY_QUOTE_AWS = frozenset({"errorMessage", "message", "reason", "waitingFor", "warnings"})


class ResolverEvent(WireModel):
    """What graphql/resolver.js sends."""

    field: str
    arguments: dict[str, Any]
    identity: Identity


def respond(event: ResolverEvent, services: Services) -> Any:
    """Return the JSON-ready data of the field. Raises a FinetuningError."""
    authorize(event.field, event.identity)
    operation = OPERATIONS[event.field]
    if reason := why_unsendable(event.arguments):
        raise InvalidInput(reason)
    try:
        arguments = operation.arguments.model_validate(event.arguments)
    except ValidationError as error:
        raise InvalidInput(_explain(error)) from error
    return _to_wire(operation.function(arguments, event.identity, services))


def authorize(field: str, identity: Identity) -> None:
    """Raise Unauthorized if the operation is unknown or the caller's groups do not allow it."""
    operation = OPERATIONS.get(field)
    if operation is None:
        raise Unauthorized(f"Not authorized to access {field}.")
    if operation.groups and operation.groups.isdisjoint(identity.groups):
        needed = " or ".join(sorted(operation.groups))
        raise Unauthorized(f"Not authorized to access {field}. It needs the group {needed}.")


def error_response(error: FinetuningError) -> dict[str, Any]:
    """Return the error a client sees; what only operators can mend is an InternalError without details."""
    if isinstance(error, AwsCallRefused | SettingMissing):
        error = InternalError("The service could not carry this out. Ask its operator to look at the resolver's log.")
    return {"error": {"type": error.code, "message": hide_account(error.message)}}


def _to_wire(result: Result) -> Any:
    if isinstance(result, bool):
        return result
    return _hide(result.to_wire() if isinstance(result, WireModel) else [item.to_wire() for item in result])


def _hide(value: Any) -> Any:
    """Return the data with account ids hidden in the texts that may quote AWS, also in those stored long ago."""
    if isinstance(value, list):
        return [_hide(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {name: _hide_text(item) if name in MAY_QUOTE_AWS else _hide(item) for name, item in value.items()}


def _hide_text(value: Any) -> Any:
    if isinstance(value, list):
        return [hide_account(text) for text in value]
    return hide_account(value) if isinstance(value, str) else value


def _explain(error: ValidationError) -> str:
    """Name each wrong argument with its rule, never with its value."""
    problems = []
    for problem in error.errors(include_input=False, include_url=False, include_context=False):
        place = ".".join(str(part) for part in problem["loc"])
        rule = problem["msg"].removeprefix("Value error, ")
        problems.append(f"{place}: {rule[:1].lower()}{rule[1:]}" if place else rule)
    return "; ".join(problems[:SHOWN_PROBLEMS]) + "."
