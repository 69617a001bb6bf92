"""The state machines, made of statemachines/*.asl.json, each with the role its definition needs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from stacks.log_groups import make_log_group
from stacks.options import DeploymentOptions
from stacks.permissions import LOG_DELIVERY, TRACING, Allow
from stacks.places import Places

DEFINITIONS = Path(__file__).resolve().parent.parent / "statemachines"

# The first wait of a retried task; it doubles with each try.
RETRY_INTERVAL_SECONDS = 2


class Workflow(Construct):
    """`state_machine`: standard, logged without payloads, traced."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        options: DeploymentOptions,
        at: Places,
        functions: Mapping[str, lambda_.IFunction],
    ) -> None:
        super().__init__(scope, construct_id)
        text = definition_text(name, options)
        used = [function for function in sorted(functions) if f"${{{function}Arn}}" in text]
        substitutions = {f"{function}Arn": functions[function].function_arn for function in used}
        if "${DataBucketName}" in text:
            substitutions["DataBucketName"] = at.storage.data_bucket.bucket_name
        role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("states.amazonaws.com"))
        invoked = tuple(functions[function].function_arn for function in used)
        for allow in (
            Allow(("lambda:InvokeFunction",), invoked),
            *_distributed_map_permissions(name, text, at),
            LOG_DELIVERY,
            TRACING,
        ):
            role.add_to_policy(allow.statement())
        state_machine_name = at.state_machine_name(name)
        self.state_machine = sfn.StateMachine(
            self,
            "StateMachine",
            state_machine_name=state_machine_name,
            definition_body=sfn.DefinitionBody.from_string(text),
            definition_substitutions=substitutions,
            role=role.without_policy_updates(),
            tracing_enabled=True,
            logs=sfn.LogOptions(
                # Below this path the account's log resource policy, limited in size, need not name each group.
                destination=make_log_group(
                    self, "Logs", name=f"/aws/vendedlogs/states/{state_machine_name}", options=options
                ),
                level=sfn.LogLevel.ALL,
                include_execution_data=False,
            ),
        )


def definition_text(name: str, options: DeploymentOptions) -> str:
    """The definition with its numbers filled in, which makes it JSON; placeholders in strings remain."""
    text = (DEFINITIONS / f"{name}.asl.json").read_text(encoding="utf-8")
    numbers = {"RetryIntervalSeconds": RETRY_INTERVAL_SECONDS, "MapConcurrency": options.map_concurrency}
    for placeholder, number in numbers.items():
        text = text.replace(f"${{{placeholder}}}", str(number))
    return text


def distributed_maps(states: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The Distributed Maps among states and inside their maps."""
    for state in states.values():
        processor = state.get("ItemProcessor", {})
        if processor.get("ProcessorConfig", {}).get("Mode") == "DISTRIBUTED":
            yield state
        yield from distributed_maps(processor.get("States", {}))


def _distributed_map_permissions(name: str, text: str, at: Places) -> tuple[Allow, ...]:
    """A Distributed Map runs its children as executions of its own machine; CDK grants nothing for that."""
    if not list(distributed_maps(json.loads(text)["States"])):
        return ()
    return (
        Allow(("states:StartExecution",), (at.state_machine(name),)),
        Allow(
            ("states:DescribeExecution", "states:StopExecution"),
            (at.executions(name, "/*"), at.executions(name, ":*")),
        ),
        Allow(("s3:GetObject",), (at.data("jobs/*/manifest.json"),)),
    )
