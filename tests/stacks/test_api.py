"""The deployed GraphQL API: one authentication mode, a resolver for every field, and a schema AppSync can read."""

from __future__ import annotations

from typing import Any

import pytest

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLObjectType,
    GraphQLSchema,
    Lexer,
    ListValueNode,
    ObjectTypeDefinitionNode,
    OperationDefinitionNode,
    SelectionSetNode,
    Source,
    StringValueNode,
    TokenKind,
    build_ast_schema,
    get_introspection_query,
    get_named_type,
    parse,
)
from stacks.appsync_schema import convert_for_appsync
from tests.support.stacks.deployed import ACCOUNT, REGION, Deployed
from tests.support.stacks.synthesis import ROOT

SOURCE = (ROOT / "graphql" / "schema.graphql").read_text(encoding="utf-8")
# What AppSync supplies.
PRELUDE = "scalar AWSDateTime scalar AWSJSON directive @aws_auth(cognito_groups: [String!]!) on FIELD_DEFINITION\n"


def _schema(text: str) -> GraphQLSchema:
    return build_ast_schema(parse(PRELUDE + text))


def _fields(text: str, type_name: str) -> dict[str, Any]:
    definitions = [d for d in parse(text).definitions if isinstance(d, ObjectTypeDefinitionNode)]
    (root,) = [definition for definition in definitions if definition.name.value == type_name]
    return {field.name.value: field for field in root.fields or ()}


def test_every_query_and_mutation_has_one_resolver_and_no_resolver_is_left_over(deployed: Deployed) -> None:
    resolvers = [(r["TypeName"], r["FieldName"]) for r in deployed.of_type("AWS::AppSync::Resolver")]
    expected = [(root, field) for root in ("Query", "Mutation") for field in _fields(SOURCE, root)]
    assert sorted(resolvers) == sorted(expected)


def test_all_resolvers_run_the_same_code_before_the_same_function(deployed: Deployed) -> None:
    resolvers = deployed.of_type("AWS::AppSync::Resolver")
    assert len({resolver["CodeS3Location"] for resolver in resolvers}) == 1
    assert {resolver["Runtime"]["Name"] for resolver in resolvers} == {"APPSYNC_JS"}
    source = deployed.only("AWS::AppSync::DataSource")
    assert {resolver["DataSourceName"] for resolver in resolvers} == {source["Name"]}
    assert source["LambdaConfig"]["LambdaFunctionArn"].endswith(":function:idp-finetuning-resolver")


def test_the_api_may_call_the_resolver_and_nothing_else(deployed: Deployed) -> None:
    source = deployed.only("AWS::AppSync::DataSource")
    (statement,) = deployed.statements(source["ServiceRoleArn"])
    assert statement.actions == {"lambda:InvokeFunction"}
    assert statement.resources == {source["LambdaConfig"]["LambdaFunctionArn"]}


def test_cognito_is_the_only_authentication_mode_so_that_groups_are_checked(deployed: Deployed) -> None:
    api = deployed.only("AWS::AppSync::GraphQLApi")
    assert api["AuthenticationType"] == "AMAZON_COGNITO_USER_POOLS"
    assert "AdditionalAuthenticationProviders" not in api
    assert api["UserPoolConfig"]["DefaultAction"] == "ALLOW"
    assert api["UserPoolConfig"]["UserPoolId"] == deployed.outputs()["UserPoolId"]
    assert api["UserPoolConfig"]["AppIdClientRegex"] == f"^{deployed.outputs()['UserPoolClientId']}$"


def test_every_mutation_is_for_admins_and_authors_and_users_for_admins(deployed: Deployed) -> None:
    deployed_schema = deployed.only("AWS::AppSync::GraphQLSchema")["Definition"]
    for name, field in _fields(deployed_schema, "Mutation").items():
        (directive,) = field.directives
        assert directive.name.value == "aws_auth", name
        groups = directive.arguments[0].value
        assert isinstance(groups, ListValueNode)
        named = [value.value for value in groups.values if isinstance(value, StringValueNode)]
        assert named == (["Admin"] if name == "updateUser" else ["Admin", "Author"])


def test_the_deployed_schema_is_the_repositorys_but_for_descriptions(deployed: Deployed) -> None:
    deployed_schema = deployed.only("AWS::AppSync::GraphQLSchema")["Definition"]

    def tokens(text: str) -> list[tuple[TokenKind, str | None]]:
        lexer = Lexer(Source(text))
        found: list[tuple[TokenKind, str | None]] = []
        while lexer.advance().kind != TokenKind.EOF:
            if lexer.token.kind != TokenKind.COMMENT:
                found.append((lexer.token.kind, lexer.token.value))
        return found

    assert TokenKind.BLOCK_STRING not in {kind for kind, _ in tokens(deployed_schema)}
    descriptions = [value for kind, value in tokens(deployed_schema) if kind == TokenKind.STRING]
    assert set(descriptions) == {"Admin", "Author"}
    assert _schema(deployed_schema).type_map.keys() == _schema(SOURCE).type_map.keys()
    names = [token for token in tokens(SOURCE) if token[0] != TokenKind.STRING]
    assert [token for token in tokens(deployed_schema) if token[0] != TokenKind.STRING] == names


