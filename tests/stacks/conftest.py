"""Synthesizes the stack in this process: once as it ships, and anew for other options."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.stacks.deployed import Deployed

ROOT = Path(__file__).resolve().parents[2]

# jsii warns of every Node 20 in a box of twelve lines; the variable lists the versions it shall be silent about.
os.environ["JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION"] = "18,20"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keeps tests that share a synthesis, or the folder of bundles, in one worker of pytest-xdist."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            group = "bundles" if item.path.name == "test_bundles.py" else "stacks"
            item.add_marker(pytest.mark.xdist_group(group))


Synthesize = Callable[..., dict[str, Any]]


@pytest.fixture(scope="session")
def synthesize(tmp_path_factory: pytest.TempPathFactory) -> Synthesize:
    """Makes a template from cdk.json's context with changes; an empty folder stands in for the Lambda bundles."""
    # Importing CDK starts a Node process and takes seconds, which tests that need no template are spared.
    import aws_cdk

    from stacks.bundling import BundleName
    from stacks.finetuning_stack import FinetuningStack
    from stacks.options import read_options

    folder = tmp_path_factory.mktemp("bundle")
    (folder / "handler.py").write_text("")
    bundles: dict[BundleName, Path] = {"core": folder, "render": folder}
    shipped: dict[str, Any] = json.loads((ROOT / "cdk.json").read_text())["context"]

    def make(**changes: str) -> dict[str, Any]:
        # Paths of constructs, which the CDK CLI asks for too, are what tests call unnamed resources by.
        context = {**shipped, "aws:cdk:enable-path-metadata": True, **changes}
        assembly = tmp_path_factory.mktemp("assembly")
        app = aws_cdk.App(context=context, outdir=str(assembly), analytics_reporting=False)
        stack = FinetuningStack(app, options=read_options(context, {}), bundles=bundles)
        app.synth()
        template: dict[str, Any] = json.loads((assembly / f"{stack.stack_name}.template.json").read_text())
        return template

    return make


@pytest.fixture(scope="session")
def template(synthesize: Synthesize) -> dict[str, Any]:
    """The template as it ships."""
    return synthesize()


@pytest.fixture(scope="session")
def deployed(template: dict[str, Any]) -> Deployed:
    """The resources of the template as it ships."""
    return Deployed(template)


@pytest.fixture(scope="session")
def customized(synthesize: Synthesize) -> Deployed:
    """A deployment with every choice made that does not attach something; values are text, as `-c` gives them."""
    return Deployed(
        synthesize(
            namePrefix="acme",
            architecture="x86_64",
            alarmEmail="ops@example.com",
            removal="destroy",
            logRetentionDays="7",
            noncurrentVersionDays="5",
            mapConcurrency="200",
            trainingPollSeconds="600",
            deploymentPollSeconds="120",
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
