"""The local API refuses what AppSync refuses by its limits of depth and of resolvers."""

from __future__ import annotations

from typing import Any

import pytest

from graphql import GraphQLSchema, get_introspection_query
from idp_finetuning.deployment import QUERY_DEPTH_LIMIT, RESOLVER_COUNT_LIMIT
from idp_local.api.execution import GraphQLRequest, execute_request
from idp_local.api.schema import Call, executable_schema
from idp_local.api.tokens import Caller

SDL = """
type Query { root: Node }
type Mutation { change(n: Int): Int @aws_auth(cognito_groups: ["Admin"]) }
type Node { next: Node value: Int }
"""


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    """A schema of nodes within nodes."""
    return executable_schema(SDL)


def execute(schema: GraphQLSchema, query: str, *groups: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the response body and the events of the resolver function."""
    events: list[dict[str, Any]] = []

    def invoke(event: dict[str, Any]) -> dict[str, Any]:
        events.append(event)
        return {"result": {"data": event["arguments"].get("n", {"value": 1})}}

    return execute_request(
        schema, GraphQLRequest(query=query), Call(Caller(sub="s", username="u", groups=groups), invoke)
    ), events


def nested(levels: int) -> str:
    """Fields of this many levels, the last of which is a value."""
    return "root { " + "next { " * (levels - 2) + "value" + " }" * (levels - 1)


def test_an_operation_as_deep_as_the_limit_is_executed(schema: GraphQLSchema) -> None:
    body, events = execute(schema, f"{{ {nested(QUERY_DEPTH_LIMIT)} }}")
    assert "errors" not in body
    assert len(events) == 1


@pytest.mark.parametrize(
    "query",
    [
        f"{{ {nested(QUERY_DEPTH_LIMIT + 1)} }}",
        f"{{ ... {{ {nested(QUERY_DEPTH_LIMIT + 1)} }} }}",
        f"{{ ...Deep }} fragment Deep on Query {{ {nested(QUERY_DEPTH_LIMIT + 1)} }}",
    ],
    ids=["fields", "inline fragment", "fragment"],
)
def test_a_deeper_operation_is_refused_before_any_resolver_runs(schema: GraphQLSchema, query: str) -> None:
    body, events = execute(schema, query)
    assert body["data"] is None
    assert [error["errorType"] for error in body["errors"]] == ["QueryDepthLimitReached"]
    assert events == []


def test_the_consoles_may_read_the_schema(schema: GraphQLSchema) -> None:
    body, _ = execute(schema, get_introspection_query())
    assert "errors" not in body


def test_the_fields_beyond_the_limit_of_resolvers_run_none(schema: GraphQLSchema) -> None:
    fields = " ".join(f"f{n}: change(n: {n})" for n in range(RESOLVER_COUNT_LIMIT + 2))
    body, events = execute(schema, f"mutation {{ {fields} __typename }}", "Admin")
    assert len(events) == RESOLVER_COUNT_LIMIT
    assert [(error["path"], error["errorType"]) for error in body["errors"]] == [
        (["f20"], "ResolverCountLimitReached"),
        (["f21"], "ResolverCountLimitReached"),
    ]
    assert body["data"]["f19"] == 19
    assert body["data"]["f20"] is None


def test_fields_within_a_result_have_no_resolver_and_count_for_nothing(schema: GraphQLSchema) -> None:
    values = " ".join(f"v{n}: value" for n in range(RESOLVER_COUNT_LIMIT * 2))
    body, events = execute(schema, f"{{ root {{ {values} }} }}")
    assert "errors" not in body
    assert len(events) == 1
