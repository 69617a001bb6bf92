"""The API as AppSync runs it: the schema, the resolver's event and its error mapping, before the resolver Lambda."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from graphql import (
    GraphQLError,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLScalarType,
    GraphQLSchema,
    build_schema,
    get_named_type,
    graphql_sync,
    is_object_type,
)
from lambdas.resolver import handler

APPSYNC = "scalar AWSDateTime\nscalar AWSJSON\ndirective @aws_auth(cognito_groups: [String!]!) on FIELD_DEFINITION\n"
SCHEMA_FILE = Path(__file__).parents[3] / "graphql" / "schema.graphql"


def schema() -> GraphQLSchema:
    """The API's schema, with scalars as strict as AppSync's."""
    built = build_schema(APPSYNC + SCHEMA_FILE.read_text(encoding="utf-8"))
    for name, check in (("AWSDateTime", _date_time), ("AWSJSON", _json)):
        scalar = built.type_map[name]
        assert isinstance(scalar, GraphQLScalarType)
        scalar.serialize = check  # type: ignore[method-assign]
    return built


def _date_time(value: Any) -> str:
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", value), value
    return str(value)


def _json(value: Any) -> str:
    assert isinstance(value, str)
    json.loads(value)
    return value


SCHEMA = schema()


def selection(type_name: str) -> str:
    """Every field of a type, down to the leaves."""
    found = SCHEMA.type_map[type_name]
    if not is_object_type(found):
        return ""
    assert isinstance(found, GraphQLObjectType)
    parts = [f"{name} {selection(get_named_type(field.type).name)}" for name, field in found.fields.items()]
    return "{ " + " ".join(parts) + " }"


def call(field: str, groups: Sequence[str] = ("Author",), sub: str = "sub-1", **arguments: Any) -> Any:
    """Data of one field with everything its type has. Raises ApiError."""
    root = SCHEMA.query_type if SCHEMA.query_type and field in SCHEMA.query_type.fields else SCHEMA.mutation_type
    assert root
    definition = root.fields[field]
    declared = ", ".join(f"${name}: {definition.args[name].type}" for name in arguments)
    passed = ", ".join(f"{name}: ${name}" for name in arguments)
    kind = "query" if root is SCHEMA.query_type else "mutation"
    text = (
        f"{kind} Q{f'({declared})' if declared else ''} "
        f"{{ {field}{f'({passed})' if passed else ''} {selection(get_named_type(definition.type).name)} }}"
    )

    def resolve(_root: Any, info: GraphQLResolveInfo[Any], **given: Any) -> Any:
        identity = {"sub": sub, "username": "author@example.com", "groups": list(groups)}
        answer = handler({"field": info.field_name, "arguments": given, "identity": identity}, None)
        if "error" in answer:
            raise GraphQLError(answer["error"]["message"], extensions={"type": answer["error"]["type"]})
        return answer["data"]

    definition.resolve = resolve
    result = graphql_sync(SCHEMA, text, variable_values=arguments)
    if result.errors:
        (error,) = result.errors
        if error.original_error is not None and "type" not in (error.extensions or {}):
            raise error.original_error
        raise ApiError((error.extensions or {}).get("type", ""), error.message)
    assert result.data is not None
    return result.data[field]


class ApiError(Exception):
    """An error of the API with its type."""

    def __init__(self, error_type: str, message: str) -> None:
        super().__init__(f"{error_type}: {message}")
        self.error_type = error_type
        self.message = message
