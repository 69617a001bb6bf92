"""The local mapping answers the vectors that graphql/resolver.js answers in Node."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from idp_finetuning import errors
from idp_local.api import resolver

VECTORS = json.loads((Path(__file__).parents[1] / "graphql/resolver_vectors.json").read_text(encoding="utf-8"))


def named(vectors: list[dict[str, Any]]) -> list[Any]:
    return [pytest.param(vector["ctx"], vector["expected"], id=vector["name"]) for vector in vectors]


@pytest.mark.parametrize(("ctx", "expected"), named(VECTORS["request"]))
def test_the_function_gets_field_arguments_and_identity(ctx: dict[str, Any], expected: dict[str, Any]) -> None:
    assert resolver.request(ctx) == expected


@pytest.mark.parametrize(("ctx", "expected"), named(VECTORS["response"]))
def test_the_answer_becomes_data_or_an_error(ctx: dict[str, Any], expected: dict[str, Any]) -> None:
    try:
        answer: dict[str, Any] = {"data": resolver.response(ctx)}
    except resolver.ResolverError as error:
        answer = {"error": {"type": error.error_type, "message": error.message}}
    assert answer == expected


def test_the_vectors_hold_every_error_type_of_the_tree() -> None:
    told = {vector["expected"]["error"]["type"] for vector in VECTORS["response"] if "error" in vector["expected"]}
    assert told == {error.__name__ for error in vars(errors).values() if isinstance(error, type)} - {"FinetuningError"}
