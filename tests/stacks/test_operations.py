"""What operators and clients get from a deployment: outputs, alarms and a dashboard."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from idp_finetuning import errors
from idp_finetuning.jobs.job import JobStatus
from idp_finetuning.operations.dispatch import error_response
from idp_finetuning.stages.job_ending import JobEnding
from idp_finetuning.stages.reconcile import Reconciliation
from tests.support.docs_pages import table
from tests.support.stacks.deployed import ACCOUNT, REGION, Deployed
from tests.support.stacks.synthesis import assembled


def test_outputs_hold_what_a_client_needs(deployed: Deployed) -> None:
    outputs = deployed.outputs()
    assert set(outputs) == {
        *("GraphqlUrl", "Region", "UserPoolId", "UserPoolClientId"),
        *("TestSetBucketName", "DataBucketName", "FinetuningStateMachineArn"),
        *("JobsTableName", "TestSetsTableName", "ConfigVersionsTableName", "UsersTableName"),
    }
    assert outputs["Region"] == REGION
    assert outputs["GraphqlUrl"] == "Api/GraphqlApi.GraphQLUrl"
    assert outputs["TestSetBucketName"] == "TestSetBucket"
    assert outputs["DataBucketName"] == "DataBucket"
    tables = [outputs[f"{table}TableName"] for table in ("Jobs", "TestSets", "ConfigVersions", "Users")]
    assert tables == ["jobs", "test-sets", "config-versions", "users"]
    machine = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:idp-finetuning-finetuning"
    assert outputs["FinetuningStateMachineArn"] == machine


def test_the_stack_has_the_tag_by_which_bills_are_split(tmp_path: Path) -> None:
    manifest = json.loads((assembled(tmp_path, namePrefix="acme") / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["artifacts"]["acme"]["properties"]["tags"] == {"idp-finetuning:deployment": "acme"}


MACHINES = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:idp-finetuning"


@pytest.mark.parametrize(
    ("alarm", "namespace", "metric", "of"),
    [
        ("job-timed-out", "AWS/States", "ExecutionsTimedOut", f"{MACHINES}-finetuning"),
        ("job-aborted", "AWS/States", "ExecutionsAborted", f"{MACHINES}-finetuning"),
        ("deletion-failed", "AWS/States", "ExecutionsFailed", f"{MACHINES}-deletion"),
        ("deletion-timed-out", "AWS/States", "ExecutionsTimedOut", f"{MACHINES}-deletion"),
        ("deletion-aborted", "AWS/States", "ExecutionsAborted", f"{MACHINES}-deletion"),
        ("evaluation-failed", "AWS/States", "ExecutionsFailed", f"{MACHINES}-evaluation"),
        ("evaluation-timed-out", "AWS/States", "ExecutionsTimedOut", f"{MACHINES}-evaluation"),
        ("evaluation-aborted", "AWS/States", "ExecutionsAborted", f"{MACHINES}-evaluation"),
        ("api-errors", "AWS/AppSync", "5XXError", "Api/GraphqlApi.ApiId"),
        ("resolver-errors", "AWS/Lambda", "Errors", "idp-finetuning-resolver"),
        ("reconciliation-failed", "AWS/Lambda", "Errors", "idp-finetuning-reconcile-jobs"),
        ("label-reading-lost", "AWS/Lambda", "AsyncEventsDropped", "idp-finetuning-read-labels"),
        ("page-counting-lost", "AWS/Lambda", "AsyncEventsDropped", "idp-finetuning-count-pages"),
        ("test-set-deletion-lost", "AWS/Lambda", "AsyncEventsDropped", "idp-finetuning-delete-test-set"),
        ("classification-lost", "AWS/Lambda", "AsyncEventsDropped", "idp-finetuning-classify-document"),
        ("api-throttled", "AWS/Lambda", "Throttles", "idp-finetuning-resolver"),
        ("rendering-throttled", "AWS/Lambda", "Throttles", "idp-finetuning-generate-example"),
    ],
)
def test_a_single_failure_raises_its_alarm(
    deployed: Deployed, alarm: str, namespace: str, metric: str, of: str
) -> None:
    properties = deployed.named("AWS::CloudWatch::Alarm", "AlarmName")[f"idp-finetuning-{alarm}"]
    assert (properties["Namespace"], properties["MetricName"]) == (namespace, metric)
    assert [dimension["Value"] for dimension in properties["Dimensions"]] == [of]
    assert (properties["Statistic"], properties["Period"], properties["EvaluationPeriods"]) == ("Sum", 300, 1)
    assert (properties["Threshold"], properties["ComparisonOperator"]) == (1, "GreaterThanOrEqualToThreshold")


def test_quiet_times_are_no_alarm(deployed: Deployed) -> None:
    assert {alarm["TreatMissingData"] for alarm in deployed.of_type("AWS::CloudWatch::Alarm")} == {"notBreaching"}


def test_an_internal_error_raises_an_alarm_though_lambda_and_appsync_see_an_answer(deployed: Deployed) -> None:
    (metric_filter,) = _metric_filters(deployed, "Functions/ResolverLogs")
    (transformation,) = metric_filter["MetricTransformations"]
    alarm = deployed.named("AWS::CloudWatch::Alarm", "AlarmName")["idp-finetuning-internal-errors"]
    watched = (alarm["Namespace"], alarm["MetricName"])
    assert watched == (transformation["MetricNamespace"], transformation["MetricName"])
    assert transformation["MetricValue"] == "1"


def test_the_alarm_on_internal_errors_matches_the_lines_of_all_failures_answered_so(deployed: Deployed) -> None:
    hidden = {
        error.__name__
        for error in vars(errors).values()
        if isinstance(error, type) and issubclass(error, errors.FinetuningError)
        if error not in (errors.FinetuningError, errors.DocumentRejected, errors.InternalError)
        if error_response(error("reason"))["error"]["type"] == "InternalError"
    }
    pattern = _metric_filters(deployed, "Functions/ResolverLogs")[0]["FilterPattern"]
    assert set(re.findall(r'\(\$\.error_code = "(\w+)"\)', pattern)) == hidden
    assert '($.level = "ERROR")' in pattern  # how an unexpected exception is logged


def _metric_filters(deployed: Deployed, log_group: str) -> list[dict[str, Any]]:
    return [found for found in deployed.of_type("AWS::Logs::MetricFilter") if found["LogGroupName"] == log_group]


@pytest.mark.parametrize(
    ("alarm", "field", "seconds"),
    [
        ("orphans", "orphans_found", 3 * 3600),
        ("job-not-reconciled", "jobs_failed", 3 * 300),
        ("job-ended", "jobs_ended", 3 * 300),
    ],
)
def test_what_a_pass_of_the_reconciliation_counts_in_its_log_raises_an_alarm(
    deployed: Deployed, alarm: str, field: str, seconds: int
) -> None:
    assert Reconciliation().for_operators()[field] == 0
    (metric_filter,) = (
        found
        for found in _metric_filters(deployed, "Functions/ReconcileJobsLogs")
        if found["FilterPattern"] == f'{{ $.{field} = "*" }}'
    )
    (transformation,) = metric_filter["MetricTransformations"]
    assert transformation["MetricValue"] == f"$.{field}"
    properties = deployed.named("AWS::CloudWatch::Alarm", "AlarmName")[f"idp-finetuning-{alarm}"]
    watched = (properties["Namespace"], properties["MetricName"])
    assert watched == (transformation["MetricNamespace"], transformation["MetricName"])
    # A pass every five minutes, a sweep every hour, one of which may be late: the alarm shall not end in between.
    assert (properties["Statistic"], properties["Period"], properties["Threshold"]) == ("Maximum", seconds, 1)


@pytest.mark.parametrize(("status", "raised"), [(JobStatus.FAILED, True), (JobStatus.STOPPED, False), (None, False)])
def test_a_failed_job_raises_an_alarm_and_one_that_a_user_stopped_does_not(
    deployed: Deployed, status: JobStatus | None, raised: bool
) -> None:
    (metric_filter,) = _metric_filters(deployed, "Functions/EndJobLogs")
    (transformation,) = metric_filter["MetricTransformations"]
    alarm = deployed.named("AWS::CloudWatch::Alarm", "AlarmName")["idp-finetuning-job-failed"]
    watched = (alarm["Namespace"], alarm["MetricName"])
    assert watched == (transformation["MetricNamespace"], transformation["MetricName"])
    assert (alarm["Statistic"], alarm["Period"], alarm["Threshold"]) == ("Sum", 300, 1)
    ((field, value),) = JobEnding(code="c", message="m", status=status).for_operators().items()
    assert (metric_filter["FilterPattern"] == f'{{ $.{field} = "{value}" }}') is raised


def test_the_operators_page_says_what_to_do_about_every_alarm(deployed: Deployed) -> None:
    names = set(deployed.named("AWS::CloudWatch::Alarm", "AlarmName"))
    assert names == {f"idp-finetuning-{alarm}" for alarm in table("operations", "alarm")}


def test_without_an_address_alarms_tell_nobody(deployed: Deployed) -> None:
    assert not deployed.raw("AWS::SNS::Topic")
    assert not [alarm for alarm in deployed.of_type("AWS::CloudWatch::Alarm") if "AlarmActions" in alarm]


def test_with_an_address_every_alarm_sends_an_email(customized: Deployed) -> None:
    subscription = customized.only("AWS::SNS::Subscription")
    assert (subscription["Protocol"], subscription["Endpoint"]) == ("email", "ops@example.com")
    actions = [alarm["AlarmActions"] for alarm in customized.of_type("AWS::CloudWatch::Alarm")]
    assert actions == [[subscription["TopicArn"]]] * len(actions)
    refused, allowed = customized.only("AWS::SNS::TopicPolicy")["PolicyDocument"]["Statement"]
    assert (refused["Effect"], refused["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})
    assert (allowed["Effect"], allowed["Action"]) == ("Allow", "sns:Publish")
    assert allowed["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert allowed["Condition"] == {"StringEquals": {"aws:SourceAccount": ACCOUNT}}


def test_the_dashboard_shows_every_function(deployed: Deployed) -> None:
    body = json.loads(deployed.only("AWS::CloudWatch::Dashboard")["DashboardBody"])
    shown = json.dumps(body["widgets"])
    for function in deployed.named("AWS::Lambda::Function", "FunctionName"):
        assert f'"{function}"' in shown
