"""Call operations of the GraphQL API as the signed-in user."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

import httpx

from idp_finetuning.text import why_unsendable
from idp_sdk.documents import Operation
from idp_sdk.errors import InvalidInput, ServerError, SessionExpired, Throttled, error_for
from idp_sdk.results import Item, Page
from idp_sdk.sending import Retryable, Sender, request_id
from idp_sdk.signin.sessions import Session
from idp_sdk.waiting import Deadline

MAXIMUM_PAGE = 100

Result = TypeVar("Result")


class Api:
    """One deployment's API; many threads may use it at once."""

    def __init__(self, url: str, sender: Sender, session: Session) -> None:
        self._url = url
        self._sender = sender
        self._session = session

    def call(
        self,
        operation: Operation[Result],
        variables: Mapping[str, Any] | None = None,
        *,
        deadline: Deadline | None = None,
    ) -> Result:
        """Return the operation's result. Raises the error that the response names, see `idp_sdk.errors`."""
        token = self._session.id_token()
        try:
            return operation.read(self._send(operation, variables or {}, token, deadline))
        except SessionExpired:
            renewed = self._session.id_token(refused=token)
            return operation.read(self._send(operation, variables or {}, renewed, deadline))

    def items(self, operation: Operation[Page[Item]], variables: Mapping[str, Any], page_size: int) -> Iterator[Item]:
        """Yield the items of all pages; a page is fetched when the first of its items is asked for."""
        token: str | None = None
        while True:
            page = self.call(operation, {**variables, "limit": min(page_size, MAXIMUM_PAGE), "nextToken": token})
            yield from page.items
            token = page.next_token
            if token is None:
                return

    def _send(
        self, operation: Operation[Any], variables: Mapping[str, Any], token: str, deadline: Deadline | None
    ) -> object:
        if reason := why_unsendable(variables):
            raise InvalidInput(reason)
        body = {"query": operation.document, "variables": variables}
        return self._sender.post(
            self._url,
            lambda response: _data_of(response, operation.field),
            idempotent=operation.idempotent,
            content=lambda: {"json": body},
            headers={"Authorization": token},
            deadline=deadline,
        )


def _data_of(response: httpx.Response, field: str) -> object:
    try:
        body = response.json()
    except ValueError:
        body = None
    if not isinstance(body, dict) or not ("data" in body or "errors" in body):
        raise ServerError(
            f"{response.url.host} returned HTTP status {response.status_code} and no GraphQL response"
            f"{request_id(response)}. Check that the configured graphqlUrl is the API's."
        )
    if errors := body.get("errors"):
        first = errors[0] if isinstance(errors, list) and isinstance(errors[0], dict) else {}
        error_type = first.get("errorType")
        if response.status_code == httpx.codes.UNAUTHORIZED:
            error_type = error_type or "UnauthorizedException"
        error = error_for(error_type, _message_for(error_type, str(first.get("message") or ""), field))
        if isinstance(error, Throttled):
            raise Retryable(error, refused=error_type != "TransientError")
        raise error
    data = body.get("data")
    if not isinstance(data, dict) or field not in data:
        raise ServerError(f"The server's response to {field} has no data{request_id(response)}. Try again.")
    return data[field]


def _message_for(error_type: str | None, message: str, field: str) -> str:
    """Return the API's message, or what to do if it is one of AppSync's own, which do not say it."""
    if error_type == "UnauthorizedException":
        return f"The API does not accept the sign-in: {message.rstrip('.')}. Sign in again with: idp-cli login"
    if message.startswith("Not Authorized to access"):
        return f"Your groups do not allow {field}. Ask an Admin for a group that does."
    return message or f"The server refused {field} and gave no reason. See the logs of the deployment."


def without_none(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments that were given: the API has the defaults of the others."""
    return {name: value for name, value in given.items() if value is not None}
