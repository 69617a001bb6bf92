from __future__ import annotations

import socket
import threading
import traceback
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import boto3
import httpx
import pytest
from moto.server import ThreadedMotoServer

from idp_sdk import Challenge, ChallengeName, Connection, fetch_tokens
from idp_sdk.errors import ConnectionFailed, IDPError, NotConfigured, ServerError, SignInFailed, Throttled
from idp_sdk.sending import Sender, open_client
from idp_sdk.signin.cognito import Cognito
from tests.idp_sdk.conftest import Clock
from tests.support.sdk.cognito import asks, refuses, signed_in
from tests.support.sdk.deployment import API_URL, CONNECTION, Deployment

USER = "author@example.com"
PASSWORD = "Secret-Password-1"


class Asked:
    """Answers challenges in turn and remembers them."""

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)
        self.challenges: list[Challenge] = []

    def __call__(self, challenge: Challenge) -> str:
        self.challenges.append(challenge)
        return self.answers.pop(0)


def scripted(deployment: Deployment, *responses: httpx.Response) -> list[tuple[str, dict[str, Any]]]:
    """Cognito's next answers; the requests that were sent."""
    sent: list[tuple[str, dict[str, Any]]] = []
    left = list(responses)

    def answer(action: str, given: dict[str, Any]) -> httpx.Response:
        sent.append((action, given))
        return left.pop(0)

    deployment.cognito = answer
    return sent


def signing_in(deployment: Deployment, answer: Callable[[Challenge], str] | None = None) -> Any:
    return fetch_tokens(USER, PASSWORD, connection=CONNECTION, answer=answer, http_client=deployment.client())


def test_a_password_is_enough_where_nothing_else_is_asked(deployment: Deployment) -> None:
    sent = scripted(deployment, signed_in(1))
    tokens = signing_in(deployment)
    assert tokens.username == USER
    assert tokens.id_token.get_secret_value() == "token-1"
    assert tokens.refresh_token.get_secret_value() == "refresh-token-1"
    assert not tokens.expiring
    assert sent == [
        (
            "InitiateAuth",
            {
                "AuthFlow": "USER_PASSWORD_AUTH",
                "ClientId": "client1",
                "AuthParameters": {"USERNAME": USER, "PASSWORD": PASSWORD},
            },
        )
    ]


@pytest.mark.parametrize(
    ("name", "answer", "parameters", "prompt"),
    [
        ("NEW_PASSWORD_REQUIRED", "NEW_PASSWORD", {"requiredAttributes": "[]"}, "New password"),
        ("SOFTWARE_TOKEN_MFA", "SOFTWARE_TOKEN_MFA_CODE", {}, "Code of your authenticator app"),
        ("SMS_MFA", "SMS_MFA_CODE", {"CODE_DELIVERY_DESTINATION": "+*******34"}, "Code sent to +*******34"),
        ("EMAIL_OTP", "EMAIL_OTP_CODE", {"CODE_DELIVERY_DESTINATION": "a***@e***"}, "Code sent to a***@e***"),
    ],
)
def test_a_challenge_is_answered(
    deployment: Deployment, name: str, answer: str, parameters: dict[str, str], prompt: str
) -> None:
    sent = scripted(deployment, asks(name, USER_ID_FOR_SRP="uuid-1", **parameters), signed_in())
    asked = Asked("123456")
    signing_in(deployment, asked)
    (challenge,) = asked.challenges
    assert (challenge.name, challenge.username, challenge.prompt) == (name, USER, prompt)
    assert sent[1] == (
        "RespondToAuthChallenge",
        {
            "ClientId": "client1",
            "ChallengeName": name,
            "Session": "s" * 20,
            "ChallengeResponses": {"USERNAME": "uuid-1", answer: "123456"},
        },
    )


def test_one_challenge_may_follow_another(deployment: Deployment) -> None:
    sent = scripted(deployment, asks("NEW_PASSWORD_REQUIRED"), asks("SOFTWARE_TOKEN_MFA", "t" * 20), signed_in())
    asked = Asked("New-Password-1", "123456")
    signing_in(deployment, asked)
    assert [challenge.name for challenge in asked.challenges] == ["NEW_PASSWORD_REQUIRED", "SOFTWARE_TOKEN_MFA"]
    assert sent[2][1]["Session"] == "t" * 20


