"""Log groups with the operator's retention."""

from __future__ import annotations

from typing import cast

from aws_cdk import RemovalPolicy
from aws_cdk import aws_logs as logs
from constructs import Construct

from stacks.options import DeploymentOptions


def make_log_group(scope: Construct, construct_id: str, *, name: str, options: DeploymentOptions) -> logs.LogGroup:
    """Return a log group that is deleted with the stack: a retained group would block its name for the next stack."""
    group = logs.LogGroup(scope, construct_id, log_group_name=name, removal_policy=RemovalPolicy.DESTROY)
    # The construct takes an enum of its own; CloudFormation takes the number of days.
    cast(logs.CfnLogGroup, group.node.default_child).retention_in_days = options.log_retention_days
    return group
