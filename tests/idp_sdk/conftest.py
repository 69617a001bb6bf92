"""A client of a deployment in memory, away from the profiles and the environment of whoever runs the tests."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from idp_sdk import IDPClient
from tests.support.sdk.deployment import Deployment


class Clock:
    """Time that passes only where something sleeps; `slept` holds each sleep in seconds."""

    def __init__(self) -> None:
        self.now = 1_000_000.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        """Passes."""
        self.slept.append(seconds)
        self.now += seconds

    def read(self) -> float:
        """Seconds."""
        return self.now


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("GRAPHQL_URL", "REGION", "USER_POOL_ID", "USER_POOL_CLIENT_ID", "COGNITO_ENDPOINT_URL"):
        monkeypatch.delenv(f"IDP_{name}", raising=False)
    for name in ("USERNAME", "PASSWORD", "TOKEN", "PROFILE"):
        monkeypatch.delenv(f"IDP_{name}", raising=False)
    monkeypatch.setenv("IDP_CONFIG_DIR", str(tmp_path / "profiles"))


@pytest.fixture
def deployment() -> Deployment:
    """The server side."""
    return Deployment()


@pytest.fixture
def client(deployment: Deployment) -> IDPClient:
    """A client that is signed in with a token."""
    return deployment.signed_in()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock everything of the SDK reads, and sleeps by."""
    clock = Clock()
    monkeypatch.setattr(time, "sleep", clock.sleep)
    monkeypatch.setattr(time, "monotonic", clock.read)
    return clock
