"""GraphQL requests: read from a body, validated and executed."""

from __future__ import annotations

import json
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from graphql import ExecutionResult, GraphQLError, GraphQLSchema, execute, parse, validate
from idp_local.api.depth import check_depth
from idp_local.api.responses import report_errors, report_result
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
    """Return the request in a body; raises MalformedRequest."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise MalformedRequest("The body is not JSON, or is nested too deeply.") from error
    if not isinstance(content, dict) or not isinstance(content.get("query"), str) or not content["query"].strip():
        raise MalformedRequest('The body has no "query".')
    try:
        return GraphQLRequest.model_validate(content)
    except ValidationError as error:
        name = str(error.errors()[0]["loc"][0])
        raise MalformedRequest(f'"{name}" has the wrong type.') from error


def execute_request(schema: GraphQLSchema, request: GraphQLRequest, call: Call) -> dict[str, Any]:
    """Return the response body as AppSync's; of a document that breaks a rule, nothing runs."""
    try:
        document = parse(request.query)
        errors = validate(schema, document, allow_empty_selection_sets=False) or check_depth(document)
    except GraphQLError as error:
        return report_errors([error])
    except RecursionError:
        return report_errors([GraphQLError("The query is nested too deeply.")])
    if errors:
        return report_errors(errors)
    result = execute(schema, document, None, call, request.variables, request.operationName)
    assert isinstance(result, ExecutionResult)  # noqa: S101 - no resolver is asynchronous
    return report_result(result)
