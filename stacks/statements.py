"""IAM policy statements, and the actions that take no resource."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from aws_cdk import aws_iam as iam


@dataclass(frozen=True)
class Allow:
    """One statement: these actions on these resources, under these conditions."""

    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: Mapping[str, Mapping[str, str]] | None = None

    def statement(self) -> iam.PolicyStatement:
        """Return it as a statement of CDK."""
        return iam.PolicyStatement(
            actions=list(self.actions), resources=list(self.resources), conditions=self.conditions
        )


ANYTHING = ("*",)
# Actions that support no resource-level permissions; every other statement names its resources.
ACTIONS_WITHOUT_RESOURCE: Mapping[str, str] = {
    "bedrock:ListFoundationModels": "lists the account's models; the action has no resource type",
    "bedrock:ListModelCustomizationJobs": "lists the account's jobs; the action has no resource type",
    "bedrock:ListCustomModels": "lists the account's models; the action has no resource type",
    "bedrock:ListCustomModelDeployments": "lists the account's deployments; the action has no resource type",
    "lambda:GetAccountSettings": "the account's limits; the action has no resource type",
    "servicequotas:ListServiceQuotas": "the account's quotas of a service; the action has no resource type",
    "xray:PutTraceSegments": "X-Ray has no resource for trace data",
    "xray:PutTelemetryRecords": "X-Ray has no resource for trace data",
    "xray:GetSamplingRules": "X-Ray has no resource for sampling",
    "xray:GetSamplingTargets": "X-Ray has no resource for sampling",
    "logs:CreateLogDelivery": "log delivery has no resource type",
    "logs:GetLogDelivery": "log delivery has no resource type",
    "logs:UpdateLogDelivery": "log delivery has no resource type",
    "logs:DeleteLogDelivery": "log delivery has no resource type",
    "logs:ListLogDeliveries": "log delivery has no resource type",
    "logs:PutResourcePolicy": "log delivery has no resource type",
    "logs:DescribeResourcePolicies": "log delivery has no resource type",
    "logs:DescribeLogGroups": "log delivery has no resource type",
}
# Lambda only sends traces; state machines also read the sampling rules (Step Functions guide, "X-Ray IAM policies").
SEND_TRACES = Allow(("xray:PutTraceSegments", "xray:PutTelemetryRecords"), ANYTHING)
TRACING = Allow(tuple(action for action in ACTIONS_WITHOUT_RESOURCE if action.startswith("xray:")), ANYTHING)
LOG_DELIVERY = Allow(tuple(action for action in ACTIONS_WITHOUT_RESOURCE if action.startswith("logs:")), ANYTHING)
