"""Alarms, their e-mail, and one dashboard."""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import Duration, Stack
from aws_cdk import aws_appsync as appsync
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from stacks.options import DeploymentOptions

PERIOD = Duration.minutes(5)
# Three passes of ReconcileJobs: a pass that comes late does not raise the alarm on the same finding again.
THREE_PASSES = Duration.minutes(15)
# The same for what no job owns, which is looked for every hour.
THREE_SWEEPS = Duration.hours(3)

# Errors that only operators can fix; clients get an InternalError instead (idp_finetuning.operations.dispatch).
INTERNAL_ERRORS = ("AwsCallRefused", "SettingMissing")


class Observability(Construct):
    """Alarms on failed jobs and deletions, errors of the API, dropped events, orphans in Bedrock, and throttling."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        options: DeploymentOptions,
        graphql_api: appsync.GraphqlApi,
        functions: Mapping[str, lambda_.Function],
        finetuning: sfn.StateMachine,
        deletion: sfn.StateMachine,
        evaluation: sfn.StateMachine,
    ) -> None:
        super().__init__(scope, construct_id)
        self._prefix = options.name_prefix
        self._action = self._email_action(options.alarm_email)
        resolver, example = functions["Resolver"], functions["GenerateExample"]
        reconciliation = functions["ReconcileJobs"]
        # Each pass of ReconcileJobs logs all three; it continues if it fails at one job.
        orphans = self._log_metric("Orphans", reconciliation, "$.orphans_found", period=THREE_SWEEPS)
        left_over = self._log_metric("UnreconciledJobs", reconciliation, "$.jobs_failed")
        ended = self._log_metric("JobsEnded", reconciliation, "$.jobs_ended")
        failed = self._failed_jobs(functions["EndJob"])
        api_errors = cloudwatch.Metric(
            namespace="AWS/AppSync",
            metric_name="5XXError",
            dimensions_map={"GraphQLAPIId": graphql_api.api_id},
            statistic="Sum",
            period=PERIOD,
        )
        internal_errors = self._internal_errors(resolver)
        # After the last retry Lambda drops the event of an asynchronous invocation silently.
        dropped = {
            name: functions[name].metric("AsyncEventsDropped", statistic="Sum", period=PERIOD)
            for name in ("ReadLabels", "CountPages", "ClassifyDocument", "DeleteTestSet")
        }
        # The two functions with many concurrent invocations; the others have one for each job.
        throttles = {
            "api": resolver.metric_throttles(period=PERIOD),
            "rendering": example.metric_throttles(period=PERIOD),
        }
        # One metric each: a sum of metrics has no value if one of them has none.
        alarms = {
            "job-failed": ("A fine-tuning job failed", failed),
            **_lost_execution_alarms("job", "A fine-tuning job", finetuning),
            "job-ended": ("A job was ended that was past a deadline or had lost its workflow", ended),
            "deletion-failed": ("The removal of a fine-tuning job failed", deletion.metric_failed(period=PERIOD)),
            **_lost_execution_alarms("deletion", "The removal of a fine-tuning job", deletion),
            "evaluation-failed": ("The evaluation of a model failed", evaluation.metric_failed(period=PERIOD)),
            **_lost_execution_alarms("evaluation", "The evaluation of a model", evaluation),
            "api-errors": ("The GraphQL API returned server errors", api_errors),
            "resolver-errors": ("The resolver crashed or ran out of time", resolver.metric_errors(period=PERIOD)),
            "internal-errors": ("Requests of the API ended with an InternalError", internal_errors),
            "reconciliation-failed": (
                "The search for unfinished jobs crashed or ran out of time",
                reconciliation.metric_errors(period=PERIOD),
            ),
            "job-not-reconciled": ("An unfinished job could not be looked at", left_over),
            "orphans": ("Bedrock holds something with our tag that no job owns", orphans),
            "label-reading-lost": (
                "Labels of a large test set could not be read in the background",
                dropped["ReadLabels"],
            ),
            "page-counting-lost": (
                "Pages of a test set could not be counted in the background",
                dropped["CountPages"],
            ),
            "test-set-deletion-lost": (
                "A test set could not be deleted in the background",
                dropped["DeleteTestSet"],
            ),
            "classification-lost": ("A classification was given up without a word", dropped["ClassifyDocument"]),
            "api-throttled": ("Calls of the resolver were throttled", throttles["api"]),
            "rendering-throttled": ("Rendering of documents was throttled", throttles["rendering"]),
        }
        for name, (description, metric) in alarms.items():
            self._alarm(name, description, metric)
        self._dashboard(
            {
                "Fine-tuning jobs": [*_executions(finetuning), failed],
                "Removals": _executions(deletion),
                "Evaluations": _executions(evaluation),
                "API errors": [api_errors, resolver.metric_errors(period=PERIOD), internal_errors],
                "API duration": [
                    resolver.metric_duration(statistic="p50"),
                    resolver.metric_duration(statistic="p95"),
                ],
                "Reconciliation": [orphans, left_over, ended],
                "Failed invocations": [function.metric_errors() for function in functions.values()],
                "Throttled and lost invocations": [*throttles.values(), *dropped.values()],
            }
        )

    def _failed_jobs(self, end_job: lambda_.Function) -> cloudwatch.Metric:
        """Count the jobs that EndJob found or left FAILED: the execution of a job that a user stopped fails too."""
        return logs.MetricFilter(
            self,
            "FailedJobLines",
            log_group=end_job.log_group,
            filter_pattern=logs.FilterPattern.string_value("$.job_status", "=", "FAILED"),
            metric_namespace=self._prefix,
            metric_name="JobsFailed",
        ).metric(statistic="Sum", period=PERIOD)

    def _internal_errors(self, resolver: lambda_.Function) -> cloudwatch.Metric:
        """Count what the resolver returns as InternalError, which Lambda and AppSync count as successes."""
        lines = [logs.FilterPattern.string_value("$.level", "=", "ERROR")] + [
            logs.FilterPattern.string_value("$.error_code", "=", error) for error in INTERNAL_ERRORS
        ]
        return logs.MetricFilter(
            self,
            "InternalErrorLines",
            log_group=resolver.log_group,
            filter_pattern=logs.FilterPattern.any(*lines),
            metric_namespace=self._prefix,
            metric_name="InternalErrors",
        ).metric(statistic="Sum", period=PERIOD)

    def _log_metric(
        self, name: str, function: lambda_.Function, field: str, *, period: Duration = THREE_PASSES
    ) -> cloudwatch.Metric:
        """Return the highest value of this field in the function's log within the period."""
        return logs.MetricFilter(
            self,
            f"{name}Lines",
            log_group=function.log_group,
            filter_pattern=logs.FilterPattern.exists(field),
            metric_namespace=self._prefix,
            metric_name=name,
            metric_value=field,
        ).metric(statistic="Maximum", period=period)

    def _email_action(self, address: str | None) -> actions.SnsAction | None:
        if not address:
            return None
        topic = sns.Topic(self, "Alarms", topic_name=f"{self._prefix}-alarms", enforce_ssl=True)
        topic.add_subscription(subscriptions.EmailSubscription(address))
        # A topic with a policy loses the default policy, which lets alarms of this account publish.
        topic.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[topic.topic_arn],
                conditions={"StringEquals": {"aws:SourceAccount": Stack.of(self).account}},
            )
        )
        return actions.SnsAction(topic)

    def _alarm(self, name: str, description: str, metric: cloudwatch.IMetric) -> None:
        alarm = cloudwatch.Alarm(
            self,
            name,
            alarm_name=f"{self._prefix}-{name}",
            alarm_description=f"{self._prefix}: {description}.",
            metric=metric,
            # One failure is enough: there are few jobs, and each costs money.
            threshold=1,
            evaluation_periods=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        if self._action:
            alarm.add_alarm_action(self._action)

    def _dashboard(self, graphs: Mapping[str, list[cloudwatch.IMetric]]) -> None:
        dashboard = cloudwatch.Dashboard(self, "Dashboard", dashboard_name=self._prefix)
        for title, metrics in graphs.items():
            dashboard.add_widgets(cloudwatch.GraphWidget(title=title, left=metrics, width=12))


def _executions(machine: sfn.StateMachine) -> list[cloudwatch.IMetric]:
    lost = (metric for _, metric in _lost_execution_alarms("", "", machine).values())
    return [machine.metric_started(), machine.metric_succeeded(), machine.metric_failed(period=PERIOD), *lost]


def _lost_execution_alarms(
    name: str, subject: str, machine: sfn.StateMachine
) -> dict[str, tuple[str, cloudwatch.IMetric]]:
    """Return descriptions and metrics of the alarms on executions that did not record why they ended, by name."""
    return {
        f"{name}-timed-out": (f"{subject} ran out of time", machine.metric_timed_out(period=PERIOD)),
        f"{name}-aborted": (f"{subject} was aborted in Step Functions", machine.metric_aborted(period=PERIOD)),
    }
