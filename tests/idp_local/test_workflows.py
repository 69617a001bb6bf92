"""The real state machines, run by moto with small handlers."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from idp_finetuning.deployment import DELETION, FINETUNING
from idp_local.aws.names import DATA_BUCKET, state_machine_arn
from idp_local.environment import local_client
from idp_local.runtime import LocalRuntime
from tests.idp_local.conftest import Events

pytestmark = pytest.mark.xdist_group("local_runtime")

Execution = dict[str, Any]

POLLS = {"trainingPollSeconds": 0, "deploymentPollSeconds": 0}


def execute(runtime: LocalRuntime, workflow: str, job_id: str) -> Execution:
    """Starts an execution as the product does and waits for its end."""
    client = local_client("stepfunctions", runtime.connection.aws_endpoint_url)
    arn = client.start_execution(
        stateMachineArn=state_machine_arn(workflow),
        name=job_id,
        input=json.dumps({"jobId": job_id, "number": 1, "startAt": "VALIDATING", **POLLS}),
    )["executionArn"]
    for _ in range(600):
        execution: Execution = client.describe_execution(executionArn=arn)
        if execution["status"] != "RUNNING":
            return execution
        time.sleep(0.05)
    raise AssertionError(f"{job_id} did not end")


def put_manifest(runtime: LocalRuntime, job_id: str, documents: list[dict[str, Any]]) -> None:
    s3 = local_client("s3", runtime.connection.aws_endpoint_url)
    s3.put_object(Bucket=DATA_BUCKET, Key=f"jobs/{job_id}/manifest.json", Body=json.dumps(documents).encode())


def jobs_in(events: list[dict[str, Any]]) -> list[str]:
    return [event["jobId"] for event in events]


def test_a_job_runs_through_every_state_to_the_end(runtime: LocalRuntime, events: Events) -> None:
    documents = [{"id": f"d{number}", "behaviour": "accept"} for number in range(5)]
    put_manifest(runtime, "good", documents)

    execution = execute(runtime, FINETUNING, "good")

    assert execution["status"] == "SUCCEEDED"
    seen = [event["document"] for event in events("GenerateExample") if event["jobId"] == "good"]
    assert sorted(seen, key=lambda document: str(document["id"])) == documents
    for name in ("AssembleDataset", "CreateCustomizationJob", "CreateModelDeployment", "CompleteJob"):
        assert jobs_in(events(name)).count("good") == 1, name
    # The children's answers would add up to more than a state may carry.
    assert "grows" not in execution["output"]


def test_one_bad_document_is_rejected_with_its_error_and_the_job_goes_on(runtime: LocalRuntime, events: Events) -> None:
    put_manifest(runtime, "one-bad", [{"id": "a", "behaviour": "accept"}, {"id": "b", "behaviour": "reject"}])

    assert execute(runtime, FINETUNING, "one-bad")["status"] == "SUCCEEDED"

    (rejection,) = (event for event in events("RejectDocument") if event["jobId"] == "one-bad")
    assert rejection["document"]["id"] == "b"
    assert rejection["error"]["Error"] == "DocumentRejected"
    assert json.loads(rejection["error"]["Cause"])["errorMessage"].startswith("encrypted: The file")


def test_a_document_that_kills_its_worker_is_rejected_after_one_more_try(runtime: LocalRuntime, events: Events) -> None:
    put_manifest(runtime, "killer", [{"id": "a", "behaviour": "die"}, {"id": "b", "behaviour": "accept"}])

    assert execute(runtime, FINETUNING, "killer")["status"] == "SUCCEEDED"

    (rejection,) = (event for event in events("RejectDocument") if event["jobId"] == "killer")
    assert rejection["document"]["id"] == "a"
    assert rejection["error"]["Error"] == "Runtime.ExitError"
    tries = [event for event in events("GenerateExample") if event["jobId"] == "killer"]
    assert [event["document"]["id"] for event in tries].count("a") == 2


def test_a_throttled_document_is_tried_again_and_not_rejected(
    runtime: LocalRuntime, events: Events, tmp_path: Path
) -> None:
    document = {"id": "a", "behaviour": "fail once", "mark": str(tmp_path / "mark")}
    put_manifest(runtime, "throttled", [document])

    assert execute(runtime, FINETUNING, "throttled")["status"] == "SUCCEEDED"
    assert jobs_in(events("GenerateExample")).count("throttled") == 2
    assert "throttled" not in jobs_in(events("RejectDocument"))


def test_a_failed_state_goes_to_end_job_and_the_execution_fails_with_its_error_and_cause(
    runtime: LocalRuntime, events: Events
) -> None:
    execution = execute(runtime, FINETUNING, "invalid")

    assert execution["status"] == "FAILED"
    assert execution["error"] == "TestSetInvalid"
    assert execution["cause"] == "Validation failed: Insufficient documents: 3 found, 10 needed."
    (end,) = (event for event in events("EndJob") if event["jobId"] == "invalid")
    assert set(end["error"]) == {"Error", "Cause"}
    assert "invalid" not in jobs_in(events("GenerateExample"))


def test_a_deletion_runs_its_three_steps_in_order(runtime: LocalRuntime, events: Events) -> None:
    assert execute(runtime, DELETION, "gone")["status"] == "SUCCEEDED"
    for name in ("DeleteModelDeployment", "DeleteCustomModel", "DeleteJobData"):
        assert jobs_in(events(name)) == ["gone"], name
