"""The GraphiQL page, without network: its files come from node_modules."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from pathlib import Path

from flask import Response

from idp_local.connection import LocalUser
from idp_local.environment import CHECKOUT

_HERE = Path(__file__).parent
_MODULES = CHECKOUT / "node_modules"
_FILES: Mapping[str, Path] = {
    "react.js": _MODULES / "react/umd/react.production.min.js",
    "react-dom.js": _MODULES / "react-dom/umd/react-dom.production.min.js",
    "graphiql.js": _MODULES / "graphiql/graphiql.min.js",
    "graphiql.css": _MODULES / "graphiql/graphiql.min.css",
    "page.js": _HERE / "page.js",
}
_TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}
# Nothing is loaded from or sent to another origin; the style sheet has its fonts as data.
_POLICY = (
    "default-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self' data:; img-src 'self' data:; "
    "worker-src 'self' blob:; frame-ancestors 'none'"
)
_MISSING = """<!doctype html><title>Local API</title>
<p>GraphiQL is not installed. Run <code>npm ci</code> in the checkout and load this page again.</p>
<p>The API itself works: POST to <code>/graphql</code> with a Cognito token in <code>Authorization</code>.</p>
"""


def render_page(users: Sequence[LocalUser]) -> Response:
    """Return the page with GraphiQL and a choice of seeded users, or with how to install GraphiQL."""
    if not all(path.is_file() for path in _FILES.values()):
        return _response(_MISSING, "text/html; charset=utf-8")
    options = "".join(_option(user) for user in users)
    text = (_HERE / "page.html").read_text(encoding="utf-8").replace("<!-- users -->", options)
    return _response(text, "text/html; charset=utf-8")


def _option(user: LocalUser) -> str:
    name = html.escape(user.username)
    return f'<option value="{name}">{name} ({user.group or "no group"})</option>'


def read_asset(name: str) -> Response:
    """Return one of the page's files; 404 for any other name."""
    path = _FILES.get(name)
    if path is None or not path.is_file():
        return Response("Not found", 404)
    return _response(path.read_bytes(), _TYPES[path.suffix])


def _response(content: str | bytes, content_type: str) -> Response:
    response = Response(content, content_type=content_type)
    response.headers["Content-Security-Policy"] = _POLICY
    return response
