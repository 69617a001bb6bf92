"""Runs ReconcileJobs every five minutes, as soon as an execution fails, and every hour to sweep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from stacks.options import DeploymentOptions

INTERVAL = Duration.minutes(5)
# What no job owns costs a listing of all of Bedrock's resources and of the data bucket's folders.
SWEEP_INTERVAL = Duration.hours(1)
FAILURE_STATUSES = ("FAILED", "TIMED_OUT", "ABORTED")


class Reconciliation(Construct):
    """Three rules that invoke the function. There is no dead-letter queue: the next pass looks at every job again."""

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
            description="Looks at all unfinished jobs",
            schedule=events.Schedule.rate(INTERVAL),
            targets=[_target(function, {"sweep": False})],
        )
        events.Rule(
            self,
            "EveryHour",
            rule_name=f"{options.name_prefix}-sweep",
            description="Looks at all unfinished jobs, and for what no job owns in Bedrock and S3",
            schedule=events.Schedule.rate(SWEEP_INTERVAL),
            targets=[_target(function, {"sweep": True})],
        )
        events.Rule(
            self,
            "ExecutionEnded",
            rule_name=f"{options.name_prefix}-execution-ended",
            description="Looks at the job of an execution that failed, timed out or was aborted",
            event_pattern=events.EventPattern(
                source=["aws.states"],
                detail_type=["Step Functions Execution Status Change"],
                # Child executions of a Distributed Map have a longer stateMachineArn, which does not match.
                detail={
                    "stateMachineArn": [machine.state_machine_arn for machine in machines],
                    "status": list(FAILURE_STATUSES),
                },
            ),
            # The name of an execution is the id of its job.
            targets=[_target(function, {"executionName": events.EventField.from_path("$.detail.name")})],
        )
        # No retries: the next pass comes anyway, and a failure raises an alarm.
        function.configure_async_invoke(retry_attempts=0, max_event_age=INTERVAL)


def _target(function: lambda_.Function, event: Mapping[str, str | bool]) -> targets.LambdaFunction:
    return targets.LambdaFunction(
        function, event=events.RuleTargetInput.from_object(event), retry_attempts=2, max_event_age=INTERVAL
    )
