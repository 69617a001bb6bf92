"""A Cognito user pool by its public API, without an AWS library.

Source: https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/ (InitiateAuth,
RespondToAuthChallenge, RevokeToken).
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

import httpx
from pydantic import SecretStr

from idp_sdk.connection import Connection
from idp_sdk.errors import NotConfigured, ServerError, SessionExpired, SignInFailed, Throttled
from idp_sdk.sending import Retryable, Sender
from idp_sdk.signin.challenges import ANSWER_NAMES, Challenge, ChallengeName, read_challenge
from idp_sdk.signin.tokens import Tokens

ANSWER_ATTEMPTS = 3
_SERVICE = "AWSCognitoIdentityProviderService"
_THROTTLED = frozenset({"TooManyRequestsException", "LimitExceededException", "ThrottlingException"})
# Failures after which Cognito accepts another answer to the same challenge.
_WRONG_ANSWERS = frozenset({"InvalidPasswordException", "CodeMismatchException"})
_CHECK = "Check user name and password and sign in again; an Admin can set a new password."
_ADVICE = {
    "NotAuthorizedException": _CHECK,
    "UserNotFoundException": _CHECK,
    "PasswordResetRequiredException": "Ask an Admin to set a new password.",
    "UserNotConfirmedException": "Ask an Admin to confirm the user.",
    "ExpiredCodeException": "Sign in again and enter a new code.",
    "CodeMismatchException": "Sign in again and enter a new code.",
    "InvalidPasswordException": "Sign in again and choose a password that meets the pool's rules.",
}
# What NotAuthorizedException means besides a wrong password: how Cognito's sentence begins, and what to do.
_ADVICE_BY_REASON = {
    "Password attempts exceeded": "Wait some minutes and sign in again.",
    "User is disabled": "Ask an Admin to enable the user.",
    "Temporary password has expired": "Ask an Admin for a new one.",
    "Invalid session for the user": "Sign in again and answer within three minutes.",
}


class _Refusal(Exception):
    """Cognito's error: its name and sentence."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(name)
        self.name = name
        self.message = message


