"""Replaces moto's Lambda invocation by the functions of the local runtime."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, NamedTuple

import urllib3
from moto.awslambda.exceptions import LambdaClientError, UnknownFunctionException
from moto.awslambda_simple.models import LambdaSimpleBackend
from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils

_AUTHORIZATION = "AWS4-HMAC-SHA256 Credential=local"
_TYPE = "X-Amz-Invocation-Type"
_ERROR = "X-Amz-Function-Error"
_RATE_EXCEEDED = "Rate Exceeded."


class _Response(NamedTuple):
    payload: bytes
    function_error: str | None


class _Throttled(LambdaClientError):
    code = HTTPStatus.TOO_MANY_REQUESTS

    def __init__(self) -> None:
        super().__init__("TooManyRequestsException", _RATE_EXCEEDED)


class _FunctionClient:
    def __init__(self, url: str) -> None:
        self._url = url
        # No read timeout: every function has a timeout of its own.
        self._connections = urllib3.PoolManager(maxsize=64, timeout=urllib3.Timeout(connect=5, read=None))

    def invoke(self, name: str, event: bytes | str, invocation_type: str = "RequestResponse") -> _Response:
        response = self._connections.request(
            "POST",
            f"{self._url}/2015-03-31/functions/{name}/invocations",
            body=event,
            headers={"Authorization": _AUTHORIZATION, _TYPE: invocation_type},
            retries=False,
        )
        if response.status == HTTPStatus.NOT_FOUND:
            raise UnknownFunctionException(name)
        if response.status == HTTPStatus.TOO_MANY_REQUESTS:
            raise _Throttled
        return _Response(response.data, response.headers.get(_ERROR))


def route_invocations_to(url: str) -> None:
    """Patch moto: Invoke and the Tasks of state machines run the functions served at `url`."""
    client = _FunctionClient(url)

    def invoke(
        _backend: LambdaSimpleBackend,
        function_name: str,
        _qualifier: str | None,
        body: Any,
        headers: Mapping[str, str],
        response_headers: dict[str, str],
    ) -> bytes:
        response = client.invoke(function_name, body or b"{}", headers.get(_TYPE) or "RequestResponse")
        if response.function_error:
            response_headers[_ERROR.lower()] = response.function_error
        return response.payload

    # moto makes a boto3 client for each Task: 27 ms of the 36 ms that a child of a Map takes (measured).
    def invoke_from_task(parameters: dict[str, Any], region: str, state_credentials: Any) -> dict[str, Any]:  # noqa: ARG001
        try:
            response = client.invoke(parameters["FunctionName"], parameters["Payload"])
        except _Throttled:
            # The name that Step Functions gives it; moto knows errors of Lambda's own as "Exception" only.
            payload = {"errorType": "Lambda.TooManyRequestsException", "errorMessage": _RATE_EXCEEDED}
            return {"StatusCode": 200, "Payload": payload, "FunctionError": "Unhandled"}
        error = {"FunctionError": response.function_error} if response.function_error else {}
        return {"StatusCode": 200, "Payload": json.loads(response.payload), **error}

    LambdaSimpleBackend.invoke = invoke  # type: ignore[assignment, method-assign]
    lambda_eval_utils._invoke_lambda_function = invoke_from_task
