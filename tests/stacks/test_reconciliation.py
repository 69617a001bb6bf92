"""ReconcileJobs runs every five minutes, after every failed execution and to sweep hourly, on events it can read."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lambdas.reconcile_jobs import ReconcileEvent
from tests.support.stacks.deployed import ACCOUNT, REGION, Deployed

FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:idp-finetuning-reconcile-jobs"
JOB = "6f1c2b1e-0000-4000-8000-000000000001"


def _rule(deployed: Deployed, name: str) -> dict[str, Any]:
    return deployed.named("AWS::Events::Rule", "Name")[f"idp-finetuning-{name}"]


def _target(deployed: Deployed, name: str) -> dict[str, Any]:
    (target,) = _rule(deployed, name)["Targets"]
    found: dict[str, Any] = target
    return found


@pytest.mark.parametrize(
    ("rule", "schedule", "sweeps"), [("reconciliation", "rate(5 minutes)", False), ("sweep", "rate(1 hour)", True)]
)
def test_every_five_minutes_all_unfinished_jobs_are_looked_at_and_every_hour_what_no_job_owns(
    deployed: Deployed, rule: str, schedule: str, sweeps: bool
) -> None:
    assert _rule(deployed, rule)["ScheduleExpression"] == schedule
    assert _rule(deployed, rule)["State"] == "ENABLED"
    target = _target(deployed, rule)
    assert target["Arn"] == FUNCTION
    event = ReconcileEvent.model_validate_json(target["Input"])
    assert (event.execution_name, event.sweeps) == (None, sweeps)


def test_an_execution_of_either_machine_that_ended_badly_is_looked_at_at_once(deployed: Deployed) -> None:
    rule = _rule(deployed, "execution-ended")
    machines = {
        f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:{machine['StateMachineName']}"
        for machine in deployed.of_type("AWS::StepFunctions::StateMachine")
    }
    assert rule["State"] == "ENABLED"
    assert rule["EventPattern"]["source"] == ["aws.states"]
    assert rule["EventPattern"]["detail-type"] == ["Step Functions Execution Status Change"]
    assert set(rule["EventPattern"]["detail"]["stateMachineArn"]) == machines
    assert set(rule["EventPattern"]["detail"]["status"]) == {"FAILED", "TIMED_OUT", "ABORTED"}


def test_the_function_gets_the_name_of_the_execution_that_ended(deployed: Deployed) -> None:
    target = _target(deployed, "execution-ended")
    assert target["Arn"] == FUNCTION
    transformer = target["InputTransformer"]
    ((placeholder, path),) = transformer["InputPathsMap"].items()
    assert path == "$.detail.name"
    sent = transformer["InputTemplate"].replace(f"<{placeholder}>", json.dumps(JOB))
    assert ReconcileEvent.model_validate_json(sent) == ReconcileEvent(execution_name=JOB)


def test_only_these_three_rules_may_call_the_function(deployed: Deployed) -> None:
    permissions = deployed.of_type("AWS::Lambda::Permission")
    callers = [permission for permission in permissions if permission["Principal"] == "events.amazonaws.com"]
    assert {caller["FunctionName"] for caller in callers} == {FUNCTION}
    assert len(callers) == len({caller["SourceArn"] for caller in callers}) == 3


def test_a_run_that_failed_or_is_late_gives_way_to_the_next(deployed: Deployed) -> None:
    invoke = deployed.named("AWS::Lambda::EventInvokeConfig", "FunctionName")["idp-finetuning-reconcile-jobs"]
    assert (invoke["MaximumRetryAttempts"], invoke["MaximumEventAgeInSeconds"]) == (0, 300)
    for name in ("reconciliation", "sweep", "execution-ended"):
        policy = _target(deployed, name)["RetryPolicy"]
        assert policy == {"MaximumEventAgeInSeconds": 300, "MaximumRetryAttempts": 2}