class Cognito:
    """The user pool of a connection."""

    def __init__(self, connection: Connection, sender: Sender) -> None:
        self._connection = connection
        self._sender = sender

    def sign_in(self, username: str, password: str, answer: Callable[[Challenge], str] | None) -> Tokens:
        """Return the user's tokens; `answer` is called with each challenge.

        Raises SignInFailed, and NotConfigured if the client or its region is not known, or the password would go
        elsewhere than the API.
        """
        try:
            given = {"USERNAME": username, "PASSWORD": password}
            outcome = self._call("InitiateAuth", self._initiate("USER_PASSWORD_AUTH", given))
            while "AuthenticationResult" not in outcome:
                outcome = self._answer_challenge(outcome, username, answer)
        except _Refusal as refusal:
            raise self._failure(refusal, username) from None
        return _tokens(outcome["AuthenticationResult"], username, None)

    def refresh(self, tokens: Tokens) -> Tokens:
        """Return renewed tokens of the same user. Raises SessionExpired if Cognito refuses."""
        if not tokens.refresh_token:
            raise SessionExpired("Your sign-in has ended. Sign in again with: idp-cli login")
        given = {"REFRESH_TOKEN": tokens.refresh_token.get_secret_value()}
        try:
            outcome = self._call("InitiateAuth", self._initiate("REFRESH_TOKEN_AUTH", given))
        except _Refusal as refusal:
            raise SessionExpired(
                "Your sign-in has ended. Sign in again with: idp-cli login", error_type=refusal.name
            ) from None
        return _tokens(outcome.get("AuthenticationResult"), tokens.username, tokens.refresh_token)

    def revoke(self, tokens: Tokens) -> None:
        """End the sign-in everywhere: revoke the refresh token and what was made with it. Raises ServerError."""
        if not tokens.refresh_token:
            return
        given = {"ClientId": self._client_id(), "Token": tokens.refresh_token.get_secret_value()}
        try:
            self._call("RevokeToken", given)
        except _Refusal as refusal:
            raise ServerError(
                f"The sign-in could not be revoked: {refusal.message} ({refusal.name}). It ends by itself.",
                error_type=refusal.name,
            ) from None

    def _answer_challenge(
        self, outcome: Mapping[str, Any], username: str, answer: Callable[[Challenge], str] | None
    ) -> Mapping[str, Any]:
        parameters = outcome.get("ChallengeParameters") or {}
        # Cognito's own name of the user: in a pool of e-mail addresses it is not what was typed.
        user = parameters.get("USER_ID_FOR_SRP") or username
        if outcome.get("ChallengeName") == "SELECT_MFA_TYPE":
            factors = json.loads(parameters.get("MFAS_CAN_CHOOSE") or "[]")
            app = ChallengeName.SOFTWARE_TOKEN_MFA
            chosen = app if app in factors else next(iter(factors), app)
            return self._respond(outcome, {"USERNAME": user, "ANSWER": chosen})
        challenge = read_challenge(outcome, username)
        if answer is None:
            raise SignInFailed(
                f"Cognito asks '{username}' for more than a password ({challenge.name}). Sign in with: idp-cli login"
            )
        attempts = 0
        while True:
            attempts += 1
            given = {"USERNAME": user, ANSWER_NAMES[challenge.name]: answer(challenge)}
            try:
                return self._respond(outcome, given)
            except _Refusal as refusal:
                if refusal.name not in _WRONG_ANSWERS or attempts == ANSWER_ATTEMPTS:
                    raise
                challenge = challenge.model_copy(update={"problem": refusal.message})

    def _respond(self, outcome: Mapping[str, Any], given: Mapping[str, str]) -> Mapping[str, Any]:
        return self._call(
            "RespondToAuthChallenge",
            {
                "ClientId": self._client_id(),
                "ChallengeName": outcome["ChallengeName"],
                "Session": outcome.get("Session"),
                "ChallengeResponses": given,
            },
            idempotent=False,
        )

    def _initiate(self, flow: str, given: Mapping[str, str]) -> dict[str, Any]:
        return {"AuthFlow": flow, "ClientId": self._client_id(), "AuthParameters": given}

    def _client_id(self) -> str:
        if not self._connection.user_pool_client_id:
            raise NotConfigured(
                "The client of the user pool is not known. Set IDP_USER_POOL_CLIENT_ID, or configure a profile with: "
                "idp-cli configure FILE"
            )
        return self._connection.user_pool_client_id

    def _call(self, action: str, given: Mapping[str, Any], *, idempotent: bool = True) -> Mapping[str, Any]:
        """Send a password or a token. Raises NotConfigured if it would go elsewhere than the API."""
        if reason := self._connection.foreign_address:
            raise NotConfigured(
                f"Nothing was sent: {reason}. Ask where the connection file comes from, and configure the profile "
                "again with the outputs of your stack."
            )
        content = json.dumps({name: value for name, value in given.items() if value is not None}).encode()
        headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": f"{_SERVICE}.{action}"}
        return self._sender.post(
            self._connection.cognito_url,
            _read,
            idempotent=idempotent,
            content=lambda: {"content": content},
            headers=headers,
        )

    def _failure(self, refusal: _Refusal, username: str) -> SignInFailed | NotConfigured:
        if refusal.name == "ResourceNotFoundException":
            return NotConfigured(
                "The user pool does not know the configured client. Configure the profile again with: "
                "idp-cli configure FILE",
                error_type=refusal.name,
            )
        reason = refusal.message.rstrip(".") if " " in refusal.message else refusal.name
        if refusal.name == "UserNotFoundException" or reason == "NotAuthorizedException":
            reason = "Incorrect username or password"  # does not say whether the user exists
        special = (advice for beginning, advice in _ADVICE_BY_REASON.items() if reason.startswith(beginning))
        advice = next(special, None) or _ADVICE.get(refusal.name, "Try again; if it keeps failing, ask an Admin.")
        return SignInFailed(f"'{username}' could not be signed in: {reason}. {advice}", error_type=refusal.name)


def _tokens(result: Any, username: str, refresh_token: SecretStr | None) -> Tokens:
    try:
        renewed = result.get("RefreshToken")
        return Tokens(
            username=username,
            id_token=result["IdToken"],
            access_token=result["AccessToken"],
            refresh_token=SecretStr(renewed) if renewed else refresh_token,
            expires_at=time.time() + result["ExpiresIn"],
        )
    except (KeyError, TypeError, AttributeError, ValueError):
        raise ServerError("Cognito's response has no tokens. Check the configured user pool client.") from None


def _read(response: httpx.Response) -> Mapping[str, Any]:
    try:
        body = response.json() if response.content else {}
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise ServerError(f"{response.url.host} returned HTTP status {response.status_code} and no Cognito response.")
    if response.is_success:
        return body
    name = str(body.get("__type") or response.headers.get("x-amzn-errortype") or response.status_code)
    name = name.rpartition("#")[2].partition(":")[0]
    if name in _THROTTLED:
        error = Throttled("Cognito gets too many requests. Try again in a while.", error_type=name)
        raise Retryable(error, refused=True)
    raise _Refusal(name, str(body.get("message") or body.get("Message") or ""))