def test_the_authenticator_app_is_chosen_among_second_factors(deployment: Deployment) -> None:
    choice = asks("SELECT_MFA_TYPE", MFAS_CAN_CHOOSE='["SMS_MFA", "SOFTWARE_TOKEN_MFA"]')
    sent = scripted(deployment, choice, asks("SOFTWARE_TOKEN_MFA"), signed_in())
    signing_in(deployment, Asked("123456"))
    assert sent[1][1]["ChallengeResponses"] == {"USERNAME": USER, "ANSWER": "SOFTWARE_TOKEN_MFA"}


def test_a_wrong_answer_is_asked_for_again_with_the_reason(deployment: Deployment) -> None:
    wrong = refuses("CodeMismatchException", "Invalid code received for user")
    scripted(deployment, asks("SOFTWARE_TOKEN_MFA"), wrong, signed_in())
    asked = Asked("111111", "222222")
    signing_in(deployment, asked)
    assert [challenge.problem for challenge in asked.challenges] == [None, "Invalid code received for user"]


def test_a_third_wrong_answer_ends_the_sign_in(deployment: Deployment) -> None:
    weak = refuses("InvalidPasswordException", "Password did not conform with policy: Password not long enough")
    sent = scripted(deployment, asks("NEW_PASSWORD_REQUIRED"), weak, weak, weak)
    with pytest.raises(SignInFailed, match=r"not long enough\. Sign in again and choose a password"):
        signing_in(deployment, Asked("a", "b", "c"))
    assert len(sent) == 4


@pytest.mark.parametrize(
    ("challenge", "sentence"),
    [
        ("MFA_SETUP", "has to set up a second factor first, which this client cannot do"),
        ("DEVICE_SRP_AUTH", "asks 'author@example.com' for DEVICE_SRP_AUTH, which this client cannot answer"),
    ],
)
def test_what_cannot_be_answered_is_a_sentence(deployment: Deployment, challenge: str, sentence: str) -> None:
    scripted(deployment, asks(challenge))
    with pytest.raises(SignInFailed, match=sentence):
        signing_in(deployment, Asked())


def test_a_program_is_told_to_sign_in_by_hand_where_more_than_a_password_is_asked(deployment: Deployment) -> None:
    scripted(deployment, asks("NEW_PASSWORD_REQUIRED"))
    with pytest.raises(SignInFailed, match="idp-cli login"):
        signing_in(deployment)


@pytest.mark.parametrize(
    ("response", "kind", "sentence"),
    [
        (
            refuses("NotAuthorizedException", "Incorrect username or password."),
            SignInFailed,
            "could not be signed in: Incorrect username or password. Check user name and password",
        ),
        (refuses("UserNotFoundException", "User does not exist."), SignInFailed, "Incorrect username or password."),
        (refuses("PasswordResetRequiredException"), SignInFailed, "Ask an Admin to set a new password."),
        (refuses("UserNotConfirmedException", "User is not confirmed."), SignInFailed, "Ask an Admin to confirm"),
        (refuses("NotAuthorizedException", "User is disabled."), SignInFailed, "Ask an Admin to enable the user."),
        (
            refuses("NotAuthorizedException", "Password attempts exceeded"),
            SignInFailed,
            "Password attempts exceeded. Wait some minutes and sign in again.",
        ),
        (refuses("ResourceNotFoundException", "no client"), NotConfigured, "does not know the configured client"),
        (httpx.Response(200, json={"AuthenticationResult": {}}), ServerError, "has no tokens"),
        (httpx.Response(403, text="<html>"), ServerError, "and no Cognito response"),
    ],
)
def test_a_refused_sign_in_says_what_to_do(
    deployment: Deployment, response: httpx.Response, kind: type[IDPError], sentence: str
) -> None:
    scripted(deployment, response)
    with pytest.raises(kind) as caught:
        signing_in(deployment)
    assert sentence in caught.value.message
    assert PASSWORD not in caught.value.message


def test_cognitos_throttling_is_waited_out(deployment: Deployment, clock: Clock) -> None:
    busy = refuses("TooManyRequestsException", "Rate exceeded")
    scripted(deployment, busy, busy, signed_in())
    signing_in(deployment)
    assert len(clock.slept) == 2
    scripted(deployment, *[busy] * 9)
    with pytest.raises(Throttled):
        signing_in(deployment)


