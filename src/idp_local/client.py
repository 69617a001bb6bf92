"""The client library, signed in as one of a local runtime's seeded users."""

from __future__ import annotations

from idp_local.connection import Connection
from idp_sdk import Connection as Deployment
from idp_sdk import IDPClient, Tokens, fetch_tokens


def client_for(connection: Connection, username: str, *, retries: int = 4) -> IDPClient:
    """Return a client that signs in when first needed. Raises KeyError if the user was not seeded."""
    return IDPClient(
        **_deployment(connection).model_dump(),
        username=username,
        password=connection.user(username).password,
        retries=retries,
    )


def tokens_of(connection: Connection, username: str) -> Tokens:
    """Sign in a seeded user. Raises KeyError if the user was not seeded, and SignInFailed if Cognito refuses."""
    return fetch_tokens(username, connection.user(username).password, connection=_deployment(connection))


def _deployment(connection: Connection) -> Deployment:
    return Deployment(
        graphql_url=connection.graphql_url,
        region=connection.region,
        user_pool_id=connection.user_pool_id,
        user_pool_client_id=connection.user_pool_client_id,
        cognito_endpoint_url=connection.aws_endpoint_url,
    )
