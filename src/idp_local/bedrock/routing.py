"""The operation of an HTTP request, its input and its output, as botocore's service model describes them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote

import botocore.session
from botocore.model import OperationModel, ServiceModel

from idp_local.bedrock.errors import BedrockError, invalid
from idp_local.bedrock.shapes import from_json, from_text, to_json, violations

SERVICES = ("bedrock", "bedrock-runtime")

_LABEL = re.compile(r"\{(\w+)(\+?)\}")


class Route(NamedTuple):
    """One operation's method and path; `path` matches the raw path, still percent-encoded."""

    method: str
    path: re.Pattern[str]
    operation: OperationModel


@cache
def service_model(service: str) -> ServiceModel:
    """Return botocore's model of a service."""
    return botocore.session.get_session().get_service_model(service)


@cache
def routes() -> tuple[Route, ...]:
    """Return every operation of both services, the most literal paths first, so that a label never hides one."""
    found = []
    for service in SERVICES:
        model = service_model(service)
        for name in model.operation_names:
            operation = model.operation_model(name)
            uri = operation.http["requestUri"].partition("?")[0]
            parts = _LABEL.split(uri)
            # split() yields text, label, "+", text, label, "+", …, text
            pattern = re.escape(parts[0])
            for label, greedy, text in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
                pattern += f"(?P<{label}>{'.+' if greedy else '[^/]+'})" + re.escape(text)
            literal = len(_LABEL.sub("", uri))
            found.append((-literal, Route(operation.http["method"], re.compile(pattern), operation)))
    return tuple(route for _, route in sorted(found, key=lambda entry: entry[0]))


def route(method: str, raw_path: str) -> tuple[OperationModel, dict[str, str]]:
    """Return the operation and its decoded path labels; UnknownOperationException if no operation has that path.

    The raw path is matched and only then unquoted: the slashes inside an ARN arrive as %2F.
    """
    for candidate in routes():
        matched = candidate.path.fullmatch(raw_path) if candidate.method == method else None
        if matched:
            return candidate.operation, {label: unquote(text) for label, text in matched.groupdict().items()}
    raise BedrockError("UnknownOperationException", f"No operation of Bedrock is {method} {raw_path}.")


def read_input(
    operation: OperationModel, labels: Mapping[str, str], query: str, headers: Mapping[str, str], body: bytes
) -> dict[str, Any]:
    """Return the operation's input as Python values; ValidationException names everything that is wrong with it."""
    shape = operation.input_shape
    if shape is None:
        return {}
    asked = dict(parse_qsl(query, keep_blank_values=True))
    elsewhere: dict[str, Mapping[str, str]] = {"uri": labels, "querystring": asked, "header": headers}
    given: dict[str, Any] = {}
    in_body = {}
    for name, member in shape.members.items():
        source = elsewhere.get(member.serialization.get("location", ""))
        wire_name = member.serialization.get("name", name)
        if source is None:
            in_body[name] = member
        elif wire_name in source:
            given[name] = from_text(member, source[wire_name])
            asked.pop(wire_name, None)
    content = _body(body) if in_body else {}
    given |= {name: from_json(in_body[name], value) for name, value in content.items() if name in in_body}
    # Names in the query or the body that are no members of the input.
    unknown = [name for name in (*asked, *content) if name not in in_body]
    wrong = [f"Value at '{name}' failed to satisfy constraint: Member is unknown" for name in unknown]
    wrong += violations(shape, given)
    if wrong:
        plural = "s" if len(wrong) > 1 else ""
        raise invalid(f"{len(wrong)} validation error{plural} detected: {'; '.join(wrong)}")
    return {name: value for name, value in given.items() if value is not None}


def write_output(operation: OperationModel, output: dict[str, Any]) -> bytes:
    """Return the output as JSON; RuntimeError if it is outside the operation's output shape, a defect of the server."""
    shape = operation.output_shape
    if shape is None:
        return b"{}"
    present = _without_nulls(output)
    wrong = list(violations(shape, present))
    if wrong:
        raise RuntimeError(f"The output of {operation.name} is outside its shape: {'; '.join(wrong)}")
    return json.dumps(to_json(shape, present)).encode()


def _body(body: bytes) -> dict[str, Any]:
    if not body:
        return {}
    try:
        content = json.loads(body)
    except ValueError as error:
        raise invalid("The request body is not JSON.") from error
    if not isinstance(content, dict):
        raise invalid("The request body is not a JSON object.")
    return content


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nulls(item) for name, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [_without_nulls(item) for item in value]
    return value
