"""Synthesizes the stack in this process: once as it ships, and anew for other options."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.stacks.deployed import Deployed
from tests.support.stacks.synthesis import assembled, shipped_template, template_in


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the groups, whatever folders are given
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep tests that share a synthesis in one worker of pytest-xdist."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.xdist_group("stacks"))


Synthesize = Callable[..., dict[str, Any]]


@pytest.fixture(scope="session")
def synthesize(tmp_path_factory: pytest.TempPathFactory) -> Synthesize:
    """Makes a template from cdk.json's context with changes."""
    return lambda **changes: template_in(assembled(tmp_path_factory.mktemp("synthesis"), **changes))


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The template as it ships."""
    return shipped_template(tmp_path_factory.getbasetemp())


@pytest.fixture(scope="session")
def deployed(template: dict[str, Any]) -> Deployed:
    """The resources of the template as it ships."""
    return Deployed(template)


@pytest.fixture(scope="session")
def customized(synthesize: Synthesize) -> Deployed:
    """A deployment with every option set that attaches nothing; values are text, as with `-c`."""
    return Deployed(
        synthesize(
            namePrefix="acme",
            architecture="x86_64",
            defaultScope="none",
            alarmEmail="ops@example.com",
            notificationSender="finetuning@example.com",
            removal="destroy",
            apiRequestsPerAddress="3000",
            resolverConcurrency="20",
            logRetentionDays="7",
            noncurrentVersionDays="5",
            mapConcurrency="200",
            trainingPollSeconds="600",
            deploymentPollSeconds="120",
            notStartedHours="6",
            trainingHours="72",
            deploymentHours="8",
        )
    )


@pytest.fixture(scope="session")
def attached(synthesize: Synthesize) -> Deployed:
    """A deployment beside an accelerator: its test-set bucket with its key, and its user pool."""
    return Deployed(
        synthesize(
            testSetBucketName="accelerator-test-sets",
            testSetBucketKmsKeyArn="arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab",
            userPoolId="us-east-1_AbCdEf123",
        )
    )
