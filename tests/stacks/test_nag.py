"""cdk-nag's AwsSolutions rules find nothing but what is suppressed, and every suppression is needed."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import NamedTuple

import pytest

from stacks.nag import CONSTRUCT_RULES, RULES, WILDCARDS
from tests.support.stacks.synthesis import assembled

# Everything attached that can be, and what is removed with its stack.
OTHERWISE = {
    "testSetBucketName": "accelerator-test-sets",
    "testSetBucketKmsKeyArn": "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    "userPoolId": "us-east-1_AbCdEf123",
    "alarmEmail": "ops@example.com",
    "notificationSender": "finetuning@example.com",
    "apiRequestsPerAddress": "3000",
    "resolverConcurrency": "20",
    "removal": "destroy",
}


class Verdict(NamedTuple):
    """What a rule says of a resource; `reason` of IAM5 begins with the pattern it found, in brackets."""

    rule: str
    resource: str
    compliance: str
    reason: str


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> list[Verdict]:
    """Verdicts on the stack as it ships."""
    return _verdicts(tmp_path_factory.mktemp("shipped"))


@pytest.fixture(scope="module")
def otherwise(tmp_path_factory: pytest.TempPathFactory) -> list[Verdict]:
    """Verdicts on a stack that attaches, removes and sends e-mail."""
    return _verdicts(tmp_path_factory.mktemp("otherwise"), **OTHERWISE)


def _verdicts(folder: Path, **changes: str) -> list[Verdict]:
    import cdk_nag

    checks = cdk_nag.AwsSolutionsChecks(reports=True, report_formats=[cdk_nag.NagReportFormat.JSON])
    (report,) = assembled(folder, checks, **changes).glob("*NagReport.json")
    return [
        Verdict(
            line["ruleId"].removeprefix("AwsSolutions-"),
            line["resourceId"],
            line["compliance"],
            line["exceptionReason"],
        )
        for line in json.loads(report.read_text())["lines"]
    ]


def _findings(verdicts: list[Verdict]) -> list[Verdict]:
    return [verdict for verdict in verdicts if verdict.compliance not in ("Compliant", "Suppressed")]


def test_the_stack_as_it_ships_has_no_finding(shipped: list[Verdict]) -> None:
    assert {verdict.compliance for verdict in shipped} == {"Compliant", "Suppressed"}
    assert not _findings(shipped)


def test_a_stack_that_attaches_and_removes_has_no_finding(otherwise: list[Verdict]) -> None:
    assert not _findings(otherwise)


def test_every_accepted_finding_is_still_found(shipped: list[Verdict], otherwise: list[Verdict]) -> None:
    wide = [verdict for verdict in (*shipped, *otherwise) if verdict.rule == "IAM5"]
    found = [re.match(r"\[Resource::(.+?)\] ", verdict.reason) for verdict in wide]
    suppressed = [verdict for verdict in shipped if verdict.compliance == "Suppressed"]
    patterns = {match[1] for match in found if match}
    assert [wild for wild in WILDCARDS if not any(re.fullmatch(wild, pattern) for pattern in patterns)] == []
    of_constructs = {rule for rules in CONSTRUCT_RULES.values() for rule in rules}
    assert {verdict.rule for verdict in suppressed} - {"IAM5"} - of_constructs == set(RULES)
    accepted = {(f"idp-finetuning/{path}/Resource", rule) for path, rules in CONSTRUCT_RULES.items() for rule in rules}
    assert accepted <= {(verdict.resource, verdict.rule) for verdict in suppressed}
