"""Signs a user in."""

from __future__ import annotations

from collections.abc import Callable

import httpx

from idp_sdk.challenges import Challenge
from idp_sdk.cognito import Cognito
from idp_sdk.connection import Connection, is_local
from idp_sdk.sending import Sender
from idp_sdk.tokens import Tokens


def sign_in(
    username: str,
    password: str,
    *,
    connection: Connection,
    answer: Callable[[Challenge], str] | None = None,
    timeout: float = 60.0,
    retries: int = 4,
    http_client: httpx.Client | None = None,
) -> Tokens:
    """Tokens of a user of the connection's user pool.

    `answer` is called with each Challenge (a new password, a code) and answers it, at most three times each. Without
    it a challenge is a SignInFailed. Raises SignInFailed, NotConfigured, ConnectionFailed, ServerError.
    """
    client = http_client or open_client(connection.cognito_url, timeout)
    try:
        return Cognito(connection, Sender(client, retries)).sign_in(username, password, answer)
    finally:
        if http_client is None:
            client.close()


def open_client(url: str, timeout: float) -> httpx.Client:
    """An HTTP client for a deployment; proxies of the environment are for the network, not for this machine."""
    return httpx.Client(timeout=httpx.Timeout(timeout, connect=min(10.0, timeout)), trust_env=not is_local(url))
