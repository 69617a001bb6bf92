"""A deployment in memory: the schema's API as AppSync answers it, Cognito and S3, behind one httpx transport."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from email import message_from_bytes
from hashlib import md5
from typing import Any

import httpx

from idp_local.api.execution import execute_request, read_request
from idp_local.api.responses import refuse_request
from idp_local.api.schema import Call, executable_schema
from idp_local.api.tokens import Caller
from idp_sdk import IDPClient
from idp_sdk.connection import Connection
from tests.support.docs_pages import ROOT
from tests.support.domain.service_model import problems

API_URL = "https://api.example.com/graphql"
BUCKET_URL = "https://bucket.s3.example.com/"
CONNECTION = Connection(graphql_url=API_URL, region="us-east-1", user_pool_client_id="client1")
COGNITO_HOST = "cognito-idp.us-east-1.amazonaws.com"

SCHEMA = executable_schema((ROOT / "graphql" / "schema.graphql").read_text(encoding="utf-8"))


class Refusal(Exception):
    """What the resolver refuses with: errorType and message."""

    def __init__(self, error_type: str, message: str = "It is so. Do otherwise.") -> None:
        super().__init__(message)
        self.error_type = error_type
        self.message = message


class Disturbance(Exception):
    """Stands before an operation: an HTTP response, or an error of the transport."""

    def __init__(self, happening: httpx.Response | httpx.TransportError) -> None:
        super().__init__()
        self.happening = happening


Answer = object | Callable[[dict[str, Any]], object]


class Deployment:
    """Answers operations from `answers`: a value, a function of the arguments, or an exception to raise.

    A list is used up from its beginning; its last item stays. `tokens` are the id tokens that are accepted, `groups`
    those of their user.
    """

    def __init__(self) -> None:
        self.answers: dict[str, Answer | list[Answer]] = {}
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.tokens = {"token-0"}
        self.groups: tuple[str, ...] = ("Admin",)
        self.objects: dict[str, bytes] = {}
        self.s3: list[httpx.Response | Exception] = []
        self.cognito: Callable[[str, dict[str, Any]], httpx.Response] = unexpected
        self._lock = threading.Lock()

    def client(self) -> httpx.Client:
        """A client whose every request comes here."""
        return httpx.Client(transport=httpx.MockTransport(self.handle))

    def signed_in(self) -> IDPClient:
        """A client of the SDK with a token."""
        return IDPClient(graphql_url=API_URL, token="token-0", http_client=self.client())

    def calls_of(self, field: str) -> list[dict[str, Any]]:
        """The arguments of every call of an operation."""
        return [arguments for name, arguments in self.calls if name == field]

    def handle(self, request: httpx.Request) -> httpx.Response:
        """What the deployment answers."""
        if request.url.host == COGNITO_HOST:
            return self._cognito(request)
        if str(request.url) == BUCKET_URL:
            return self._store(request)
        assert str(request.url) == API_URL
        if request.headers.get("Authorization") not in self.tokens:
            return httpx.Response(401, json=refuse_request("UnauthorizedException", "Token has expired."))
        happened: list[Disturbance] = []

        def invoke(event: dict[str, Any]) -> dict[str, Any]:
            with self._lock:
                self.calls.append((event["field"], event["arguments"]))
                given = self.answers[event["field"]]
                chosen = (given.pop(0) if len(given) > 1 else given[0]) if isinstance(given, list) else given
            try:
                if isinstance(chosen, Exception):
                    raise chosen
                return {"result": {"data": chosen(event["arguments"]) if callable(chosen) else chosen}}
            except Refusal as refusal:
                return {"result": {"error": {"type": refusal.error_type, "message": refusal.message}}}
            except Disturbance as disturbance:
                happened.append(disturbance)
                return {"result": {"data": None}}

        caller = Caller(sub="sub-1", username="user@example.com", groups=self.groups)
        body = execute_request(SCHEMA, read_request(request.read()), Call(caller, invoke))
        if happened:
            return _happen(happened[0].happening)
        return httpx.Response(200, json=body)

    def _store(self, request: httpx.Request) -> httpx.Response:
        form = form_of(request)
        with self._lock:
            happening = self.s3.pop(0) if self.s3 else None
            if happening is not None:
                return _happen(happening)
            assert list(form)[-1] == "file"
            self.objects[form["key"].decode()] = form["file"]
        return httpx.Response(204)

    def _cognito(self, request: httpx.Request) -> httpx.Response:
        action = request.headers["X-Amz-Target"].removeprefix("AWSCognitoIdentityProviderService.")
        given = json.loads(request.read())
        assert problems("cognito-idp", action, "input", given) == []
        response = self.cognito(action, given)
        if response.is_success:
            assert problems("cognito-idp", action, "output", response.json() if response.content else {}) == []
        return response

    def uploads(self, prefix: str) -> Callable[[dict[str, Any]], object]:
        """createTestSetUploads: present is what the bucket holds."""

        def create(arguments: dict[str, Any]) -> object:
            return [self._upload(f"{prefix}{file['key']}", file) for file in arguments["files"]]

        return create

    def _upload(self, key: str, file: Mapping[str, Any]) -> dict[str, Any]:
        content = self.objects.get(key)
        present = content is not None and md5(content).hexdigest() == file["md5"] and len(content) == file["size"]
        fields = [] if present else [{"name": "key", "value": key}, {"name": "policy", "value": "signed-policy"}]
        return {"key": file["key"], "present": present, "url": None if present else BUCKET_URL, "fields": fields}


def form_of(request: httpx.Request) -> dict[str, bytes]:
    """The fields of a multipart form, in their order."""
    head = f"Content-Type: {request.headers['Content-Type']}\r\n\r\n".encode()
    parts = [part for part in message_from_bytes(head + request.read()).walk() if not part.is_multipart()]
    name = "content-disposition"
    return {str(part.get_param("name", header=name)): bytes(part.get_payload(decode=True)) for part in parts}


def unexpected(action: str, given: dict[str, Any]) -> httpx.Response:
    """Where a test does not sign in."""
    raise AssertionError(f"unexpected call of Cognito: {action}")


def _happen(happening: httpx.Response | Exception) -> httpx.Response:
    if isinstance(happening, Exception):
        raise happening
    return happening
