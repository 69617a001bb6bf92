"""Raw GraphQL on a local runtime as one of its users: for what the client library cannot say, and for refusals."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from typing import Any

from idp_local.client import tokens_of
from idp_local.connection import Connection

_TIMEOUT_SECONDS = 60
# Proxies are for the network; nothing here leaves the machine.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class GraphQLError(Exception):
    """The API refused; `errors` as it sent them, the text being the first error's type and message."""

    def __init__(self, errors: Sequence[Mapping[str, Any]]) -> None:
        first = errors[0] if errors else {}
        super().__init__(f"{first.get('errorType') or 'Error'}: {first.get('message')}")
        self.errors = tuple(errors)

    @property
    def error_type(self) -> str | None:
        """The first error's type, for example TestSetInvalid."""
        return self.errors[0].get("errorType") if self.errors else None


class GraphQLClient:
    """Sends operations as one seeded user; signs in when first needed, and again once the token has expired."""

    def __init__(self, connection: Connection, username: str) -> None:
        self._connection = connection
        self._username = username
        self._token: str | None = None

    def execute(self, query: str, variables: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The answer's `data`. Raises GraphQLError where the answer has errors."""
        body = self.answer(query, variables)
        if body.get("errors"):
            raise GraphQLError(body["errors"])
        data: dict[str, Any] = body["data"]
        return data

    def answer(self, query: str, variables: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The whole answer: `data`, `errors`."""
        for attempt in range(2):
            if self._token is None:
                self._token = tokens_of(self._connection, self._username).id_token.get_secret_value()
            status, body = post_graphql(self._connection.graphql_url, query, variables, self._token)
            if status != 401 or attempt:
                break
            self._token = None
        return body


def post_graphql(
    url: str, query: str, variables: Mapping[str, Any] | None, token: str | None
) -> tuple[int, dict[str, Any]]:
    """HTTP status and body of one request; without a token no Authorization header is sent."""
    headers = {"Content-Type": "application/json", **({"Authorization": token} if token else {})}
    content = json.dumps({"query": query, "variables": variables}).encode()
    try:
        with _opener.open(urllib.request.Request(url, content, headers), timeout=_TIMEOUT_SECONDS) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)
