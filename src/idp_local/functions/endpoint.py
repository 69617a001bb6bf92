"""Lambda's Invoke over HTTP, for the process that runs the state machines."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Request, Response

from idp_local.functions.service import Functions, Throttled, UnknownFunction
from idp_local.http import HOST, listening_socket, server_on

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_PATH = ("/2015-03-31/functions/", "/invocations")


class FunctionEndpoint:
    """Serves Invoke on 127.0.0.1; `functions` may be set after it listens."""

    def __init__(self) -> None:
        self.functions: Functions | None = None
        with listening_socket(0) as listener:
            self._server = server_on(listener.fileno(), self._respond)
        self.url = f"http://{HOST}:{self._server.port}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()

    def _respond(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        request = Request(environ)
        try:
            return self._invoke(request)(environ, start_response)
        except HTTPException as error:
            return error(environ, start_response)

    def _invoke(self, request: Request) -> Response:
        # A page in a browser cannot send this header unasked, so it cannot run functions.
        if not request.headers.get("Authorization", "").startswith("AWS4-HMAC-SHA256 "):
            return _json({"Message": "Missing Authentication Token"}, 403)
        name = unquote(request.path.removeprefix(_PATH[0]).removesuffix(_PATH[1]))
        try:
            if self.functions is None:
                raise UnknownFunction(name)
            event = json.loads(request.get_data() or b"{}")
            if request.headers.get("X-Amz-Invocation-Type") == "Event":
                self.functions.invoke_later(name, event)
                return Response(status=202)
            outcome = self.functions.invoke(name, event)
        except UnknownFunction:
            return _json({"Message": f"Function not found: {name}"}, 404)
        except Throttled:
            return _json({"Reason": "ConcurrentInvocationLimitExceeded", "message": "Rate Exceeded."}, 429)
        response = _json(outcome.payload, 200)
        if outcome.failed:
            response.headers["X-Amz-Function-Error"] = "Unhandled"
        return response


def _json(body: Any, status: int) -> Response:
    return Response(json.dumps(body), status, content_type="application/json")
