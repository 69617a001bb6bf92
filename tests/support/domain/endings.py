"""How runs of the workflow end: a stage that fails, EndJob, and the executions there are."""

from __future__ import annotations

import json
from typing import Any

import pytest

from idp_finetuning.errors import FinetuningError
from tests.idp_finetuning.conftest import client
from tests.support.domain.pipeline import Pipeline
from tests.support.domain.samples import job

ID = job().id
RUN = job().current_run.to_wire()
FOUR = ["VALIDATING", "GENERATING_DATA", "TRAINING", "DEPLOYING"]


def caught(error: FinetuningError, run: int = 1) -> dict[str, Any]:
    """What the workflow's Catch hands to EndJob."""
    return RUN | {"number": run, "error": {"Error": error.code, "Cause": json.dumps({"errorMessage": error.message})}}


def end(pipeline: Pipeline, function: str, run: int = 1) -> dict[str, Any]:
    """Runs a stage that fails, and then EndJob as the workflow does; the answer is EndJob's."""
    with pytest.raises(FinetuningError) as failed:
        pipeline.run(function, RUN | {"number": run})
    answer: dict[str, Any] = pipeline.run("EndJob", caught(failed.value, run), times=2)
    return answer


def started(environment: dict[str, str], machine: str = "FINETUNING") -> list[tuple[str, dict[str, Any]]]:
    """Name and input of each execution."""
    stepfunctions = client("stepfunctions")
    found = stepfunctions.list_executions(stateMachineArn=environment[f"{machine}_STATE_MACHINE_ARN"])["executions"]
    described = [stepfunctions.describe_execution(executionArn=item["executionArn"]) for item in found]
    return [(item["name"], json.loads(item["input"])) for item in described]
