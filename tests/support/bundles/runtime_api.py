"""Lambda's Runtime API on this machine: hands a function one event at a time and collects what became of it."""

from __future__ import annotations

import json
import sys
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Any, NamedTuple, Self

_PREFIX = "/2018-06-01/runtime"  # [docs: lambda/latest/dg/runtimes-api]


class Outcome(NamedTuple):
    """What a runtime posted for an event: the response, or Lambda's error object and its type, the ASL error name."""

    request_id: str
    payload: Any
    error_type: str | None


class _Pending(NamedTuple):
    request_id: str
    event: bytes
    function_arn: str
    deadline: float


class RuntimeApi:
    """Serves one runtime on 127.0.0.1."""

    def __init__(self) -> None:
        self.pending: SimpleQueue[_Pending | None] = SimpleQueue()
        self.outcomes: SimpleQueue[Outcome] = SimpleQueue()
        self._http = _Server(("127.0.0.1", 0), _Handler)
        self._http.api = self
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True)

    @property
    def address(self) -> str:
        """Value of AWS_LAMBDA_RUNTIME_API."""
        return f"127.0.0.1:{self._http.server_port}"

    def invoke(self, event: Any, *, function_arn: str, timeout_seconds: int) -> Outcome | None:
        """Return the outcome of an event, or None if nothing was posted within a second; then call `outcome`."""
        request_id = str(uuid.uuid4())
        deadline = time.time() + timeout_seconds
        self.pending.put(_Pending(request_id, json.dumps(event).encode(), function_arn, deadline))
        return self.outcome()

    def outcome(self) -> Outcome | None:
        """Return the next outcome, or None if there is none within a second."""
        try:
            return self.outcomes.get(timeout=1)
        except Empty:
            return None

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.pending.put(None)
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    api: RuntimeApi

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Silent where a runtime was ended in the middle of its request for the next event."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Nothing."""

    def do_GET(self) -> None:
        assert self.path == f"{_PREFIX}/invocation/next"
        pending = self.server.api.pending.get()
        if pending is None:
            self.close_connection = True
            return
        self._send(
            200,
            pending.event,
            {
                "Lambda-Runtime-Aws-Request-Id": pending.request_id,
                "Lambda-Runtime-Deadline-Ms": str(int(pending.deadline * 1000)),
                "Lambda-Runtime-Invoked-Function-Arn": pending.function_arn,
                "Lambda-Runtime-Trace-Id": "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=0",
            },
        )

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path = self.path.removeprefix(_PREFIX).split("/")  # /invocation/<id>/response, …/error, /init/error
        payload = json.loads(body)
        error_type = payload["errorType"] if path[-1] == "error" else None
        self._send(202, b'{"status":"OK"}', {})
        self.server.api.outcomes.put(Outcome("" if path[1] == "init" else path[2], payload, error_type))

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Type": "application/json", "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
