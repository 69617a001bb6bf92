"""The GraphQL API: AppSync with Cognito as its only authentication; one function resolves every root field."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from aws_cdk import aws_appsync as appsync
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_wafv2 as wafv2
from constructs import Construct

from idp_finetuning.deployment import QUERY_DEPTH_LIMIT, RESOLVER_COUNT_LIMIT
from stacks.appsync_schema import convert_for_appsync, root_fields
from stacks.identity import Identity
from stacks.log_groups import make_log_group
from stacks.options import DeploymentOptions
from stacks.statements import Allow

GRAPHQL = Path(__file__).resolve().parent.parent / "graphql"


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
            resolver_count_limit=RESOLVER_COUNT_LIMIT,
            xray_enabled=True,
        )
        self._enable_logs(options)
        if options.api_requests_per_address:
            self._limit_addresses(options)
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

    def _limit_addresses(self, options: DeploymentOptions) -> None:
        """Block an address while it has sent more requests in five minutes than the option allows."""
        metrics = wafv2.CfnWebACL.VisibilityConfigProperty(
            cloud_watch_metrics_enabled=True,
            metric_name=f"{options.name_prefix}-requests",
            sampled_requests_enabled=False,
        )
        rule = wafv2.CfnWebACL.RuleProperty(
            name="RequestsPerAddress",
            priority=0,
            action=wafv2.CfnWebACL.RuleActionProperty(block={}),
            statement=wafv2.CfnWebACL.StatementProperty(
                rate_based_statement=wafv2.CfnWebACL.RateBasedStatementProperty(
                    aggregate_key_type="IP", limit=options.api_requests_per_address, evaluation_window_sec=300
                )
            ),
            visibility_config=metrics,
        )
        acl = wafv2.CfnWebACL(
            self,
            "WebAcl",
            scope="REGIONAL",
            default_action=wafv2.CfnWebACL.DefaultActionProperty(allow={}),
            rules=[rule],
            visibility_config=metrics,
        )
        wafv2.CfnWebACLAssociation(
            self, "WebAclAssociation", resource_arn=self.graphql_api.arn, web_acl_arn=acl.attr_arn
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
