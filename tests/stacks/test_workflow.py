"""The deployed state machines: complete definitions, and roles that follow from them."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support.stacks.deployed import ACCOUNT, REGION, Deployed, Statement
from tests.support.stacks.synthesis import ROOT

PREFIX = "idp-finetuning"
MACHINES = pytest.mark.parametrize("machine", ["finetuning", "deletion", "evaluation"])
# What log delivery and tracing of a state machine need, none of it with a resource [Step Functions guide].
WITHOUT_RESOURCES = {
    *(f"logs:{verb}LogDelivery" for verb in ("Create", "Get", "Update", "Delete")),
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:DescribeResourcePolicies",
    "logs:DescribeLogGroups",
    "xray:PutTraceSegments",
    "xray:PutTelemetryRecords",
    "xray:GetSamplingRules",
    "xray:GetSamplingTargets",
}


MAP_INPUTS = {
    "finetuning": ("jobs/*/manifest.json",),
    "evaluation": ("jobs/*/evaluation/*/documents.json", "evaluations/*/documents.json"),
}


def _machine(deployed: Deployed, machine: str) -> dict[str, Any]:
    return deployed.named("AWS::StepFunctions::StateMachine", "StateMachineName")[f"{PREFIX}-{machine}"]


def _definition(deployed: Deployed, machine: str) -> dict[str, Any]:
    properties = _machine(deployed, machine)
    text = properties["DefinitionString"]
    for name, value in properties["DefinitionSubstitutions"].items():
        text = text.replace(f"${{{name}}}", value)
    definition: dict[str, Any] = json.loads(text)
    return definition


def _states(definition: dict[str, Any]) -> list[dict[str, Any]]:
    found = []
    for state in definition["States"].values():
        found.append(state)
        if "ItemProcessor" in state:
            found.extend(_states(state["ItemProcessor"]))
    return found


@MACHINES
def test_every_placeholder_is_filled_and_nothing_else_is_offered(deployed: Deployed, machine: str) -> None:
    properties = _machine(deployed, machine)
    used = set(re.findall(r"\$\{(\w+)\}", properties["DefinitionString"]))
    assert used == set(properties["DefinitionSubstitutions"])
    assert "${" not in json.dumps(_definition(deployed, machine))


@MACHINES
def test_every_task_calls_a_published_version_of_the_function_of_its_name(deployed: Deployed, machine: str) -> None:
    functions = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{PREFIX}-"
    for name, state in _tasks(_definition(deployed, machine)):
        kebab = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", name).lower()
        assert state["Resource"] == f"{functions}{kebab}:1"


def _tasks(definition: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    found = []
    for name, state in definition["States"].items():
        if state["Type"] == "Task":
            found.append((name, state))
        if "ItemProcessor" in state:
            found.extend(_tasks(state["ItemProcessor"]))
    return found


@MACHINES
def test_the_rendered_definition_passes_an_asl_validator(deployed: Deployed, machine: str, tmp_path: Path) -> None:
    file = tmp_path / f"{machine}.asl.json"
    file.write_text(json.dumps(_definition(deployed, machine)))
    validator = ROOT / "node_modules" / ".bin" / "asl-validator"
    result = subprocess.run([validator, "--json-path", file], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_retries_wait_two_seconds_and_a_throttled_one_at_most_a_minute(deployed: Deployed) -> None:
    retries = [retry for state in _states(_definition(deployed, "finetuning")) for retry in state.get("Retry", [])]
    assert {retry["IntervalSeconds"] for retry in retries} == {2}
    assert {retry["MaxDelaySeconds"] for retry in retries if "MaxDelaySeconds" in retry} == {60}


def test_at_most_forty_documents_run_at_once_or_as_many_as_the_context_says(
    deployed: Deployed, customized: Deployed
) -> None:
    for stack, most in ((deployed, "40"), (customized, "200")):
        validating = [
            f for f in stack.of_type("AWS::Lambda::Function") if "validate-test-set" in f.get("FunctionName", "")
        ]
        assert [f["Environment"]["Variables"]["MAP_CONCURRENCY"] for f in validating] == [most]


def _allowed(statements: list[Statement]) -> set[tuple[str, str]]:
    return {(action, resource) for s in statements for action in s.actions for resource in s.resources}


@MACHINES
def test_a_machine_may_do_what_its_definition_needs_and_no_more(deployed: Deployed, machine: str) -> None:
    definition = _definition(deployed, machine)
    tasks = [state["Resource"] for _, state in _tasks(definition)]
    needed = {("lambda:InvokeFunction", re.sub(r":1$", ":*", called)) for called in tasks}
    name = f"{PREFIX}-{machine}"
    for state in _states(definition):
        if state.get("ItemProcessor", {}).get("ProcessorConfig", {}).get("Mode") == "DISTRIBUTED":
            needed.add(("states:StartExecution", f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:{name}"))
            executions = f"arn:aws:states:{REGION}:{ACCOUNT}:execution:{name}"
            needed |= {
                (f"states:{action}", f"{executions}{pattern}")
                for action in ("DescribeExecution", "StopExecution")
                for pattern in ("/*", ":*")
            }
        if state.get("ItemReader", {}).get("Resource") == "arn:aws:states:::s3:getObject":
            bucket = state["ItemReader"]["Parameters"]["Bucket"]
            needed |= {("s3:GetObject", f"arn:aws:s3:::{bucket}/{keys}") for keys in MAP_INPUTS[machine]}
    needed |= {(action, "*") for action in WITHOUT_RESOURCES}
    assert _allowed(deployed.statements(_machine(deployed, machine)["RoleArn"])) == needed


@MACHINES
def test_a_machine_is_logged_without_payloads_and_traced(deployed: Deployed, machine: str) -> None:
    properties = _machine(deployed, machine)
    logging = properties["LoggingConfiguration"]
    assert logging["IncludeExecutionData"] is False
    assert logging["Level"] == "ALL"
    (destination,) = logging["Destinations"]
    group = f"/aws/vendedlogs/states/{PREFIX}-{machine}"
    assert group in destination["CloudWatchLogsLogGroup"]["LogGroupArn"]
    assert deployed.named("AWS::Logs::LogGroup", "LogGroupName")[group]["RetentionInDays"] == 90
    assert properties["TracingConfiguration"] == {"Enabled": True}


@MACHINES
def test_only_step_functions_can_assume_the_role(deployed: Deployed, machine: str) -> None:
    (trust,) = deployed.trust(_machine(deployed, machine)["RoleArn"])
    assert trust["Principal"] == {"Service": "states.amazonaws.com"}
