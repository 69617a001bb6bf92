from __future__ import annotations

from enum import StrEnum
from typing import Any

import pytest

from graphql import FieldNode, GraphQLEnumType, OperationDefinitionNode, build_schema, parse, validate
from idp_sdk import ClassificationStatus, JobStatus, TestSetStatus, UserScope
from idp_sdk.documents import Operation
from idp_sdk.operations import OPERATIONS
from tests.support.docs_pages import ROOT

# What AppSync supplies [docs:appsync scalars, security-authz].
APPSYNC = """
scalar AWSDateTime
scalar AWSJSON
directive @aws_auth(cognito_groups: [String]) on FIELD_DEFINITION | OBJECT
"""
SCHEMA = build_schema(APPSYNC + (ROOT / "graphql" / "schema.graphql").read_text(encoding="utf-8"))


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.field)
def test_every_operation_is_one_of_the_schema(operation: Operation[Any]) -> None:
    document = parse(operation.document)
    assert validate(SCHEMA, document) == []
    (definition,) = document.definitions
    assert isinstance(definition, OperationDefinitionNode)
    (selected,) = definition.selection_set.selections
    assert isinstance(selected, FieldNode)
    assert selected.name.value == operation.field


def test_every_field_of_the_schema_has_its_operation() -> None:
    assert SCHEMA.query_type
    assert SCHEMA.mutation_type
    fields = {*SCHEMA.query_type.fields, *SCHEMA.mutation_type.fields}
    # createFinetuningJob is the same as startFinetuningJob.
    assert fields - {"startFinetuningJob"} == {operation.field for operation in OPERATIONS}


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("FinetuningJobStatus", JobStatus),
        ("TestSetStatus", TestSetStatus),
        ("ClassificationStatus", ClassificationStatus),
        ("UserScope", UserScope),
    ],
)
def test_statuses_are_those_of_the_schema(name: str, kind: type[StrEnum]) -> None:
    declared = SCHEMA.type_map[name]
    assert isinstance(declared, GraphQLEnumType)
    assert set(declared.values) == {member.value for member in kind}


def test_every_query_is_idempotent() -> None:
    queries = [operation for operation in OPERATIONS if operation.document.startswith("query")]
    assert queries
    assert all(operation.idempotent for operation in queries)
