"""Old versions of functions go once no execution can call them; what is called, or may be, stays."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from idp_finetuning.adapters.function_versions import FunctionVersion, FunctionVersions
from idp_finetuning.adapters.workflows import Workflow
from idp_finetuning.deployment import STATE_MACHINES
from idp_finetuning.stages.prune_versions import KEPT, PrunedVersions, prune_versions
from stacks.definitions import read_definition
from tests.support.domain.fake_bedrock import client_error

ARN = "arn:aws:lambda:us-east-1:123456789012:function"


class FakeLambda:
    """Versions of functions by their age in days, in pages of two; newest last, as Lambda lists them."""

    def __init__(self, **ages: list[float]) -> None:
        self.ages = ages
        self.deleted: list[str] = []
        self.refuses: set[str] = set()

    def get_paginator(self, operation: str) -> FakeLambda:
        assert operation == "list_versions_by_function"
        return self

    def paginate(self, *, FunctionName: str) -> list[dict[str, Any]]:  # noqa: N803
        self._refuse("ListVersionsByFunction")
        now = datetime.now(UTC)
        listed = [
            {"Version": str(number), "LastModified": (now - timedelta(days=age)).strftime("%Y-%m-%dT%H:%M:%S.000+0000")}
            for number, age in enumerate(self.ages[FunctionName], start=1)
        ]
        listed.insert(0, {"Version": "$LATEST", "LastModified": now.strftime("%Y-%m-%dT%H:%M:%S.000+0000")})
        return [{"Versions": listed[start : start + 2]} for start in range(0, len(listed), 2)]

    def delete_function(self, *, FunctionName: str, Qualifier: str) -> None:  # noqa: N803
        self._refuse("DeleteFunction")
        self.deleted.append(f"{FunctionName}:{Qualifier}")

    def _refuse(self, operation: str) -> None:
        if operation in self.refuses:
            raise client_error(operation, "AccessDeniedException")


class FakeStepFunctions:
    """Definitions that call these functions or versions."""

    def __init__(self, *called: str) -> None:
        self._called = called

    def describe_state_machine(self, *, stateMachineArn: str) -> dict[str, Any]:  # noqa: N803
        states = {name: {"Type": "Task", "Resource": f"{ARN}:{name}"} for name in self._called}
        return {"definition": json.dumps({"States": states})}


def _prune(lambda_: FakeLambda, *called: str, sweeps: bool = True) -> PrunedVersions:
    stepfunctions: Any = FakeStepFunctions(*called)
    machine = Workflow(stepfunctions, "arn", training_poll_seconds=1, deployment_poll_seconds=1)
    versions = FunctionVersions(lambda_)  # type: ignore[arg-type]
    return prune_versions(sweeps=sweeps, workflows=(machine,), versions=versions)


def test_a_version_goes_once_its_successor_is_older_than_any_execution() -> None:
    functions = FakeLambda(render=[90, 30, 9, 7, 1], train=[400])
    assert _prune(functions, "render:5", "train:1").deleted == ("render:1", "render:2")
    assert functions.deleted == ["render:1", "render:2"]


def test_an_old_version_that_was_called_until_yesterday_stays() -> None:
    assert _prune(FakeLambda(render=[90, 1]), "render:2").deleted == ()


def test_the_version_that_is_called_stays_even_if_a_failed_deployment_has_published_another() -> None:
    assert _prune(FakeLambda(render=[90, 60, 30]), "render:2").deleted == ("render:1",)


def test_functions_that_are_called_without_a_version_are_not_looked_at() -> None:
    functions = FakeLambda()
    assert _prune(functions, "render", "train") == PrunedVersions()


def test_a_pass_for_one_execution_deletes_nothing() -> None:
    functions = FakeLambda(render=[90, 30, 10])
    assert _prune(functions, "render:3", sweeps=False) == PrunedVersions()


@pytest.mark.parametrize("operation", ["ListVersionsByFunction", "DeleteFunction"])
def test_a_refusal_is_reported_and_fails_no_pass(operation: str) -> None:
    functions = FakeLambda(render=[90, 30, 10])
    functions.refuses = {operation}
    assert _prune(functions, "render:3") == PrunedVersions(failure="AwsCallRefused")


def test_versions_are_found_by_function_and_number() -> None:
    stepfunctions: Any = FakeStepFunctions("acme-render-it:12", "acme-train")
    machine = Workflow(stepfunctions, "arn", training_poll_seconds=1, deployment_poll_seconds=1)
    assert machine.called_versions() == {FunctionVersion("acme-render-it", 12)}


@pytest.mark.parametrize("machine", STATE_MACHINES)
def test_versions_are_kept_for_longer_than_an_execution_lasts(machine: str) -> None:
    assert timedelta(seconds=json.loads(read_definition(machine))["TimeoutSeconds"]) < KEPT
