"""When ReconcileJobs runs: every five minutes, and as soon as an execution has ended badly."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from stacks.options import DeploymentOptions

PASS = Duration.minutes(5)
ENDED_BADLY = ("FAILED", "TIMED_OUT", "ABORTED")


class Reconciliation(Construct):
    """Two rules before the function. What is lost is not kept in a queue: the next pass looks at everything again."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        options: DeploymentOptions,
        function: lambda_.Function,
        machines: Sequence[sfn.StateMachine],
    ) -> None:
        super().__init__(scope, construct_id)
        events.Rule(
            self,
            "EveryFiveMinutes",
            rule_name=f"{options.name_prefix}-reconciliation",
            description="Looks at all unfinished jobs, and for what no job owns in Bedrock",
            schedule=events.Schedule.rate(PASS),
            targets=[_target(function, {})],
        )
        events.Rule(
            self,
            "ExecutionEnded",
            rule_name=f"{options.name_prefix}-execution-ended",
            description="Looks at the job of an execution that failed, timed out or was aborted",
            event_pattern=events.EventPattern(
                source=["aws.states"],
                detail_type=["Step Functions Execution Status Change"],
                # The documents of a Distributed Map run under a longer ARN of their own and do not match.
                detail={
                    "stateMachineArn": [machine.state_machine_arn for machine in machines],
                    "status": list(ENDED_BADLY),
                },
            ),
            # Executions are named by the id of their job.
            targets=[_target(function, {"executionName": events.EventField.from_path("$.detail.name")})],
        )
        # A run that failed is not repeated: the next one is due anyway, and its failure raises an alarm.
        function.configure_async_invoke(retry_attempts=0, max_event_age=PASS)


def _target(function: lambda_.Function, event: dict[str, str]) -> targets.LambdaFunction:
    return targets.LambdaFunction(
        function, event=events.RuleTargetInput.from_object(event), retry_attempts=2, max_event_age=PASS
    )
