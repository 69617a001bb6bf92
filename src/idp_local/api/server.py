"""The HTTP side of the local API: POST /graphql, GraphiQL for a browser, and its sign-in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask, Response, jsonify, request
from flask_cors import cross_origin

from graphql import GraphQLSchema
from idp_local.api.answers import refused
from idp_local.api.execution import MalformedRequest, answer, read_request
from idp_local.api.graphiql import asset, page
from idp_local.api.schema import Call, Invoke
from idp_local.api.tokens import TokenRefused, TokenVerifier
from idp_local.connection import Connection

MAXIMUM_BODY = 1024 * 1024  # AppSync's limit of a request
_LOCAL_HOSTS = frozenset({"127.0.0.1", "localhost"})


def graphql_app(
    schema: GraphQLSchema,
    *,
    verifier: TokenVerifier,
    invoke: Invoke,
    connection: Connection,
    sign_in: Callable[[str], str],
) -> Flask:
    """The WSGI app. `sign_in` answers a seeded user's id token; only the page that is served here may ask for it."""
    app = Flask("idp_local.api", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MAXIMUM_BODY

    @app.before_request
    def only_by_a_local_name() -> tuple[Response, int] | None:
        # A foreign name that resolves to this machine would let a foreign page in.
        if request.host.rpartition(":")[0] in _LOCAL_HOSTS or request.host in _LOCAL_HOSTS:
            return None
        return jsonify(refused("Forbidden", "The local API answers only as 127.0.0.1 or localhost.")), 403

    @app.post("/graphql")
    @cross_origin()
    def graphql() -> tuple[Response, int]:
        try:
            caller = verifier.caller(request.headers.get("Authorization"))
            body = answer(schema, read_request(request.get_data()), Call(caller, invoke))
        except TokenRefused as error:
            return jsonify(refused("UnauthorizedException", str(error))), 401
        except MalformedRequest as error:
            return jsonify(refused("MalformedHttpRequestException", str(error))), 400
        return jsonify(body), 200

    @app.get("/")
    @app.get("/graphql")
    def graphiql() -> Response:
        return page(connection.users)

    @app.get("/assets/<name>")
    def assets(name: str) -> Response:
        return asset(name)

    @app.post("/sign-in")
    def signed_in() -> tuple[Response, int]:
        # Demanding JSON makes a foreign page ask first, and nothing here says yes.
        content: Any = request.get_json(silent=True)
        username = content.get("username") if isinstance(content, dict) else None
        if username not in [user.username for user in connection.users]:
            return jsonify(refused("NotAuthorizedException", "No seeded user has this name.")), 400
        return jsonify({"idToken": sign_in(str(username))}), 200

    return app
