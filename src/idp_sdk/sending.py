"""Send HTTP requests over one client, with retries when they can help and do no harm."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx

from idp_sdk.connection import is_local
from idp_sdk.errors import ConnectionFailed, IDPError, NotConfigured, ServerError, Throttled
from idp_sdk.waiting import Deadline

FIRST_DELAY_SECONDS = 0.5
LONGEST_DELAY_SECONDS = 20.0
LONGEST_RETRY_AFTER_SECONDS = 60.0
LAST_RESPONSE_SECONDS = 5.0

Read = TypeVar("Read")


class Retryable(Exception):
    """A failure that may pass: `error` is raised when retries end; `refused` says that the server did nothing.

    `after` is the delay in seconds that the server asks for.
    """

    def __init__(self, error: IDPError, *, refused: bool, after: float | None = None) -> None:
        super().__init__(error.message)
        self.error = error
        self.refused = refused
        self.after = after


class Sender:
    """Posts over one httpx client; retries a failed request at most `retries` times, with growing random delays.

    A request that the server may have carried out is retried only if it is `idempotent`.
    """

    def __init__(self, client: httpx.Client, retries: int) -> None:
        self._client = client
        self._retries = retries

    def post(
        self,
        url: str,
        read: Callable[[httpx.Response], Read],
        *,
        idempotent: bool,
        content: Callable[[], Mapping[str, Any]],
        headers: Mapping[str, str] | None = None,
        deadline: Deadline | None = None,
    ) -> Read:
        """Return what `read` makes of the response; `content` returns httpx's arguments for an attempt.

        `read` raises Retryable for failures that may pass. Raises ConnectionFailed, ServerError, Throttled.
        """
        deadline = deadline or Deadline(None)
        attempt = 0
        while True:
            try:
                return self._post_once(url, read, {**content(), "headers": headers, "timeout": self._timeout(deadline)})
            except Retryable as failure:
                delay = failure.after if failure.after is not None else _delay(attempt)
                remaining = deadline.remaining
                too_late = delay > LONGEST_RETRY_AFTER_SECONDS or (remaining is not None and delay >= remaining)
                if attempt >= self._retries or too_late or not (idempotent or failure.refused):
                    raise failure.error from failure.__cause__
            deadline.sleep(delay)
            attempt += 1

    def _post_once(
        self,
        url: str,
        read: Callable[[httpx.Response], Read],
        request: Mapping[str, Any],
    ) -> Read:
        try:
            response = self._client.post(url, **request)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise Retryable(_unreachable(url, error), refused=True) from error
        except httpx.TimeoutException as error:
            problem = ConnectionFailed(f"{_host(url)} did not respond in time. Try again in a while.")
            raise Retryable(problem, refused=False) from error
        except httpx.HTTPError as error:
            raise Retryable(_unreachable(url, error), refused=False) from error
        if response.status_code == httpx.codes.TOO_MANY_REQUESTS:
            raise Retryable(_throttled(url), refused=True, after=_retry_after(response))
        if response.is_server_error:
            failed = ServerError(
                f"{_host(url)} failed with HTTP status {response.status_code}{request_id(response)}. Try again in a "
                "while; if it keeps failing, see the logs of the deployment."
            )
            raise Retryable(failed, refused=False, after=_retry_after(response))
        return read(response)

    def _timeout(self, deadline: Deadline) -> httpx.Timeout:
        """Return the client's, or what is left of the deadline, but long enough for a last response."""
        whole, remaining = self._client.timeout, deadline.remaining
        if remaining is None or (whole.read is not None and whole.read <= remaining):
            return whole
        return httpx.Timeout(max(LAST_RESPONSE_SECONDS, remaining))


def open_client(url: str, timeout: float) -> httpx.Client:
    """Open an HTTP client for a deployment; the environment's proxies are for the network, not for this machine.

    Raises NotConfigured if the environment names a proxy or certificates that cannot be used.
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


def request_id(response: httpx.Response) -> str:
    """Return AWS's id of the request in brackets, or nothing."""
    found = response.headers.get("x-amzn-requestid") or response.headers.get("x-amz-request-id")
    return f" (request {found})" if found else ""


def _delay(attempt: int) -> float:
    """Full jitter: anything up to a bound that doubles."""
    return random.uniform(0, min(LONGEST_DELAY_SECONDS, FIRST_DELAY_SECONDS * 2**attempt))  # noqa: S311 - no secret


def _retry_after(response: httpx.Response) -> float | None:
    """Seconds the server asks to wait: a number or a date (RFC 9110, section 10.2.3)."""
    value = response.headers.get("retry-after", "")
    if value.isdecimal():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, (moment.astimezone(UTC) - datetime.now(UTC)).total_seconds())


def _host(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _unreachable(url: str, error: httpx.HTTPError) -> ConnectionFailed:
    # A LocalProtocolError quotes what httpx refuses to send, headers included.
    reason = "" if isinstance(error, httpx.LocalProtocolError) else str(error)
    return ConnectionFailed(
        f"{_host(url)} could not be reached ({reason or type(error).__name__}). Check that it runs, the network and "
        "the address."
    )


def _throttled(url: str) -> Throttled:
    return Throttled(f"{_host(url)} gets too many requests. Try again in a while.")