def test_descriptions_become_comments_except_on_enum_values() -> None:
    text = convert_for_appsync(
        'enum Status {\n  "null until read"\n  READY\n}\n'
        'type Query {\n  """\n  First.\n\n  Second.\n  """\n  a("why" b: Int): Int\n}\n'
    )
    assert "null" not in text
    assert "  # First.\n#\n# Second.\n  a(# why\n b: Int): Int" in text
    assert parse(text)


def _depth(selection: SelectionSetNode, fragments: dict[str, SelectionSetNode]) -> int:
    depths = []
    for node in selection.selections:
        if isinstance(node, FragmentSpreadNode):
            depths.append(_depth(fragments[node.name.value], fragments))
        elif isinstance(node, FieldNode):
            depths.append(1 + (_depth(node.selection_set, fragments) if node.selection_set else 0))
    return max(depths)


def _document_depth(query: str) -> int:
    definitions = parse(query).definitions
    fragments = {d.name.value: d.selection_set for d in definitions if isinstance(d, FragmentDefinitionNode)}
    return max(_depth(d.selection_set, fragments) for d in definitions if isinstance(d, OperationDefinitionNode))


def _deepest(kind: GraphQLObjectType) -> int:
    children = [get_named_type(field.type) for field in kind.fields.values()]
    return 1 + max((_deepest(child) for child in children if isinstance(child, GraphQLObjectType)), default=0)


@pytest.mark.parametrize("descriptions", [True, False])
def test_the_standard_introspection_query_fits_the_depth_limit(deployed: Deployed, descriptions: bool) -> None:
    limit = deployed.only("AWS::AppSync::GraphQLApi")["QueryDepthLimit"]
    assert 10 < _document_depth(get_introspection_query(descriptions=descriptions)) <= limit


def test_the_guides_operations_fit_the_depth_limit(deployed: Deployed) -> None:
    operations = (ROOT / "tests" / "guide" / "operations.graphql").read_text(encoding="utf-8")
    assert _document_depth(operations) <= deployed.only("AWS::AppSync::GraphQLApi")["QueryDepthLimit"]


def test_the_deepest_query_of_the_schema_fits_the_depth_limit(deployed: Deployed) -> None:
    schema = _schema(SOURCE)
    roots = [schema.query_type, schema.mutation_type]
    depth = max(_deepest(root) for root in roots if root)
    assert depth <= deployed.only("AWS::AppSync::GraphQLApi")["QueryDepthLimit"]


def test_one_request_runs_at_most_twenty_resolvers_which_root_fields_alone_have(deployed: Deployed) -> None:
    assert deployed.only("AWS::AppSync::GraphQLApi")["ResolverCountLimit"] == 20
    assert {resolver["TypeName"] for resolver in deployed.of_type("AWS::AppSync::Resolver")} == {"Query", "Mutation"}


def test_without_the_options_there_is_no_web_acl_and_no_reserved_concurrency(deployed: Deployed) -> None:
    assert not deployed.raw("AWS::WAFv2::WebACL")
    functions = deployed.of_type("AWS::Lambda::Function")
    assert [function for function in functions if "ReservedConcurrentExecutions" in function] == []


def test_an_address_that_sends_too_many_requests_is_blocked_if_the_operator_wants_it(customized: Deployed) -> None:
    acl = customized.only("AWS::WAFv2::WebACL")
    assert acl["DefaultAction"] == {"Allow": {}}
    (rule,) = acl["Rules"]
    assert rule["Action"] == {"Block": {}}
    assert rule["Statement"]["RateBasedStatement"] == {
        "AggregateKeyType": "IP",
        "EvaluationWindowSec": 300,
        "Limit": 3000,
    }
    assert acl["VisibilityConfig"]["SampledRequestsEnabled"] is False  # samples hold headers, and so tokens
    association = customized.only("AWS::WAFv2::WebACLAssociation")
    assert association["WebACLArn"].endswith(":Api/WebAcl")
    assert association["ResourceArn"].endswith(":Api/GraphqlApi")


def test_the_resolver_alone_has_the_concurrency_that_the_operator_reserves(customized: Deployed) -> None:
    reserved = {
        function["FunctionName"]: function["ReservedConcurrentExecutions"]
        for function in customized.of_type("AWS::Lambda::Function")
        if "ReservedConcurrentExecutions" in function
    }
    assert reserved == {"acme-resolver": 20}


def test_introspection_stays_on_for_the_console(deployed: Deployed) -> None:
    assert deployed.only("AWS::AppSync::GraphQLApi").get("IntrospectionConfig", "ENABLED") == "ENABLED"


def test_the_api_logs_errors_without_headers_arguments_and_results(deployed: Deployed) -> None:
    api = deployed.only("AWS::AppSync::GraphQLApi")
    assert api["LogConfig"]["FieldLogLevel"] == "ERROR"
    assert api["LogConfig"]["ExcludeVerboseContent"] is True
    assert api["XrayEnabled"] is True
    (statement,) = deployed.statements(api["LogConfig"]["CloudWatchLogsRoleArn"])
    assert {action.split(":")[0] for action in statement.actions} == {"logs"}
    (group,) = [
        name for name in deployed.named("AWS::Logs::LogGroup", "LogGroupName") if name.startswith("/aws/appsync/apis/")
    ]
    assert statement.resources == {f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{group}:*"}


def test_nothing_but_the_declared_functions_runs_in_the_account(template: dict[str, Any]) -> None:
    kinds = {resource["Type"] for resource in template["Resources"].values()}
    assert not [kind for kind in kinds if kind.startswith("Custom::")]
