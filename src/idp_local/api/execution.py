"""From a request's body to its answer."""

from __future__ import annotations

import json
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from graphql import ExecutionResult, GraphQLError, GraphQLSchema, execute, parse, validate
from idp_local.api.answers import executed, invalid
from idp_local.api.schema import Call


class MalformedRequest(Exception):
    """The body is not a GraphQL request; the message says what is wrong with it."""


class GraphQLRequest(BaseModel):
    """The body of a POST."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    query: str
    variables: dict[str, Any] | None = None
    operationName: str | None = None  # noqa: N815 - GraphQL over HTTP names it so


def read_request(body: bytes) -> GraphQLRequest:
    """The request in a body. Raises MalformedRequest."""
    try:
        content = json.loads(body)
    except ValueError as error:
        raise MalformedRequest("The body is not JSON.") from error
    if not isinstance(content, dict) or not isinstance(content.get("query"), str) or not content["query"].strip():
        raise MalformedRequest('The body has no "query".')
    try:
        return GraphQLRequest.model_validate(content)
    except ValidationError as error:
        name = str(error.errors()[0]["loc"][0])
        raise MalformedRequest(f'"{name}" has the wrong type.') from error


def answer(schema: GraphQLSchema, request: GraphQLRequest, call: Call) -> dict[str, Any]:
    """AppSync's answer; a document that breaks the rules runs nothing."""
    try:
        document = parse(request.query)
    except GraphQLError as error:
        return invalid([error])
    if errors := validate(schema, document, allow_empty_selection_sets=False):
        return invalid(errors)
    result = execute(schema, document, None, call, request.variables, request.operationName)
    assert isinstance(result, ExecutionResult)  # noqa: S101 - no resolver is asynchronous
    return executed(result)
