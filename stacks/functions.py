"""The Lambda functions of deployment.FUNCTIONS, each with its own role."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_destinations as destinations
from constructs import Construct

from idp_finetuning.deployment import FUNCTIONS, POWERTOOLS_VARIABLES, FunctionSpec, Variable
from stacks.bundling import BundleName
from stacks.log_groups import make_log_group
from stacks.options import DeploymentOptions
from stacks.statements import SEND_TRACES, Allow

ARCHITECTURES = {"arm64": lambda_.Architecture.ARM_64, "x86_64": lambda_.Architecture.X86_64}
# Clients poll for the result of a function without retries and give up after 20 minutes, the queue included.
LONGEST_QUEUE = Duration.minutes(5)


class Functions(Construct):
    """`by_name`: the functions by the names of their specifications."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        options: DeploymentOptions,
        bundles: Mapping[BundleName, Path],
        variables: Mapping[Variable, str],
        permissions: Mapping[str, Iterable[Allow]],
    ) -> None:
        super().__init__(scope, construct_id)
        self._options = options
        self._code = {name: lambda_.Code.from_asset(str(path)) for name, path in bundles.items()}
        self.by_name = {
            spec.name: self._function(spec, {v: variables[v] for v in spec.variables}, permissions[spec.name])
            for spec in FUNCTIONS
        }
        for spec in FUNCTIONS:
            self._configure_events(spec)

    def _function(
        self, spec: FunctionSpec, variables: Mapping[Variable, str], permissions: Iterable[Allow]
    ) -> lambda_.Function:
        name = spec.function_name(self._options.name_prefix)
        log_group = make_log_group(self, f"{spec.name}Logs", name=f"/aws/lambda/{name}", options=self._options)
        role = iam.Role(self, f"{spec.name}Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        write_logs = Allow(("logs:CreateLogStream", "logs:PutLogEvents"), (log_group.log_group_arn,))
        for allow in (write_logs, SEND_TRACES, *permissions):
            role.add_to_policy(allow.statement())
        function = lambda_.Function(
            self,
            spec.name,
            function_name=name,
            runtime=lambda_.Runtime.PYTHON_3_13,
            architecture=ARCHITECTURES[self._options.architecture],
            code=self._code[spec.bundle],
            handler=spec.handler,
            timeout=Duration.seconds(spec.timeout_seconds),
            memory_size=spec.memory_mb,
            environment={**POWERTOOLS_VARIABLES, **{str(name): value for name, value in variables.items()}},
            tracing=lambda_.Tracing.ACTIVE,
            log_group=log_group,
            # Makes the runtime's own lines JSON too, for example those of a failed invocation.
            logging_format=lambda_.LoggingFormat.JSON,
            reserved_concurrent_executions=self._options.resolver_concurrency if spec.name == "Resolver" else None,
            # An execution goes on with the versions it began with. They stay when a new one is published, and only go
            # if the deployment that published them is rolled back: Lambda publishes no second version of the same code
            # for the next try, and CloudFormation takes that for a failure.
            current_version_options=lambda_.VersionOptions(removal_policy=RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE),
            # Keeps CDK from adding permissions that the permission table does not have.
            role=role.without_policy_updates(),
        )
        return function

    def _configure_events(self, spec: FunctionSpec) -> None:
        """Say what Lambda does with asynchronous invocations that fail, if that is not its default."""
        if spec.event_retries == FunctionSpec.model_fields["event_retries"].default and not spec.on_failure:
            return
        self.by_name[spec.name].configure_async_invoke(
            retry_attempts=spec.event_retries,
            max_event_age=LONGEST_QUEUE,
            on_failure=destinations.LambdaDestination(self.by_name[spec.on_failure]) if spec.on_failure else None,
        )
