"""Sign a user in and out."""

from __future__ import annotations

from collections.abc import Callable

import httpx

from idp_sdk.connection import Connection
from idp_sdk.errors import IDPError, NotSignedIn
from idp_sdk.sending import Sender, open_client
from idp_sdk.signin.challenges import Challenge
from idp_sdk.signin.cognito import Cognito
from idp_sdk.signin.configuration import find_settings
from idp_sdk.signin.profiles import Profiles
from idp_sdk.signin.tokens import Tokens

REVOKE_TIMEOUT_SECONDS = 20.0


def sign_in(
    username: str,
    password: str,
    *,
    profile: str | None = None,
    answer: Callable[[Challenge], str] | None = None,
    http_client: httpx.Client | None = None,
) -> Tokens:
    """Sign a user in and keep the tokens with the profile, for every later IDPClient.

    `answer` is called with each Challenge (a new password, a code), at most three times each, and returns what the
    user says; without it a challenge is a SignInFailed.
    Raises NotConfigured, SignInFailed, ConnectionFailed, ServerError.
    """
    settings = find_settings(profile=profile)
    tokens = fetch_tokens(username, password, connection=settings.connection, answer=answer, http_client=http_client)
    profiles = Profiles()
    if profiles.connection(settings.profile) is None:
        profiles.save_connection(settings.profile, settings.connection)
    profiles.save_tokens(settings.profile, settings.connection, tokens)
    return tokens


def sign_out(*, profile: str | None = None, http_client: httpx.Client | None = None) -> bool:
    """Remove a profile's tokens and revoke them at Cognito; return False if they could not be revoked.

    Raises NotSignedIn if the profile has no tokens.
    """
    settings = find_settings(profile=profile)
    profiles = Profiles()
    tokens = profiles.tokens(settings.profile, settings.connection)
    profiles.forget_tokens(settings.profile)
    if tokens is None:
        raise NotSignedIn(f"Nobody is signed in with profile '{settings.profile}'.")
    client = http_client or open_client(settings.connection.cognito_url, REVOKE_TIMEOUT_SECONDS)
    try:
        Cognito(settings.connection, Sender(client, 1)).revoke(tokens)
    except IDPError:
        return False
    finally:
        if http_client is None:
            client.close()
    return True


def fetch_tokens(
    username: str,
    password: str,
    *,
    connection: Connection,
    answer: Callable[[Challenge], str] | None = None,
    timeout: float = 60.0,
    retries: int = 4,
    http_client: httpx.Client | None = None,
) -> Tokens:
    """Sign a user in at the connection's user pool and return the tokens, without keeping them.

    `answer` is the one of `sign_in`. Raises SignInFailed, NotConfigured, ConnectionFailed, ServerError.
    """
    client = http_client or open_client(connection.cognito_url, timeout)
    try:
        return Cognito(connection, Sender(client, retries)).sign_in(username, password, answer)
    finally:
        if http_client is None:
            client.close()
