"""Definitions as they are rendered: whole values become JSON, names are put into strings."""

from __future__ import annotations

import json

from idp_finetuning.deployment import find_function, placeholders, render_definition, state_machine_name

DEFINITION = """{"States": {
    "Check": {"Type": "Task", "Resource": "${CheckPagesArn}", "Retry": "${Retry}"},
    "Each": {"Type": "Map", "MaxConcurrencyPath": "$.concurrency", "Bucket": "s3://${DataBucketName}/jobs"}
}}"""


def test_the_placeholders_of_a_definition_are_found_whole_values_and_names_alike() -> None:
    assert placeholders(DEFINITION) == {"CheckPagesArn", "Retry", "DataBucketName"}


def test_the_retry_policy_is_json_and_a_name_that_is_not_given_stays() -> None:
    rendered = render_definition(DEFINITION, retry_interval_seconds=3, names={"DataBucketName": "idp-data"})
    check, each = json.loads(rendered)["States"].values()
    assert each["Bucket"] == "s3://idp-data/jobs"
    assert check["Resource"] == "${CheckPagesArn}"
    throttled, transient, worker_exit = check["Retry"]
    assert {retrier["IntervalSeconds"] for retrier in check["Retry"]} == {3}
    assert throttled["ErrorEquals"] == ["Lambda.TooManyRequestsException"]
    assert "TransientError" in transient["ErrorEquals"]
    assert worker_exit["ErrorEquals"] == ["Runtime.ExitError"]


def test_state_machines_and_functions_begin_with_the_deployments_prefix() -> None:
    assert state_machine_name("deletion", "idp-finetuning") == "idp-finetuning-deletion"
    assert find_function("ValidateTestSet").function_name("idp-finetuning") == "idp-finetuning-validate-test-set"
