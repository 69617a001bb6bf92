"""The local API over HTTP: POST /graphql, and GraphiQL with its sign-in for a browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask, Response, jsonify, request
from flask_cors import cross_origin

from graphql import GraphQLSchema
from idp_local.api.execution import MalformedRequest, execute_request, read_request
from idp_local.api.graphiql import read_asset, render_page
from idp_local.api.responses import refuse_request
from idp_local.api.schema import Call, Invoke
from idp_local.api.tokens import TokenRefused, TokenVerifier
from idp_local.connection import Connection

MAXIMUM_BODY = 1024 * 1024  # AppSync's limit of a request


def graphql_app(
    schema: GraphQLSchema,
    *,
    verifier: TokenVerifier,
    invoke: Invoke,
    connection: Connection,
    sign_in: Callable[[str], str],
) -> Flask:
    """Return the WSGI app. `sign_in` returns a seeded user's id token; only the page served here may ask for it."""
    app = Flask("idp_local.api", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MAXIMUM_BODY

    @app.post("/graphql")
    @cross_origin()
    def graphql() -> tuple[Response, int]:
        try:
            caller = verifier.caller(request.headers.get("Authorization"))
            body = execute_request(schema, read_request(request.get_data()), Call(caller, invoke))
        except TokenRefused as error:
            return jsonify(refuse_request("UnauthorizedException", str(error))), 401
        except MalformedRequest as error:
            return jsonify(refuse_request("MalformedHttpRequestException", str(error))), 400
        return jsonify(body), 200

    @app.get("/")
    @app.get("/graphql")
    def graphiql() -> Response:
        return render_page(connection.users)

    @app.get("/assets/<name>")
    def assets(name: str) -> Response:
        return read_asset(name)

    @app.post("/sign-in")
    def sign_in_user() -> tuple[Response, int]:
        # JSON makes a browser send a preflight request for a page of another origin; this server grants none.
        content: Any = request.get_json(silent=True)
        username = content.get("username") if isinstance(content, dict) else None
        if username not in [user.username for user in connection.users]:
            return jsonify(refuse_request("NotAuthorizedException", "No seeded user has this name.")), 400
        return jsonify({"idToken": sign_in(str(username))}), 200

    return app
