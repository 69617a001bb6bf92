"""HTTP servers of the runtime: threads, 127.0.0.1 only, no access log."""

from __future__ import annotations

import socket
from typing import Any

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from idp_local.errors import LocalRuntimeError

HOST = "127.0.0.1"


class QuietHandler(WSGIRequestHandler):
    """No line for each request, and no 40 ms wait between head and body [build notes]."""

    disable_nagle_algorithm = True

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Nothing: requests carry tokens and what documents hold."""


def listening_socket(port: int) -> socket.socket:
    """A socket that listens on 127.0.0.1; 0 takes a free port. Raises LocalRuntimeError where it is taken."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise LocalRuntimeError(
            f"Port {port} cannot be used ({error.strerror}). Choose another with --port, or --port 0 for a free one."
        ) from error
    return listener


def server_on(descriptor: int, app: Any, handler: type[WSGIRequestHandler] = QuietHandler) -> BaseWSGIServer:
    """A server on a socket that listens already; it keeps a duplicate of the descriptor."""
    return make_server(HOST, 0, app, threaded=True, request_handler=handler, fd=descriptor)
