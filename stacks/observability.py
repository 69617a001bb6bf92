"""What tells an operator that something is wrong: alarms, their e-mail, and one dashboard."""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import Duration
from aws_cdk import aws_appsync as appsync
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from stacks.options import DeploymentOptions

PERIOD = Duration.minutes(5)


class Observability(Construct):
    """Alarms on failed jobs, failed removals, the API's errors and throttled functions."""

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
    ) -> None:
        super().__init__(scope, construct_id)
        self._prefix = options.name_prefix
        self._action = self._email_action(options.alarm_email)
        api_errors = cloudwatch.Metric(
            namespace="AWS/AppSync",
            metric_name="5XXError",
            dimensions_map={"GraphQLAPIId": graphql_api.api_id},
            statistic="Sum",
            period=PERIOD,
        )
        resolver = functions["Resolver"]
        # The two functions that run many times at once; of the others there is one a job.
        busy = {"resolver": resolver, "examples": functions["GenerateExample"]}
        throttles = cloudwatch.MathExpression(
            expression=" + ".join(busy),
            using_metrics={name: function.metric_throttles(period=PERIOD) for name, function in busy.items()},
            label="Throttled invocations",
            period=PERIOD,
        )
        self._alarm("JobFailed", "A fine-tuning job failed", finetuning.metric_failed(period=PERIOD))
        self._alarm("DeletionFailed", "The removal of a fine-tuning job failed", deletion.metric_failed(period=PERIOD))
        self._alarm("ApiErrors", "The GraphQL API answered with server errors", api_errors)
        self._alarm("ResolverErrors", "The resolver function failed", resolver.metric_errors(period=PERIOD))
        self._alarm("Throttles", "Functions are throttled: raise the account's Lambda concurrency", throttles)
        self._dashboard(
            {
                "Fine-tuning jobs": [
                    finetuning.metric_started(),
                    finetuning.metric_succeeded(),
                    finetuning.metric_failed(),
                ],
                "Removals": [deletion.metric_started(), deletion.metric_succeeded(), deletion.metric_failed()],
                "API errors": [api_errors, resolver.metric_errors(period=PERIOD)],
                "API duration": [
                    resolver.metric_duration(statistic="p50"),
                    resolver.metric_duration(statistic="p95"),
                ],
                "Failed invocations": [function.metric_errors() for function in functions.values()],
                "Throttles": [throttles],
            }
        )

    def _email_action(self, address: str | None) -> actions.SnsAction | None:
        if not address:
            return None
        topic = sns.Topic(self, "Alarms", topic_name=f"{self._prefix}-alarms", enforce_ssl=True)
        topic.add_subscription(subscriptions.EmailSubscription(address))
        return actions.SnsAction(topic)

    def _alarm(self, construct_id: str, description: str, metric: cloudwatch.IMetric) -> None:
        alarm = cloudwatch.Alarm(
            self,
            construct_id,
            alarm_description=f"{self._prefix}: {description}.",
            metric=metric,
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