def test_a_code_is_not_sent_twice_where_it_may_have_arrived(deployment: Deployment, clock: Clock) -> None:
    sent = scripted(deployment, asks("SOFTWARE_TOKEN_MFA"), httpx.Response(500), signed_in())
    with pytest.raises(ServerError):
        signing_in(deployment, Asked("123456"))
    assert len(sent) == 2


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("ALL_PROXY", "socks5://user:secret@127.0.0.1:9"),
        ("HTTPS_PROXY", "ftp://user:secret@127.0.0.1:9"),
        ("SSL_CERT_FILE", "/nonexistent/secret.pem"),
    ],
)
def test_a_proxy_or_certificates_that_cannot_be_used_are_told_without_their_address(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(NotConfigured, match="HTTPS_PROXY") as caught:
        open_client(API_URL, 1.0)
    assert "secret" not in "".join(traceback.format_exception(caught.value))


def test_proxies_are_for_the_network_and_not_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        free = unused.getsockname()[1]
    with ThreadingHTTPServer(("127.0.0.1", 0), Recorder) as proxy:
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        for variable in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(variable, f"http://127.0.0.1:{proxy.server_address[1]}")
        Recorder.asked.clear()
        for url in (f"http://127.0.0.1:{free}/graphql", "https://api.example.com/graphql"):
            with open_client(url, 5.0) as client, pytest.raises(httpx.HTTPError):
                client.post(url)
        proxy.shutdown()
    assert Recorder.asked == ["CONNECT api.example.com:443"]


class Recorder(BaseHTTPRequestHandler):
    """A proxy that leads nowhere."""

    asked: ClassVar[list[str]] = []

    def do_CONNECT(self) -> None:
        self.asked.append(f"CONNECT {self.path}")
        self.send_error(502)

    def do_POST(self) -> None:
        self.asked.append(f"POST {self.path}")
        self.send_error(502)

    def log_message(self, *args: object) -> None:
        """Says nothing."""


def test_a_connection_without_a_client_cannot_sign_in(deployment: Deployment) -> None:
    bare = Connection(graphql_url=API_URL, region="us-east-1")
    with pytest.raises(NotConfigured, match="IDP_USER_POOL_CLIENT_ID"):
        fetch_tokens(USER, PASSWORD, connection=bare, http_client=deployment.client())


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="module")
def cognito(moto: str) -> Any:
    return boto3.client(
        "cognito-idp",
        region_name="us-east-1",
        endpoint_url=moto,
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )


@pytest.fixture(scope="module")
def pool(moto: str, cognito: Any) -> Connection:
    pool_id = cognito.create_user_pool(PoolName="p", UsernameAttributes=["email"])["UserPool"]["Id"]
    client = cognito.create_user_pool_client(
        UserPoolId=pool_id,
        ClientName="c",
        ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
    )["UserPoolClient"]
    return Connection(
        graphql_url="http://127.0.0.1:9/graphql",
        region="us-east-1",
        user_pool_id=pool_id,
        user_pool_client_id=client["ClientId"],
        cognito_endpoint_url=moto,
    )


def test_an_invited_user_sets_a_password_and_signs_in_with_it(cognito: Any, pool: Connection) -> None:
    cognito.admin_create_user(UserPoolId=pool.user_pool_id, Username="new@example.com", TemporaryPassword="Temporary-1")
    asked = Asked("Chosen-Password-1")
    first = fetch_tokens("new@example.com", "Temporary-1", connection=pool, answer=asked)
    assert [challenge.name for challenge in asked.challenges] == [ChallengeName.NEW_PASSWORD_REQUIRED]

    again = fetch_tokens("new@example.com", "Chosen-Password-1", connection=pool)
    assert first.id_token != again.id_token
    with httpx.Client() as client:
        refreshed = Cognito(pool, Sender(client, 0)).refresh(again)
    assert refreshed.refresh_token == again.refresh_token
    assert not refreshed.expiring


def test_a_wrong_password_is_refused(cognito: Any, pool: Connection) -> None:
    cognito.admin_create_user(
        UserPoolId=pool.user_pool_id, Username="other@example.com", TemporaryPassword="Temporary-1"
    )
    for username in ("other@example.com", "nobody@example.com"):
        with pytest.raises(SignInFailed, match=f"'{username}' could not be signed in: Incorrect username or password"):
            fetch_tokens(username, "Wrong-Password-1", connection=pool)


def test_a_server_that_is_down_is_told(pool: Connection) -> None:
    away = pool.model_copy(update={"cognito_endpoint_url": "http://127.0.0.1:9"})
    with pytest.raises(ConnectionFailed, match="could not be reached"):
        fetch_tokens(USER, PASSWORD, connection=away, retries=0)
