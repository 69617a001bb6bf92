"""No password, code, token or signature shows in any text the SDK makes: representations, errors with causes, logs."""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from idp_finetuning.test_sets.test_set import TestSetUpload
from idp_sdk import IDPClient, IDPError, Profiles, Tokens, fetch_tokens, sign_in, sign_out
from idp_sdk.signin.configuration import find_settings
from tests.support.sdk.answers import user
from tests.support.sdk.cognito import asks, refuses, signed_in
from tests.support.sdk.deployment import API_URL, CONNECTION, Deployment, Disturbance, Refusal
from tests.support.sdk.folders import tree
from tests.support.sdk.test_sets import TestSetTable

USER = "author@example.com"
PASSWORD = "Secret-Password-1"
ANSWER = "Secret-Answer-1"
SECRETS = (PASSWORD, ANSWER, "token-1", "token-2", "access-token", "refresh-token", "signed-policy")
TOKENS = Tokens.model_validate(
    {
        "username": USER,
        "id_token": "token-1",
        "access_token": "access-token-1",
        "refresh_token": "refresh-token-1",
        "expires_at": time.time() + 3600,
    }
)


class Texts:
    """Everything that was said."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def failing(self, call: Callable[[], object]) -> None:
        """Takes all of the error that a call raises, causes and contexts included."""
        with pytest.raises(IDPError) as caught:
            call()
        self.said += traceback.format_exception(caught.value)
        error: BaseException | None = caught.value
        while error is not None:
            self.said += [repr(error), str(error), f"{error.args}"]
            error = error.__cause__ or error.__context__


@pytest.fixture
def texts(caplog: pytest.LogCaptureFixture, recwarn: pytest.WarningsRecorder) -> Iterator[Texts]:
    """Collects; at the end no secret may be among what was collected, logged at any level or warned of."""
    caplog.set_level(logging.DEBUG)
    texts = Texts()
    yield texts
    said = [*texts.said, caplog.text, *(str(record.__dict__) for record in caplog.records), *map(str, recwarn)]
    everything = "\n".join(said)
    assert len(everything) > 200
    for secret in SECRETS:
        assert secret not in everything


def scripted(deployment: Deployment, *responses: httpx.Response) -> None:
    left = list(responses)

    def answer(action: str, given: dict[str, Any]) -> httpx.Response:
        return left.pop(0)

    deployment.cognito = answer


def test_nothing_that_holds_a_secret_shows_it(deployment: Deployment, texts: Texts) -> None:
    upload = {
        "key": "input/a.pdf",
        "present": False,
        "url": API_URL,
        "fields": [{"name": "policy", "value": "signed-policy"}],
    }
    given = find_settings(graphql_url=API_URL, username=USER, password=PASSWORD)
    with_token = find_settings(graphql_url=API_URL, token="token-1")
    client = IDPClient(graphql_url=API_URL, username=USER, password=PASSWORD, http_client=deployment.client())
    texts.said += [repr(value) for value in (TOKENS, given, with_token, client, TestSetUpload.model_validate(upload))]
    texts.said += [str(value) for value in (TOKENS, given, with_token, client, TestSetUpload.model_validate(upload))]
    texts.said += [repr(vars(client)), TOKENS.model_dump_json(), given.model_dump_json()]


def test_failures_of_a_sign_in_show_nothing(
    deployment: Deployment, texts: Texts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "sleep", lambda _: None)
    broken = {"IdToken": 5, "AccessToken": "access-token-1", "RefreshToken": "refresh-token-1", "ExpiresIn": 3600}

    def signing_in() -> object:
        return fetch_tokens(
            USER, PASSWORD, connection=CONNECTION, answer=lambda _: ANSWER, http_client=deployment.client(), retries=1
        )

    for responses in (
        [refuses("NotAuthorizedException", "Incorrect username or password.")],
        [asks("SOFTWARE_TOKEN_MFA"), *[refuses("CodeMismatchException", "Invalid code")] * 3],
        [asks("NEW_PASSWORD_REQUIRED"), *[refuses("InvalidPasswordException", "Too short")] * 3],
        [httpx.Response(503)] * 2,
    ):
        scripted(deployment, *responses)
        texts.failing(signing_in)
    # Not what Cognito answers by its shapes: sent past the check of them.
    http = httpx.Client(
        transport=httpx.MockTransport(lambda _: httpx.Response(200, json={"AuthenticationResult": broken}))
    )
    texts.failing(lambda: fetch_tokens(USER, PASSWORD, connection=CONNECTION, http_client=http))
    texts.failing(lambda: fetch_tokens(USER, PASSWORD, connection=CONNECTION.model_copy(update={"region": None})))


def test_a_whole_session_shows_nothing(
    deployment: Deployment, texts: Texts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "sleep", lambda _: None)
    profiles = Profiles()
    profiles.save_connection("default", CONNECTION)
    scripted(deployment, asks("SOFTWARE_TOKEN_MFA"), signed_in(1), signed_in(2, refresh_token=None))
    texts.said.append(repr(sign_in(USER, PASSWORD, answer=lambda _: ANSWER, http_client=deployment.client())))
    client = IDPClient(http_client=deployment.client())
    deployment.tokens = {"token-2"}
    deployment.answers["getMyProfile"] = user()
    client.users.me()

    deployment.answers["getFinetuningJob"] = [
        Refusal("InternalError"),
        Disturbance(httpx.ConnectError("refused")),
    ]
    texts.failing(lambda: client.finetuning.get_job("job-1"))
    texts.failing(lambda: client.finetuning.get_job("job-1"))
    TestSetTable(deployment)
    deployment.s3 = [httpx.Response(403, text="<Policy>signed-policy</Policy>")]
    folder = tree(tmp_path / "documents", "invoice/a.pdf")
    texts.failing(lambda: client.test_sets.upload(folder, name="docsplit"))

    scripted(deployment, refuses("NotAuthorizedException", "Refresh Token has been revoked"))
    deployment.tokens = set()
    texts.failing(client.users.me)
    scripted(deployment, refuses("UnsupportedTokenTypeException", "no"))
    assert sign_out(http_client=deployment.client()) is False
    assert "token-1" not in (profiles.directory / "credentials.json").read_text()


def test_httpx_and_a_real_server_show_nothing(texts: Texts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda _: None)
    with IDPClient(graphql_url="http://127.0.0.1:9/graphql", token="token-1") as client:
        texts.failing(client.users.me)
    nowhere = {"graphql_url": "http://127.0.0.1:9/graphql", "cognito_endpoint_url": "http://127.0.0.1:9"}
    away = CONNECTION.model_copy(update=nowhere)
    texts.failing(lambda: fetch_tokens(USER, PASSWORD, connection=away))
