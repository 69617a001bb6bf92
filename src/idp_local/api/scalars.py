"""AppSync's scalars: what they accept and refuse [AppSync developer guide, Scalar types]."""

from __future__ import annotations

import json
import re
from datetime import date, time
from typing import Any

from graphql import GraphQLError, GraphQLScalarType, GraphQLSchema

# Extended ISO 8601 with an offset; seconds and up to nine digits of a fraction may be left out.
_DATE_TIME = re.compile(
    r"(?P<date>\d{4}-\d\d-\d\d)T(?P<hour>\d\d):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:\.\d{1,9})?)?"
    r"(?:Z|[+-](?P<off_hour>\d\d):(?P<off_minute>\d\d)(?::(?P<off_second>\d\d))?)"
)


def use_appsync_scalars(schema: GraphQLSchema) -> None:
    """Gives the schema's AWS scalars their rules. Raises ValueError for one that has none here."""
    for name, scalar in schema.type_map.items():
        if not name.startswith("AWS") or not isinstance(scalar, GraphQLScalarType):
            continue
        if name not in _RULES:
            raise ValueError(f"The local API does not know the scalar {name}.")
        scalar.coerce_input_value, scalar.coerce_output_value = _RULES[name]


def date_time(value: Any) -> str:
    """The value, where it is an AWSDateTime. Raises GraphQLError."""
    match = _DATE_TIME.fullmatch(value) if isinstance(value, str) else None
    if match is None or not _exists(match):
        raise GraphQLError(f"Unable to parse `{value}` as a valid AWSDateTime: extended ISO 8601 with an offset.")
    return str(value)


def parsed_json(value: Any) -> Any:
    """What the JSON string says, as resolvers get it. Raises GraphQLError."""
    try:
        return json.loads(value, parse_constant=_refuse)
    except (TypeError, ValueError) as error:
        raise GraphQLError("Unable to parse the value as valid JSON.") from error


def json_string(value: Any) -> str:
    """A JSON string stays, anything else becomes one. Raises GraphQLError."""
    if not isinstance(value, str):
        return json.dumps(value, separators=(",", ":"))
    parsed_json(value)
    return value


def _exists(match: re.Match[str]) -> bool:
    try:
        date.fromisoformat(match["date"])
        time(int(match["hour"]), int(match["minute"]), int(match["second"] or 0))
        time(int(match["off_hour"] or 0), int(match["off_minute"] or 0), int(match["off_second"] or 0))
    except ValueError:
        return False
    return True


def _refuse(constant: str) -> None:
    raise ValueError(constant)  # NaN and Infinity are Python's, not JSON's


_RULES = {"AWSDateTime": (date_time, date_time), "AWSJSON": (parsed_json, json_string)}
