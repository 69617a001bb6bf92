"""What operators and clients get from a deployment: outputs, alarms and a dashboard."""

from __future__ import annotations

import json

from tests.stacks.deployed import ACCOUNT, REGION, Deployed


def test_outputs_hold_what_a_client_needs(deployed: Deployed) -> None:
    outputs = deployed.outputs()
    assert set(outputs) == {
        *("GraphqlUrl", "Region", "UserPoolId", "UserPoolClientId"),
        *("TestSetBucketName", "DataBucketName", "JobsTableName", "FinetuningStateMachineArn"),
    }
    assert outputs["Region"] == REGION
    assert outputs["GraphqlUrl"] == "Api/GraphqlApi.GraphQLUrl"
    assert outputs["TestSetBucketName"] == "TestSetBucket"
    assert outputs["DataBucketName"] == "DataBucket"
    assert outputs["JobsTableName"] == "idp-finetuning-jobs"
    machine = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:idp-finetuning-finetuning"
    assert outputs["FinetuningStateMachineArn"] == machine


def test_failed_jobs_failed_removals_api_errors_and_throttling_raise_alarms(deployed: Deployed) -> None:
    alarms = deployed.of_type("AWS::CloudWatch::Alarm")
    watched = {(alarm.get("Namespace"), alarm.get("MetricName")) for alarm in alarms}
    assert watched >= {("AWS/States", "ExecutionsFailed"), ("AWS/AppSync", "5XXError"), ("AWS/Lambda", "Errors")}
    failed = [alarm["Dimensions"][0]["Value"] for alarm in alarms if alarm.get("MetricName") == "ExecutionsFailed"]
    assert sorted(failed) == [
        f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:idp-finetuning-{name}" for name in ("deletion", "finetuning")
    ]
    throttled = [
        metric["MetricStat"]["Metric"]["Dimensions"][0]["Value"]
        for alarm in alarms
        for metric in alarm.get("Metrics", [])
        if "MetricStat" in metric
    ]
    assert sorted(throttled) == ["idp-finetuning-generate-example", "idp-finetuning-resolver"]
    assert {alarm["TreatMissingData"] for alarm in alarms} == {"notBreaching"}


def test_without_an_address_alarms_tell_nobody(deployed: Deployed) -> None:
    assert not deployed.raw("AWS::SNS::Topic")
    assert not [alarm for alarm in deployed.of_type("AWS::CloudWatch::Alarm") if "AlarmActions" in alarm]


def test_with_an_address_every_alarm_sends_an_email(customized: Deployed) -> None:
    subscription = customized.only("AWS::SNS::Subscription")
    assert (subscription["Protocol"], subscription["Endpoint"]) == ("email", "ops@example.com")
    actions = [alarm["AlarmActions"] for alarm in customized.of_type("AWS::CloudWatch::Alarm")]
    assert actions == [[subscription["TopicArn"]]] * len(actions)
    (statement,) = customized.only("AWS::SNS::TopicPolicy")["PolicyDocument"]["Statement"]
    assert statement["Effect"] == "Deny"
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_the_dashboard_shows_every_function(deployed: Deployed) -> None:
    body = json.loads(deployed.only("AWS::CloudWatch::Dashboard")["DashboardBody"])
    shown = json.dumps(body["widgets"])
    for function in deployed.named("AWS::Lambda::Function", "FunctionName"):
        assert f'"{function}"' in shown
