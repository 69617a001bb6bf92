"""Sends HTTP requests, again where that can help and does no harm."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx

from idp_sdk.errors import ConnectionFailed, IDPError, ServerError, Throttled
from idp_sdk.waiting import Deadline

FIRST_DELAY_SECONDS = 0.5
LONGEST_DELAY_SECONDS = 20.0
LONGEST_RETRY_AFTER_SECONDS = 60.0
LAST_ANSWER_SECONDS = 5.0

Answer = TypeVar("Answer")


class Again(Exception):
    """A failure that passes: `error` is raised where retries end; `refused` says that nothing was done."""

    def __init__(self, error: IDPError, *, refused: bool, after: float | None = None) -> None:
        super().__init__(error.message)
        self.error = error
        self.refused = refused
        self.after = after


class Sender:
    """Posts over one httpx client; repeats a failed request at most `retries` times, with growing random delays.

    A request that may have been carried out is only repeated where the caller says that it is `repeatable`.
    """

    def __init__(self, client: httpx.Client, retries: int) -> None:
        self._client = client
        self._retries = retries

    def post(
        self,
        url: str,
        read: Callable[[httpx.Response], Answer],
        *,
        repeatable: bool,
        content: Callable[[], Mapping[str, Any]],
        headers: Mapping[str, str] | None = None,
        deadline: Deadline | None = None,
    ) -> Answer:
        """What `read` makes of the response; `content` answers httpx's arguments anew for each attempt.

        `read` raises Again for failures that pass. Raises ConnectionFailed, ServerError, Throttled.
        """
        deadline = deadline or Deadline(None)
        attempt = 0
        while True:
            try:
                return self._once(url, read, {**content(), "headers": headers, "timeout": self._timeout(deadline)})
            except Again as failure:
                delay = failure.after if failure.after is not None else _delay(attempt)
                remaining = deadline.remaining
                hopeless = delay > LONGEST_RETRY_AFTER_SECONDS or (remaining is not None and delay >= remaining)
                if attempt >= self._retries or hopeless or not (repeatable or failure.refused):
                    raise failure.error from failure.__cause__
            deadline.sleep(delay)
            attempt += 1

    def _once(
        self,
        url: str,
        read: Callable[[httpx.Response], Answer],
        request: Mapping[str, Any],
    ) -> Answer:
        try:
            response = self._client.post(url, **request)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise Again(_unreachable(url, error), refused=True) from error
        except httpx.TimeoutException as error:
            problem = ConnectionFailed(f"{_host(url)} did not answer in time. Try again in a while.")
            raise Again(problem, refused=False) from error
        except httpx.HTTPError as error:
            raise Again(_unreachable(url, error), refused=False) from error
        if response.status_code == httpx.codes.TOO_MANY_REQUESTS:
            raise Again(_throttled(url), refused=True, after=_retry_after(response))
        if response.is_server_error:
            failed = ServerError(
                f"{_host(url)} failed with HTTP status {response.status_code}{request_id(response)}. Try again in a "
                "while; if it keeps failing, see the logs of the deployment."
            )
            raise Again(failed, refused=False, after=_retry_after(response))
        return read(response)

    def _timeout(self, deadline: Deadline) -> httpx.Timeout:
        """The client's, or what is left of the deadline, but time enough for a last answer."""
        whole, remaining = self._client.timeout, deadline.remaining
        if remaining is None or (whole.read is not None and whole.read <= remaining):
            return whole
        return httpx.Timeout(max(LAST_ANSWER_SECONDS, remaining))


def request_id(response: httpx.Response) -> str:
    """AWS's id of the request in brackets, or nothing."""
    found = response.headers.get("x-amzn-requestid") or response.headers.get("x-amz-request-id")
    return f" (request {found})" if found else ""


def _delay(attempt: int) -> float:
    """Full jitter: anything up to a bound that doubles."""
    return random.uniform(0, min(LONGEST_DELAY_SECONDS, FIRST_DELAY_SECONDS * 2**attempt))  # noqa: S311 - no secret


def _retry_after(response: httpx.Response) -> float | None:
    """Seconds the server asks to wait: a number or a date [RFC 9110, 10.2.3]."""
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
    # What our own side refuses to send is quoted in the error's text, headers included.
    reason = "" if isinstance(error, httpx.LocalProtocolError) else str(error)
    return ConnectionFailed(
        f"{_host(url)} could not be reached ({reason or type(error).__name__}). Check that it runs, the network and "
        "the address."
    )


def _throttled(url: str) -> Throttled:
    return Throttled(f"{_host(url)} is asked too often. Try again in a while.")
