"""A deployment that answers over a fake transport: Cognito, GraphQL and S3, as the SDK speaks to them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import httpx

from tests.support.cli import samples

GRAPHQL_URL = "https://api.example.com/graphql"
COGNITO_URL = "https://cognito-idp.us-east-1.amazonaws.com/"
S3_URL = "https://bucket.s3.amazonaws.com/"
CONNECTION = {
    "graphqlUrl": GRAPHQL_URL,
    "region": "us-east-1",
    "userPoolId": "us-east-1_pool",
    "userPoolClientId": "client",
}
OUTPUTS = {name[0].upper() + name[1:]: value for name, value in CONNECTION.items()}
PASSWORD = "Correct-horse-1"
TOKEN = "id-token-that-nobody-may-see"

Answer = Callable[[dict[str, Any]], Any]


class Refused(Exception):
    """The API refuses with this errorType and message."""

    def __init__(self, error_type: str, message: str) -> None:
        super().__init__(message)
        self.error_type = error_type
        self.message = message


class Deployment:
    """`fields` answers each GraphQL field from its variables; `challenges` are what Cognito asks after the password.

    `calls` holds fields and variables in order, `sent` the keys that S3 got.
    """

    def __init__(self) -> None:
        self.fields: dict[str, Answer] = samples.answers()
        self.challenges: list[dict[str, Any]] = []
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.answered: list[dict[str, Any]] = []
        self.down = False

    def client(self) -> httpx.Client:
        """An HTTP client that reaches nothing but this."""
        return httpx.Client(transport=httpx.MockTransport(self._handle))

    def called(self, field: str) -> dict[str, Any]:
        """The variables of the last call of a field."""
        return next(variables for name, variables in reversed(self.calls) if name == field)

    def _handle(self, request: httpx.Request) -> httpx.Response:
        if self.down:
            raise httpx.ConnectError("refused", request=request)
        if str(request.url) == GRAPHQL_URL:
            return self._graphql(request)
        if str(request.url) == COGNITO_URL:
            return self._cognito(request)
        request.read()
        return httpx.Response(204)

    def _graphql(self, request: httpx.Request) -> httpx.Response:
        if request.headers.get("Authorization") != TOKEN:
            body: dict[str, Any] = {"errors": [{"errorType": "UnauthorizedException", "message": "Token has expired."}]}
            return httpx.Response(401, json=body)
        given = json.loads(request.content)
        field = given["query"].partition("{ ")[2].split("(")[0].split()[0]
        self.calls.append((field, given["variables"]))
        try:
            return httpx.Response(200, json={"data": {field: self.fields[field](given["variables"])}})
        except Refused as refused:
            error = {"errorType": refused.error_type, "message": refused.message}
            return httpx.Response(200, json={"data": None, "errors": [error]})

    def _cognito(self, request: httpx.Request) -> httpx.Response:
        given = json.loads(request.content)
        action = request.headers["X-Amz-Target"].rpartition(".")[2]
        if action == "RevokeToken":
            return httpx.Response(200, json={})
        if action == "RespondToAuthChallenge":
            self.answered.append(given["ChallengeResponses"])
        elif given["AuthParameters"].get("PASSWORD", PASSWORD) != PASSWORD:
            body = {"__type": "NotAuthorizedException", "message": "Incorrect username or password."}
            return httpx.Response(400, json=body)
        if self.challenges:
            return httpx.Response(200, json={"Session": "s" * 20, **self.challenges.pop(0)})
        tokens = {"IdToken": TOKEN, "AccessToken": "a", "RefreshToken": "r", "ExpiresIn": 3600, "TokenType": "Bearer"}
        return httpx.Response(200, json={"AuthenticationResult": tokens, "ChallengeParameters": {}})


def credentials(expires_at: float | None = None) -> dict[str, Any]:
    """The content of credentials.json of a signed-in default profile."""
    tokens = {
        "username": "author@example.com",
        "id_token": TOKEN,
        "access_token": "a",
        "refresh_token": None,
        "expires_at": expires_at or time.time() + 3600,
    }
    return {"profiles": {"default": {"connection": CONNECTION, "tokens": tokens}}}
