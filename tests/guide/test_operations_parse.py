"""The guide's operations, verbatim, hold against the API's schema as AppSync completes it."""

from __future__ import annotations

from pathlib import Path

import pytest

from graphql import DocumentNode, GraphQLSchema, OperationDefinitionNode, build_schema, parse, print_ast, validate

GUIDE = Path(__file__).parent
ROOT = GUIDE.parents[1]

# What AppSync adds to every schema [docs:appsync scalars, docs:appsync security-authz].
APPSYNC = """
scalar AWSDate
scalar AWSTime
scalar AWSDateTime
scalar AWSTimestamp
scalar AWSEmail
scalar AWSJSON
scalar AWSURL
scalar AWSPhone
scalar AWSIPAddress
directive @aws_api_key on OBJECT | FIELD_DEFINITION
directive @aws_auth(cognito_groups: [String!]!) on FIELD_DEFINITION
directive @aws_cognito_user_pools(cognito_groups: [String!]) on OBJECT | FIELD_DEFINITION
directive @aws_iam on OBJECT | FIELD_DEFINITION
directive @aws_lambda on OBJECT | FIELD_DEFINITION
directive @aws_oidc on OBJECT | FIELD_DEFINITION
directive @aws_publish(subscriptions: [String]) on FIELD_DEFINITION
directive @aws_subscribe(mutations: [String]) on FIELD_DEFINITION
"""

OPERATIONS: dict[str, OperationDefinitionNode] = {
    node.name.value: node
    for node in parse((GUIDE / "operations.graphql").read_text(encoding="utf-8")).definitions
    if isinstance(node, OperationDefinitionNode) and node.name
}

each_operation = pytest.mark.parametrize("name", sorted(OPERATIONS))


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    """Fails where the schema defines a scalar or directive that AppSync adds: a second definition is refused."""
    return build_schema(APPSYNC + (ROOT / "graphql" / "schema.graphql").read_text(encoding="utf-8"))


def problems(schema: GraphQLSchema, operation: OperationDefinitionNode) -> list[str]:
    return [error.message for error in validate(schema, DocumentNode(definitions=(operation,)))]


def test_the_guide_has_six_operations() -> None:
    assert sorted(OPERATIONS) == [
        "DeleteFinetuningJob",
        "GetFinetuningJob",
        "ListAvailableModels",
        "ListFinetuningJobs",
        "StartFinetuningJob",
        "ValidateTestSet",
    ]


@each_operation
def test_an_operation_of_the_guide_holds_against_the_schema(schema: GraphQLSchema, name: str) -> None:
    assert problems(schema, OPERATIONS[name]) == []


def test_create_finetuning_job_is_the_same_operation_as_start(schema: GraphQLSchema) -> None:
    source = print_ast(OPERATIONS["StartFinetuningJob"]).replace("startFinetuningJob(", "createFinetuningJob(")
    (operation,) = parse(source).definitions
    assert isinstance(operation, OperationDefinitionNode)
    assert problems(schema, operation) == []


def test_the_guides_input_needs_no_more_than_the_guide_names(schema: GraphQLSchema) -> None:
    source = """mutation {
      startFinetuningJob(input: {testSetId: "docsplit", baseModel: "us.amazon.nova-pro-v1:0", jobName: "my-classifier"})
        { id }
    }"""
    (operation,) = parse(source).definitions
    assert isinstance(operation, OperationDefinitionNode)
    assert problems(schema, operation) == []


def test_a_field_that_the_schema_lacks_is_reported(schema: GraphQLSchema) -> None:
    source = print_ast(OPERATIONS["GetFinetuningJob"]).replace("jobName", "jobTitle")
    (operation,) = parse(source).definitions
    assert isinstance(operation, OperationDefinitionNode)
    assert any("jobTitle" in problem for problem in problems(schema, operation))
