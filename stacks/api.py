"""The GraphQL API: AppSync with Cognito as its only authentication; one function resolves every root field."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from aws_cdk import aws_appsync as appsync
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from stacks.appsync_schema import convert_for_appsync, root_fields
from stacks.identity import Identity
from stacks.log_groups import make_log_group
from stacks.options import DeploymentOptions
from stacks.statements import Allow

GRAPHQL = Path(__file__).resolve().parent.parent / "graphql"

# The standard introspection query of the consoles is 15 deep, the deepest query of the guide 3.
QUERY_DEPTH_LIMIT = 20


class Api(Construct):
    """`graphql_api`."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        options: DeploymentOptions,
        identity: Identity,
        resolver: lambda_.IFunction,
    ) -> None:
        super().__init__(scope, construct_id)
        text = (GRAPHQL / "schema.graphql").read_text(encoding="utf-8")
        schema = appsync.SchemaFile(file_path=str(GRAPHQL / "schema.graphql"))
        schema.definition = convert_for_appsync(text)
        self.graphql_api = appsync.GraphqlApi(
            self,
            "GraphqlApi",
            name=options.name_prefix,
            definition=appsync.Definition.from_schema(schema),
            authorization_config=appsync.AuthorizationConfig(
                # With a second mode AppSync ignores @aws_auth, which limits mutations to groups (AppSync guide, "Using
                # additional authorization modes").
                default_authorization=appsync.AuthorizationMode(
                    authorization_type=appsync.AuthorizationType.USER_POOL,
                    user_pool_config=appsync.UserPoolConfig(
                        user_pool=identity.user_pool,
                        default_action=appsync.UserPoolDefaultAction.ALLOW,
                        app_id_client_regex=f"^{identity.client_id}$",
                    ),
                )
            ),
            query_depth_limit=QUERY_DEPTH_LIMIT,
            xray_enabled=True,
        )
        self._enable_logs(options)
        self._add_resolvers(root_fields(text), resolver)

    def _enable_logs(self, options: DeploymentOptions) -> None:
        """Log errors, without headers, arguments and results.

        The construct's own `log_config` would add a Lambda function to set the retention.
        """
        group = make_log_group(self, "Logs", name=f"/aws/appsync/apis/{self.graphql_api.api_id}", options=options)
        role = iam.Role(self, "LogRole", assumed_by=iam.ServicePrincipal("appsync.amazonaws.com"))
        # AppSync calls CreateLogGroup before it writes, even if the group exists.
        allow = Allow(("logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"), (group.log_group_arn,))
        role.add_to_policy(allow.statement())
        cast(
            appsync.CfnGraphQLApi, self.graphql_api.node.default_child
        ).log_config = appsync.CfnGraphQLApi.LogConfigProperty(
            cloud_watch_logs_role_arn=role.role_arn, field_log_level="ERROR", exclude_verbose_content=True
        )

    def _add_resolvers(self, fields: list[tuple[str, str]], function: lambda_.IFunction) -> None:
        role = iam.Role(self, "ResolverRole", assumed_by=iam.ServicePrincipal("appsync.amazonaws.com"))
        role.add_to_policy(Allow(("lambda:InvokeFunction",), (function.function_arn,)).statement())
        source = appsync.LambdaDataSource(
            self,
            "Resolver",
            api=self.graphql_api,
            name="Resolver",
            lambda_function=function,
            # Keeps CDK from adding a permission for all versions of the function.
            service_role=role.without_policy_updates(),
        )
        code = appsync.Code.from_asset(str(GRAPHQL / "resolver.js"))
        for type_name, field_name in fields:
            appsync.Resolver(
                self,
                f"{type_name}.{field_name}",
                api=self.graphql_api,
                type_name=type_name,
                field_name=field_name,
                data_source=source,
                runtime=appsync.FunctionRuntime.JS_1_0_0,
                code=code,
            )
