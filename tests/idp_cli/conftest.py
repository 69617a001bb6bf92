"""Commands run against a deployment that exists only in the test."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from idp_cli.main import main
from idp_cli.session import Session
from tests.support.cli.deployment import CONNECTION, Deployment, credentials


class Ran(NamedTuple):
    """What a command did."""

    code: int
    out: str
    err: str


Run = Callable[..., Ran]


@pytest.fixture
def deployment() -> Deployment:
    return Deployment()


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty directory of profiles, and an environment that says nothing."""
    directory = tmp_path / "config"
    monkeypatch.setenv("IDP_CONFIG_DIR", str(directory))
    for name in ("PROFILE", "GRAPHQL_URL", "REGION", "USER_POOL_ID", "USER_POOL_CLIENT_ID", "COGNITO_ENDPOINT_URL"):
        monkeypatch.delenv(f"IDP_{name}", raising=False)
    for name in ("USERNAME", "PASSWORD", "TOKEN", "DEBUG"):
        monkeypatch.delenv(f"IDP_{name}", raising=False)
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return directory


@pytest.fixture
def anyone(deployment: Deployment, config: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command with no profile."""

    def run(*words: str) -> Ran:
        code = main(words, Session(http_client=deployment.client()))
        captured = capsys.readouterr()
        return Ran(code, captured.out, captured.err)

    return run


@pytest.fixture
def run(anyone: Run, config: Path) -> Run:
    """Runs a command signed in."""
    configure(config)
    return anyone


def configure(config: Path, expires_at: float | None = None) -> None:
    """A profile `default` that is signed in until then."""
    config.mkdir()
    (config / "config.json").write_text(json.dumps({"profiles": {"default": CONNECTION}}))
    (config / "credentials.json").write_text(json.dumps(credentials(expires_at)))


def lines(texts: Sequence[str]) -> str:
    """Lines as they are printed."""
    return "".join(f"{text}\n" for text in texts)
