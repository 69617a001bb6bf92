"""Signs a user in."""

from __future__ import annotations

from collections.abc import Callable

import httpx

from idp_sdk.challenges import Challenge
from idp_sdk.cognito import Cognito
from idp_sdk.connection import Connection, is_local
from idp_sdk.errors import NotConfigured
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
    """An HTTP client for a deployment; proxies of the environment are for the network, not for this machine.

    Raises NotConfigured where the environment names a proxy or certificates that cannot be used.
    """
    waits = httpx.Timeout(timeout, connect=min(10.0, timeout))
    try:
        return httpx.Client(timeout=waits, trust_env=not is_local(url))
    except (ImportError, ValueError, OSError, httpx.InvalidURL):
        # Without its cause: a proxy's address may hold a password.
        raise NotConfigured(
            "The proxy or the certificates that the environment names cannot be used. Correct HTTPS_PROXY and "
            "ALL_PROXY (http:// or https://, no SOCKS), SSL_CERT_FILE and SSL_CERT_DIR."
        ) from None
