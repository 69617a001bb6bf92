"""Who is signed in: hands out valid id tokens to all threads, and signs profiles in and out."""

from __future__ import annotations

import threading
from collections.abc import Callable

import httpx

from idp_sdk.auth import open_client, sign_in
from idp_sdk.challenges import Challenge
from idp_sdk.cognito import Cognito
from idp_sdk.configuration import configured
from idp_sdk.errors import IDPError, NotSignedIn, SessionExpired
from idp_sdk.profiles import Profiles
from idp_sdk.sending import Sender
from idp_sdk.tokens import Tokens


class Session:
    """Answers id tokens that are valid for a minute or more; refreshes them under a lock.

    `sign_in` is used where there are no tokens or they cannot be refreshed; `renewed` is told of new ones.
    """

    def __init__(
        self,
        *,
        tokens: Tokens | None = None,
        refresh: Callable[[Tokens], Tokens] | None = None,
        sign_in: Callable[[], Tokens] | None = None,
        renewed: Callable[[Tokens], None] | None = None,
    ) -> None:
        self._tokens = tokens
        self._refresh = refresh
        self._sign_in = sign_in
        self._renewed = renewed
        self._lock = threading.Lock()

    def id_token(self, *, refused: str | None = None) -> str:
        """A valid id token, and another one than the server has `refused`.

        Raises NotSignedIn, SessionExpired, SignInFailed.
        """
        with self._lock:
            # Where another thread was refused the same token, it has been renewed by now.
            if not self._tokens or self._tokens.expiring or self._tokens.id_token.get_secret_value() == refused:
                self._tokens = self._new(self._tokens)
                if self._renewed:
                    self._renewed(self._tokens)
            return self._tokens.id_token.get_secret_value()

    def _new(self, tokens: Tokens | None) -> Tokens:
        if tokens and self._refresh:
            try:
                return self._refresh(tokens)
            except SessionExpired:
                if not self._sign_in:
                    raise
        if not self._sign_in:
            raise NotSignedIn("Nobody is signed in. Sign in with: idp-cli login; or set IDP_USERNAME and IDP_PASSWORD.")
        return self._sign_in()


class FixedSession(Session):
    """One token that somebody else has made; it cannot be renewed."""

    def __init__(self, token: str) -> None:
        super().__init__()
        self._token = token

    def id_token(self, *, refused: str | None = None) -> str:
        """The token. Raises SessionExpired once the server has refused it."""
        if refused is not None:
            raise SessionExpired("The server does not accept the given token. Give one that is valid, or sign in.")
        return self._token


def log_in(
    username: str,
    password: str,
    *,
    profile: str | None = None,
    answer: Callable[[Challenge], str] | None = None,
    http_client: httpx.Client | None = None,
) -> Tokens:
    """Signs a user in and keeps the tokens with the profile, for every later IDPClient.

    Raises NotConfigured, SignInFailed, ConnectionFailed, ServerError.
    """
    settings = configured(profile=profile)
    tokens = sign_in(username, password, connection=settings.connection, answer=answer, http_client=http_client)
    profiles = Profiles()
    if profiles.connection(settings.profile) is None:
        profiles.save_connection(settings.profile, settings.connection)
    profiles.save_tokens(settings.profile, settings.connection, tokens)
    return tokens


def log_out(*, profile: str | None = None, http_client: httpx.Client | None = None) -> bool:
    """Removes a profile's tokens and revokes them at Cognito; False where Cognito could not be asked to.

    Raises NotSignedIn where the profile has none.
    """
    settings = configured(profile=profile)
    profiles = Profiles()
    tokens = profiles.tokens(settings.profile, settings.connection)
    profiles.forget_tokens(settings.profile)
    if tokens is None:
        raise NotSignedIn(f"Nobody is signed in with profile '{settings.profile}'.")
    client = http_client or open_client(settings.connection.cognito_url, 20.0)
    try:
        Cognito(settings.connection, Sender(client, 1)).revoke(tokens)
    except IDPError:
        return False
    finally:
        if http_client is None:
            client.close()
    return True
