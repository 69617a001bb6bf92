"""What an IDPClient works with: from its arguments, else the environment, else the profile."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, SecretStr

from idp_sdk.connection import Connection
from idp_sdk.errors import NotConfigured
from idp_sdk.profiles import DEFAULT_PROFILE, Profiles

_CONNECTION = ("graphql_url", "region", "user_pool_id", "user_pool_client_id", "cognito_endpoint_url")
_SECRETS = ("username", "password", "token")


class Settings(BaseModel):
    """A connection, the profile that may hold tokens for it, and what was given to sign in with."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    connection: Connection
    profile: str
    username: str | None = None
    password: SecretStr | None = None
    token: SecretStr | None = None


def configured(*, profile: str | None = None, **given: str | None) -> Settings:
    """The settings; each value from the arguments, else from IDP_<NAME>, else from the profile of that deployment.

    A token or a user name with password that is given goes before one from the environment, which goes before the
    profile's tokens. Raises NotConfigured.
    """
    environment = {name: os.environ.get(f"IDP_{name.upper()}") or None for name in (*_CONNECTION, *_SECRETS, "profile")}
    chosen = profile or environment["profile"] or DEFAULT_PROFILE
    explicitly = bool(profile or environment["profile"])
    overrides = {name: given.get(name) or environment[name] for name in _CONNECTION}
    stored = Profiles().connection(chosen)
    if stored is None and (explicitly or not overrides["graphql_url"]):
        raise NotConfigured(_no_profile(chosen))
    # Half of one deployment and half of another would send a password to the wrong one.
    same = stored is not None and overrides["graphql_url"] in (None, stored.graphql_url)
    values = stored.model_dump() if stored and same else {}
    merged = {**values, **{name: value for name, value in overrides.items() if value}}
    connection = Connection.of(merged, "The configuration")
    return Settings(connection=connection, profile=chosen, **_sign_in(given, environment))


def _sign_in(given: Mapping[str, str | None], environment: Mapping[str, str | None]) -> dict[str, Any]:
    mixed = {name: given.get(name) or environment[name] for name in ("username", "password")}
    for source in (given, mixed, environment):
        if token := source.get("token"):
            return {"token": _sendable(token.strip())}
        if source.get("username") and source.get("password"):
            return {"username": source["username"], "password": source["password"]}
    return {}


def _sendable(token: str) -> str:
    """The token; refused here, for a header that cannot be sent is an error that shows it."""
    if not token.isascii() or not token.isprintable() or " " in token:
        raise NotConfigured(
            "The given token holds a space, a line break or another character that no token has. Give one id token "
            "and nothing else (IDP_TOKEN)."
        )
    return token


def _no_profile(name: str) -> str:
    return (
        f"No connection is configured for profile '{name}'. Run idp-cli configure FILE with the file that cdk deploy "
        "--outputs-file wrote or with a local connection.json, or set IDP_GRAPHQL_URL, IDP_REGION and "
        "IDP_USER_POOL_CLIENT_ID."
    )
