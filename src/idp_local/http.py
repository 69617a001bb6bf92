"""HTTP servers of the runtime: threads, 127.0.0.1 only, no access log."""

from __future__ import annotations

import socket
from typing import Any

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from idp_local.errors import LocalRuntimeError
from idp_local.local_only import LocalOnly

HOST = "127.0.0.1"


class QuietHandler(WSGIRequestHandler):
    """No log line for each request, and no Nagle delay: it would add 40 ms between head and body."""

    disable_nagle_algorithm = True

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Log nothing: requests have tokens and contents of documents in them."""


def listening_socket(port: int) -> socket.socket:
    """Open a socket that listens on 127.0.0.1; 0 takes a free port. Raises LocalRuntimeError if the port is in use."""
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


def server_on(
    descriptor: int,
    app: Any,
    handler: type[WSGIRequestHandler] = QuietHandler,
    *,
    has_pages: bool = False,
    closed: tuple[str, ...] = (),
) -> BaseWSGIServer:
    """Make a server on a socket that listens already, behind `LocalOnly`; it keeps a duplicate of the descriptor."""
    server = make_server(HOST, 0, app, threaded=True, request_handler=handler, fd=descriptor)
    server.app = LocalOnly(app, server.port, has_pages=has_pages, closed=closed)
    return server
