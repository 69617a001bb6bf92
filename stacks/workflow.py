"""The state machines of statemachines/*.asl.json, each with the role that its definition needs."""

from __future__ import annotations

import json
from collections.abc import Mapping

from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from idp_finetuning.deployment import EVALUATION, FINETUNING, placeholders, render_definition, state_machine_name
from stacks.arns import Arns
from stacks.definitions import distributed_maps, read_definition
from stacks.log_groups import make_log_group
from stacks.options import DeploymentOptions
from stacks.statements import LOG_DELIVERY, TRACING, Allow

# What the Distributed Map of a machine reads.
MAP_INPUTS = {
    FINETUNING: ("jobs/*/manifest.json",),
    EVALUATION: ("jobs/*/evaluation/*/documents.json", "evaluations/*/documents.json"),
}


class Workflow(Construct):
    """`state_machine`: a standard workflow, traced, logged without payloads."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        options: DeploymentOptions,
        arns: Arns,
        data_bucket: s3.IBucket,
        functions: Mapping[str, lambda_.Function],
    ) -> None:
        super().__init__(scope, construct_id)
        definition = render_definition(read_definition(name))
        named = placeholders(definition)
        called = {name: function for name, function in sorted(functions.items()) if f"{name}Arn" in named}
        # A deployment changes no code under a running job: its execution names the versions published before.
        versions = {f"{name}Arn": function.current_version.function_arn for name, function in called.items()}
        bucket = {"DataBucketName": data_bucket.bucket_name} if "DataBucketName" in named else {}
        role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("states.amazonaws.com"))
        for allow in (
            Allow(("lambda:InvokeFunction",), tuple(f"{function.function_arn}:*" for function in called.values())),
            *_distributed_map_permissions(name, definition, arns),
            LOG_DELIVERY,
            TRACING,
        ):
            role.add_to_policy(allow.statement())
        machine_name = state_machine_name(name, options.name_prefix)
        self.state_machine = sfn.StateMachine(
            self,
            "StateMachine",
            state_machine_name=machine_name,
            definition_body=sfn.DefinitionBody.from_string(definition),
            definition_substitutions={**versions, **bucket},
            role=role.without_policy_updates(),
            tracing_enabled=True,
            logs=sfn.LogOptions(
                # With this prefix the log resource policy of the account, which is limited in size, needs no entry for
                # each group (Step Functions guide, "Logging to CloudWatch Logs").
                destination=make_log_group(
                    self, "Logs", name=f"/aws/vendedlogs/states/{machine_name}", options=options
                ),
                level=sfn.LogLevel.ALL,
                include_execution_data=False,
            ),
        )


def _distributed_map_permissions(name: str, definition: str, arns: Arns) -> tuple[Allow, ...]:
    """Return what a Distributed Map needs to run its children as executions of its machine; CDK grants nothing."""
    if not list(distributed_maps(json.loads(definition)["States"])):
        return ()
    return (
        Allow(("states:StartExecution",), (arns.state_machine(name),)),
        Allow(
            ("states:DescribeExecution", "states:StopExecution"),
            (arns.executions(name, "/*"), arns.executions(name, ":*")),
        ),
        Allow(("s3:GetObject",), tuple(map(arns.data_objects, MAP_INPUTS[name]))),
    )
