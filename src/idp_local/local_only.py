"""The guard of every server of the runtime: programs and pages of this machine get in, web pages from elsewhere do not.

A page can send requests to 127.0.0.1 from any browser, and reads the responses under a name that it makes resolve to it
(DNS rebinding). Without this check one could make itself Admin, read documents or empty the account.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

_HOSTS = frozenset({"127.0.0.1", "localhost", "[::1]"})
REFUSAL = "The local runtime is for programs and pages of this machine only. Use it as 127.0.0.1 or localhost."


def is_from_this_machine(headers: Mapping[str, str], port: int, *, follows_link: bool = False) -> bool:
    """Return whether a request may get in, by its headers, named in lower case, and the port of the server.

    `follows_link` allows that a page from elsewhere sent the user here, who only looks at what is shown.
    """
    if headers.get("host", "").lower() not in _HOSTS | {f"{host}:{port}" for host in _HOSTS}:
        return False
    origin = headers.get("origin")
    if origin is not None and not _is_local(origin):
        return False
    return follows_link or headers.get("sec-fetch-site") != "cross-site"


def _is_local(origin: str) -> bool:
    """Return whether an Origin header names a server of this machine, on any port."""
    try:
        parts = urlsplit(origin)
        name = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and name in _HOSTS


class LocalOnly:
    """The guard as a WSGI app in front of another one.

    Paths that begin with one of `closed` are refused to all. A link from elsewhere may lead to a page only if the
    server `has_pages`.
    """

    def __init__(self, app: Any, port: int, *, has_pages: bool = False, closed: tuple[str, ...] = ()) -> None:
        self._app = app
        self._port = port
        self._has_pages = has_pages
        self._closed = closed

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Pass a request on, or refuse it with status 403."""
        headers = {
            name.removeprefix("HTTP_").replace("_", "-").lower(): value
            for name, value in environ.items()
            if name.startswith("HTTP_")
        }
        is_link = environ["REQUEST_METHOD"] == "GET" and headers.get("sec-fetch-mode") == "navigate"
        gets_in = is_from_this_machine(headers, self._port, follows_link=self._has_pages and is_link)
        if gets_in and not environ["PATH_INFO"].startswith(self._closed):
            response: Iterable[bytes] = self._app(environ, start_response)
            return response
        body = f"{REFUSAL}\n".encode()
        start_response(
            "403 Forbidden", [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body)))]
        )
        return [body]
