"""AppSync's scalars: what they accept and refuse (AppSync developer guide, "Scalar types in GraphQL")."""

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
    """Give the schema's AWS scalars their rules; raises ValueError for one that has none here."""
    for name, scalar in schema.type_map.items():
        if not name.startswith("AWS") or not isinstance(scalar, GraphQLScalarType):
            continue
        if name not in _RULES:
            raise ValueError(f"The local API does not know the scalar {name}.")
        scalar.coerce_input_value, scalar.coerce_output_value = _RULES[name]


def check_date_time(value: Any) -> str:
    """Return the value; raises GraphQLError if it is no AWSDateTime."""
    match = _DATE_TIME.fullmatch(value) if isinstance(value, str) else None
    if match is None or not _exists(match):
        raise GraphQLError(f"Unable to parse `{value}` as a valid AWSDateTime: extended ISO 8601 with an offset.")
    return str(value)


def parse_json(value: Any) -> Any:
    """Return the content of a JSON string, as resolvers get it; raises GraphQLError."""
    try:
        return json.loads(value, parse_constant=_refuse)
    except (TypeError, ValueError) as error:
        raise GraphQLError("Unable to parse the value as valid JSON.") from error


def dump_json(value: Any) -> str:
    """Return a JSON string unchanged and anything else as one; raises GraphQLError for a string that is not JSON."""
    if not isinstance(value, str):
        return json.dumps(value, separators=(",", ":"))
    parse_json(value)
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


_RULES = {"AWSDateTime": (check_date_time, check_date_time), "AWSJSON": (parse_json, dump_json)}
