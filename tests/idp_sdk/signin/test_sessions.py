from __future__ import annotations

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from idp_sdk import IDPClient, Profiles, sign_in, sign_out
from idp_sdk.errors import NotSignedIn, SessionExpired
from tests.support.sdk.answers import user
from tests.support.sdk.cognito import refuses, signed_in
from tests.support.sdk.deployment import CONNECTION, Deployment

USER = "author@example.com"


class UserPool:
    """Hands out token-1, token-2, …; refuses the refresh where told to."""

    def __init__(self, deployment: Deployment, *, expires: int = 3600, refreshes: bool = True) -> None:
        self.deployment = deployment
        self.expires = expires
        self.refreshes = refreshes
        self.actions: list[str] = []
        self._lock = threading.Lock()
        self._number = 0
        deployment.cognito = self.answer

    def answer(self, action: str, given: dict[str, Any]) -> httpx.Response:
        flow = given.get("AuthFlow", action)
        with self._lock:
            self.actions.append(flow)
            if flow == "REFRESH_TOKEN_AUTH" and not self.refreshes:
                return refuses("NotAuthorizedException", "Refresh Token has been revoked")
            if action == "RevokeToken":
                return httpx.Response(200)
            self._number += 1
            self.deployment.tokens = {f"token-{self._number}"}
            return signed_in(
                self._number,
                expires=self.expires,
                refresh_token=None if flow == "REFRESH_TOKEN_AUTH" else "refresh-token-1",
            )


@pytest.fixture(autouse=True)
def _profile(deployment: Deployment) -> None:
    deployment.answers["getMyProfile"] = user()
    Profiles().save_connection("default", CONNECTION)


def client_of(deployment: Deployment, **given: Any) -> IDPClient:
    return IDPClient(http_client=deployment.client(), **given)


def test_a_client_uses_the_tokens_of_its_profile(deployment: Deployment) -> None:
    pool = UserPool(deployment)
    sign_in(USER, "Secret-1", http_client=deployment.client())
    assert client_of(deployment).users.me().email == USER
    assert pool.actions == ["USER_PASSWORD_AUTH"]


def test_a_token_is_refreshed_a_minute_before_it_ends_and_kept(deployment: Deployment) -> None:
    pool = UserPool(deployment, expires=59)
    sign_in(USER, "Secret-1", http_client=deployment.client())
    pool.expires = 3600
    for _ in range(3):
        client_of(deployment).users.me()
    assert pool.actions == ["USER_PASSWORD_AUTH", "REFRESH_TOKEN_AUTH"]


def test_a_renewed_token_that_cannot_be_kept_is_used_all_the_same(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    UserPool(deployment, expires=59)
    sign_in(USER, "Secret-1", http_client=deployment.client())

    def read_only(**options: object) -> object:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("tempfile.mkstemp", read_only)
    assert client_of(deployment).users.me().email == USER


def test_a_refused_token_is_renewed_once(deployment: Deployment) -> None:
    pool = UserPool(deployment)
    sign_in(USER, "Secret-1", http_client=deployment.client())
    client = client_of(deployment)
    deployment.tokens = set()
    client.users.me()
    assert pool.actions == ["USER_PASSWORD_AUTH", "REFRESH_TOKEN_AUTH"]


def test_a_renewed_token_that_is_refused_too_is_an_error(deployment: Deployment) -> None:
    pool = UserPool(deployment)
    sign_in(USER, "Secret-1", http_client=deployment.client())

    def refusing(request: httpx.Request) -> httpx.Response:
        response = deployment.handle(request)
        deployment.tokens = set()
        return response

    deployment.tokens = set()
    with pytest.raises(SessionExpired, match="idp-cli login"):
        IDPClient(http_client=httpx.Client(transport=httpx.MockTransport(refusing))).users.me()
    assert pool.actions.count("REFRESH_TOKEN_AUTH") == 1


def test_many_threads_refresh_once(deployment: Deployment) -> None:
    pool = UserPool(deployment)
    sign_in(USER, "Secret-1", http_client=deployment.client())
    client = client_of(deployment)
    deployment.tokens = set()
    barrier = threading.Barrier(8)

    def ask(_: int) -> str | None:
        barrier.wait()
        return client.users.me().email

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(ask, range(8))) == [USER] * 8
    assert pool.actions == ["USER_PASSWORD_AUTH", "REFRESH_TOKEN_AUTH"]


def test_a_revoked_sign_in_says_to_sign_in_again(deployment: Deployment) -> None:
    pool = UserPool(deployment, expires=10)
    sign_in(USER, "Secret-1", http_client=deployment.client())
    pool.refreshes = False
    with pytest.raises(SessionExpired, match=r"has ended\. Sign in again with: idp-cli login"):
        client_of(deployment).users.me()


def test_a_password_signs_in_when_needed_and_again_where_it_cannot_be_refreshed(deployment: Deployment) -> None:
    pool = UserPool(deployment, expires=10, refreshes=False)
    client = client_of(deployment, username=USER, password="Secret-1")
    assert pool.actions == []
    client.users.me()
    client.users.me()
    assert pool.actions == ["USER_PASSWORD_AUTH", "REFRESH_TOKEN_AUTH", "USER_PASSWORD_AUTH"]
    assert Profiles().tokens("default", CONNECTION) is None


def test_a_given_token_that_is_refused_cannot_be_renewed(deployment: Deployment) -> None:
    with pytest.raises(SessionExpired, match="does not accept the given token"):
        client_of(deployment, token="old").users.me()


def test_nobody_signed_in_is_told_how_to(deployment: Deployment) -> None:
    with pytest.raises(NotSignedIn, match="idp-cli login"):
        client_of(deployment).users.me()


def test_signing_out_removes_and_revokes_the_tokens(deployment: Deployment) -> None:
    pool = UserPool(deployment)
    sign_in(USER, "Secret-1", http_client=deployment.client())
    assert sign_out(http_client=deployment.client()) is True
    assert pool.actions[-1] == "RevokeToken"
    assert json.loads((Profiles().directory / "credentials.json").read_text()) == {"profiles": {}}
    with pytest.raises(NotSignedIn, match="Nobody is signed in with profile 'default'"):
        sign_out(http_client=deployment.client())


def test_signing_out_removes_the_tokens_also_where_cognito_does_not_answer(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    UserPool(deployment)
    sign_in(USER, "Secret-1", http_client=deployment.client())
    monkeypatch.setattr(time, "sleep", lambda _: None)
    deployment.cognito = lambda action, given: httpx.Response(503)
    assert sign_out(http_client=deployment.client()) is False
    assert Profiles().tokens("default", CONNECTION) is None


def test_a_client_that_still_runs_does_not_bring_signed_out_tokens_back(deployment: Deployment) -> None:
    UserPool(deployment, expires=10)
    sign_in(USER, "Secret-1", http_client=deployment.client())
    client = client_of(deployment)
    sign_out(http_client=deployment.client())
    client.users.me()
    assert Profiles().tokens("default", CONNECTION) is None
