"""A GraphQL client for the local runtime, with sign-in through Cognito; standard library only."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from typing import Any

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


def sign_in(connection: Connection, username: str, *, use: str = "IdToken") -> str:
    """The user's id token (`use` "AccessToken": access token), by InitiateAuth USER_PASSWORD_AUTH.

    Raises KeyError for a user that was not seeded and GraphQLError where Cognito refuses.
    """
    status, body = _post(
        f"{connection.aws_endpoint_url}/",
        {
            "AuthFlow": "USER_PASSWORD_AUTH",
            "ClientId": connection.user_pool_client_id,
            "AuthParameters": {"USERNAME": username, "PASSWORD": connection.user(username).password},
        },
        {
            "Content-Type": "application/x-amz-json-1.1",
            "X-Amz-Target": "AWSCognitoIdentityProviderService.InitiateAuth",
        },
    )
    if status != 200 or "AuthenticationResult" not in body:
        raise GraphQLError([{"errorType": body.get("__type", "SignInFailed"), "message": body.get("message")}])
    return str(body["AuthenticationResult"][use])


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
                self._token = sign_in(self._connection, self._username)
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
    return _post(url, {"query": query, "variables": variables}, headers)


def _post(url: str, content: Mapping[str, Any], headers: Mapping[str, str]) -> tuple[int, dict[str, Any]]:
    request = urllib.request.Request(url, json.dumps(content).encode(), dict(headers))  # noqa: S310 - our own address
    try:
        with _opener.open(request, timeout=_TIMEOUT_SECONDS) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)
