"""AppSync's scalars accept and refuse what AppSync's guide says."""

from __future__ import annotations

from typing import Any

import pytest

from graphql import GraphQLError
from idp_local.api.execution import GraphQLRequest, execute_request
from idp_local.api.scalars import check_date_time, dump_json, parse_json
from idp_local.api.schema import Call, executable_schema
from idp_local.api.tokens import Caller


@pytest.mark.parametrize(
    "value",
    [
        "2026-11-22T19:24:34Z",
        "2026-11-22T19:24Z",
        "2026-11-22T19:24:34.123456789+01:00",
        "2024-02-29T00:00:00.5-08:00:30",
    ],
)
def test_a_date_time_with_an_offset_is_accepted(value: str) -> None:
    assert check_date_time(value) == value


@pytest.mark.parametrize(
    "value",
    [
        "2026-11-22T19:24:34",
        "2026-11-22",
        "2026-11-22 19:24:34Z",
        "2026-02-30T00:00:00Z",
        "2026-11-22T25:00:00Z",
        "2026-11-22T19:24:34+0100",
        "20261122T192434Z",
        "",
        1700000000,
    ],
)
def test_any_other_date_time_is_refused(value: object) -> None:
    with pytest.raises(GraphQLError):
        check_date_time(value)


def test_json_arrives_parsed_and_leaves_as_a_string() -> None:
    assert parse_json('{"invoice": 3}') == {"invoice": 3}
    assert dump_json('{"invoice": 3}') == '{"invoice": 3}'
    assert dump_json({"invoice": 3}) == '{"invoice":3}'


@pytest.mark.parametrize("value", ["{invoice: 3}", "invoice", "", "NaN", 3, None])
def test_what_is_not_json_is_refused(value: object) -> None:
    with pytest.raises(GraphQLError):
        parse_json(value)


def test_a_scalar_that_appsync_does_not_supply_is_refused_at_the_start() -> None:
    with pytest.raises(ValueError, match="AWSShoeSize"):
        executable_schema("scalar AWSShoeSize type Query { size: AWSShoeSize }")


SDL = "type Query { echo(at: AWSDateTime, json: AWSJSON): AWSJSON }"


def echoed(query: str, variables: dict[str, Any] | None = None) -> dict[str, Any]:
    """The answer of a schema whose function answers with its arguments."""
    call = Call(Caller(sub="s", username="u"), lambda event: {"result": {"data": event["arguments"]}})
    return execute_request(executable_schema(SDL), GraphQLRequest(query=query, variables=variables), call)


def test_the_scalars_hold_for_literals_and_variables() -> None:
    assert echoed('{ echo(json: "[1]") }') == {"data": {"echo": '{"json":[1]}'}}
    assert echoed("query ($j: AWSJSON) { echo(json: $j) }", {"j": "[1]"}) == {"data": {"echo": '{"json":[1]}'}}


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        ('{ echo(json: "[1") }', None),
        ("{ echo(json: {a: 1}) }", None),
        ('{ echo(at: "2026-11-22") }', None),
        ("query ($j: AWSJSON) { echo(json: $j) }", {"j": {"a": 1}}),
        ("query ($a: AWSDateTime) { echo(at: $a) }", {"a": "2026-11-22T19:24:34"}),
    ],
)
def test_a_refused_value_never_reaches_a_function(query: str, variables: dict[str, Any] | None) -> None:
    refused = echoed(query, variables)
    assert refused["errors"]
    assert "echo" not in (refused["data"] or {})
