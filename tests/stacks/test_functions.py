"""The deployed functions are those of deployment.FUNCTIONS, which the local runtime runs too."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from idp_finetuning.classification.classification import SILENT_AT_MOST
from idp_finetuning.deployment import FUNCTIONS, FunctionSpec, find_function
from tests.support.stacks.deployed import ACCOUNT, REGION, Deployed

PREFIX = "idp-finetuning"
BY_NAME = pytest.mark.parametrize("spec", FUNCTIONS, ids=lambda spec: spec.name)


def _function(deployed: Deployed, spec: FunctionSpec) -> dict[str, Any]:
    return deployed.named("AWS::Lambda::Function", "FunctionName")[spec.function_name(PREFIX)]


def test_the_stack_has_these_functions_and_no_other(deployed: Deployed) -> None:
    expected = {spec.function_name(PREFIX) for spec in FUNCTIONS}
    assert set(deployed.named("AWS::Lambda::Function", "FunctionName")) == expected
    assert len(deployed.raw("AWS::Lambda::Function")) == len(expected)


@BY_NAME
def test_a_function_runs_its_handler_within_its_limits(deployed: Deployed, spec: FunctionSpec) -> None:
    function = _function(deployed, spec)
    assert function["Handler"] == spec.handler
    assert function["Timeout"] == spec.timeout_seconds
    assert function["MemorySize"] == spec.memory_mb
    assert function["Runtime"] == "python3.13"
    assert function["Architectures"] == ["arm64"]


@BY_NAME
def test_a_run_that_failed_is_tried_again_as_the_specification_says(deployed: Deployed, spec: FunctionSpec) -> None:
    limited = deployed.named("AWS::Lambda::EventInvokeConfig", "FunctionName").get(spec.function_name(PREFIX))
    if spec.name != "ReconcileJobs":  # whose runs come by themselves
        assert (limited or {}).get("MaximumRetryAttempts", 2) == spec.event_retries
    if spec.on_failure:
        assert limited
        # A classification that is queued so long is still taken for one that runs.
        assert timedelta(seconds=limited["MaximumEventAgeInSeconds"]) < SILENT_AT_MOST
        (destination,) = limited["DestinationConfig"].values()
        assert destination["Destination"].endswith(f":function:{find_function(spec.on_failure).function_name(PREFIX)}")


@BY_NAME
def test_a_function_gets_its_variables_and_no_other(deployed: Deployed, spec: FunctionSpec) -> None:
    variables = _function(deployed, spec)["Environment"]["Variables"]
    assert set(variables) == {*map(str, spec.variables), "POWERTOOLS_SERVICE_NAME", "LOG_LEVEL"}


def test_variables_name_what_the_stack_made(deployed: Deployed) -> None:
    values: dict[str, set[str]] = {}
    for function in deployed.of_type("AWS::Lambda::Function"):
        for name, value in function["Environment"]["Variables"].items():
            values.setdefault(name, set()).add(value)
    machines = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:{PREFIX}"
    assert values == {
        "POWERTOOLS_SERVICE_NAME": {"idp-finetuning"},
        "LOG_LEVEL": {"INFO"},
        "DEPLOYMENT_NAME": {PREFIX},
        "DATA_BUCKET": {"DataBucket"},
        "DATA_BUCKET_OWNER": {ACCOUNT},
        "TEST_SET_BUCKET": {"TestSetBucket"},
        "TEST_SET_BUCKET_IS": {"owned"},
        "JOBS_TABLE": {"jobs"},
        "TEST_SETS_TABLE": {"test-sets"},
        "CONFIG_VERSIONS_TABLE": {"config-versions"},
        "USERS_TABLE": {"users"},
        "USER_POOL_ID": {"Identity/UserPool"},
        "DEFAULT_SCOPE": {"all"},
        "READ_LABELS_FUNCTION": {f"{PREFIX}-read-labels"},
        "COUNT_PAGES_FUNCTION": {f"{PREFIX}-count-pages"},
        "CLASSIFY_DOCUMENT_FUNCTION": {f"{PREFIX}-classify-document"},
        "DELETE_TEST_SET_FUNCTION": {f"{PREFIX}-delete-test-set"},
        "CLASSIFICATIONS_PER_USER": {"4"},
        "FINETUNING_STATE_MACHINE_ARN": {f"{machines}-finetuning"},
        "DELETION_STATE_MACHINE_ARN": {f"{machines}-deletion"},
        "EVALUATION_STATE_MACHINE_ARN": {f"{machines}-evaluation"},
        "BEDROCK_ROLE_ARN": {f"arn:aws:iam::{ACCOUNT}:BedrockAccess/Role"},
        "MAP_CONCURRENCY": {"40"},
        "TRAINING_POLL_SECONDS": {"300"},
        "DEPLOYMENT_POLL_SECONDS": {"60"},
        "NOT_STARTED_HOURS": {"24"},
        "TRAINING_HOURS": {"48"},
        "DEPLOYMENT_HOURS": {"4"},
        "NOTIFICATION_SENDER": {""},
    }
    assert {machine["StateMachineName"] for machine in deployed.of_type("AWS::StepFunctions::StateMachine")} == {
        f"{PREFIX}-finetuning",
        f"{PREFIX}-deletion",
        f"{PREFIX}-evaluation",
    }


@BY_NAME
def test_even_the_runtimes_own_log_lines_are_json(deployed: Deployed, spec: FunctionSpec) -> None:
    function = deployed.named("AWS::Lambda::Function", "FunctionName")[spec.function_name(PREFIX)]
    assert function["LoggingConfig"]["LogFormat"] == "JSON"


@BY_NAME
def test_a_function_logs_to_its_own_group_with_an_end(deployed: Deployed, spec: FunctionSpec) -> None:
    group = f"/aws/lambda/{spec.function_name(PREFIX)}"
    assert deployed.named("AWS::Logs::LogGroup", "LogGroupName")[group]["RetentionInDays"] == 90
    writes = [s for s in deployed.function_statements(spec.function_name(PREFIX)) if "logs:PutLogEvents" in s.actions]
    assert [s.resources for s in writes] == [{f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{group}:*"}]


def test_each_function_has_a_role_of_its_own(deployed: Deployed) -> None:
    roles = [function["Role"] for function in deployed.of_type("AWS::Lambda::Function")]
    assert len(set(roles)) == len(FUNCTIONS)


def test_a_function_is_traced_and_waits_for_the_permission_to_be(deployed: Deployed) -> None:
    for resource in deployed.raw("AWS::Lambda::Function"):
        assert resource["Properties"]["TracingConfig"] == {"Mode": "Active"}
        kinds = {deployed.template["Resources"][name]["Type"] for name in resource["DependsOn"]}
        assert "AWS::IAM::Policy" in kinds


def test_options_change_deadlines(customized: Deployed) -> None:
    reconcile = customized.named("AWS::Lambda::Function", "FunctionName")["acme-reconcile-jobs"]
    variables = reconcile["Environment"]["Variables"]
    hours = [variables[f"{name}_HOURS"] for name in ("NOT_STARTED", "TRAINING", "DEPLOYMENT")]
    assert hours == ["6", "72", "8"]


def test_e_mail_goes_out_from_one_sender_and_only_where_the_operator_names_it(
    deployed: Deployed, customized: Deployed
) -> None:
    def mailing(stack: Deployed) -> list[dict[str, Any]]:
        policies = [policy["PolicyDocument"]["Statement"] for policy in stack.of_type("AWS::IAM::Policy")]
        return [statement for policy in policies for statement in policy if "ses:" in str(statement["Action"])]

    assert mailing(deployed) == []
    (allowed,) = mailing(customized)
    assert allowed["Action"] == "ses:SendEmail"
    assert allowed["Condition"] == {"StringEquals": {"ses:FromAddress": "finetuning@example.com"}}
    for name in ("acme-reconcile-jobs", "acme-resolver"):
        function = customized.named("AWS::Lambda::Function", "FunctionName")[name]
        assert function["Environment"]["Variables"]["NOTIFICATION_SENDER"] == "finetuning@example.com"


def test_options_change_names_architecture_polling_and_retention(customized: Deployed) -> None:
    resolver = customized.named("AWS::Lambda::Function", "FunctionName")["acme-resolver"]
    assert resolver["Architectures"] == ["x86_64"]
    assert resolver["Environment"]["Variables"]["TRAINING_POLL_SECONDS"] == "600"
    assert resolver["Environment"]["Variables"]["DEPLOYMENT_POLL_SECONDS"] == "120"
    assert {group["RetentionInDays"] for group in customized.of_type("AWS::Logs::LogGroup")} == {7}
