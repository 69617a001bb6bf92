"""What a shell offers: ids of the deployment with their names, and nothing if it does not answer."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from idp_cli import completing
from idp_cli.session import Session
from tests.idp_cli.conftest import configure
from tests.support.cli import samples
from tests.support.cli.deployment import Deployment


@pytest.fixture
def context(config: Path, deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> click.Context:
    configure(config)
    monkeypatch.setattr("idp_sdk.client.open_client", lambda url, timeout: deployment.client())
    return click.Context(click.Command("status"), obj=Session())


def offered(
    complete: completing._Complete, context: click.Context, incomplete: str = ""
) -> list[tuple[str, str | None]]:
    return [(item.value, item.help) for item in complete(context, click.Argument(["job"]), incomplete)]


def test_ids_are_offered_with_their_names(context: click.Context) -> None:
    assert offered(completing.complete_jobs, context)[0][0] == samples.JOB_ID
    assert ("arn:my-classifier", "my-classifier") in offered(completing.complete_models, context, "arn:")
    assert offered(completing.complete_test_sets, context, "doc") == [("docsplit", "READY")]
    assert offered(completing.complete_versions, context, "nothing") == []


def test_a_deployment_that_does_not_answer_offers_nothing(
    context: click.Context, deployment: Deployment, capsys: pytest.CaptureFixture[str]
) -> None:
    deployment.down = True
    assert offered(completing.complete_jobs, context) == []
    assert capsys.readouterr() == ("", "")
