"""The evaluation of policies: resource patterns as IAM reads them, and the supported condition."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.iam.policies import Need, allows, matches
from tests.support.stacks.deployed import Statement

ROLE = "arn:aws:iam::123456789012:role/bedrock"


def statement(action: str, resource: str, conditions: dict[str, Any] | None = None) -> Statement:
    return Statement(frozenset({action}), frozenset({resource}), conditions or {})


@pytest.mark.parametrize(
    ("pattern", "resource", "matched"),
    [
        ("arn:aws:s3:::b/jobs/*/pages/*", "arn:aws:s3:::b/jobs/1/pages/2/3.jpeg", True),
        ("arn:aws:s3:::b/jobs/*/pages/*", "arn:aws:s3:::b/jobs/1/prompt.json", False),
        ("arn:aws:s3:::b/*", "arn:aws:s3:::b", False),
        ("arn:aws:s3:::b", "arn:aws:s3:::b/key", False),
        ("arn:aws:s3:::b/[a]*", "arn:aws:s3:::b/a", False),
        ("arn:aws:s3:::b/?", "arn:aws:s3:::b/a", True),
        ("arn:aws:s3:::b/?", "arn:aws:s3:::b/ab", False),
        (
            "arn:aws:bedrock:*:123456789012:custom-model/x",
            "arn:aws:bedrock:us-east-1:123456789012:custom-model/x",
            True,
        ),
        ("arn:aws:bedrock:*:custom-model/x", "arn:aws:bedrock:us-east-1:1:custom-model/x", False),
        ("arn:aws:states:r:1:execution:m:*", "arn:aws:states:r:1:execution:m:a:b", True),
        ("*", "arn:aws:s3:::b", True),
        ("arn:aws:s3:::b", "*", False),
    ],
)
def test_a_wildcard_stays_within_its_part_of_an_arn(pattern: str, resource: str, matched: bool) -> None:
    assert matches(pattern, resource) is matched


def test_action_and_resource_have_to_be_of_one_statement() -> None:
    statements = [statement("s3:GetObject", "arn:aws:s3:::b/a"), statement("s3:PutObject", "arn:aws:s3:::b/c")]
    assert allows(statements, Need("s3:getobject", "arn:aws:s3:::b/a"))
    assert not allows(statements, Need("s3:PutObject", "arn:aws:s3:::b/a"))


def test_a_role_is_passed_only_to_the_service_of_the_condition() -> None:
    condition = {"StringEquals": {"iam:PassedToService": "bedrock.amazonaws.com"}}
    conditioned = [statement("iam:PassRole", ROLE, condition)]
    assert allows(conditioned, Need("iam:PassRole", ROLE, "bedrock.amazonaws.com"))
    assert not allows(conditioned, Need("iam:PassRole", ROLE, "ec2.amazonaws.com"))
    assert not allows(conditioned, Need("iam:PassRole", ROLE))


def test_a_condition_that_nobody_taught_is_not_guessed() -> None:
    conditioned = [statement("iam:PassRole", ROLE, {"StringLike": {"aws:PrincipalTag/team": "*"}})]
    with pytest.raises(NotImplementedError, match="StringLike"):
        allows(conditioned, Need("iam:PassRole", ROLE))
