"""Log groups with the operator's retention."""

from __future__ import annotations

from typing import cast

from aws_cdk import RemovalPolicy
from aws_cdk import aws_logs as logs
from constructs import Construct

from stacks.options import DeploymentOptions


def make_log_group(scope: Construct, construct_id: str, *, name: str, options: DeploymentOptions) -> logs.LogGroup:
    """A log group that goes with the stack: logs hold no documents, and a group left behind blocks its name."""
    group = logs.LogGroup(scope, construct_id, log_group_name=name, removal_policy=RemovalPolicy.DESTROY)
    # The construct takes an enum with a member for each number of days; CloudFormation takes the number.
    cast(logs.CfnLogGroup, group.node.default_child).retention_in_days = options.log_retention_days
    return group
