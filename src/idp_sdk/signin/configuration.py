"""The settings of a client: from its arguments, else the environment, else the profile."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, SecretStr

from idp_sdk.connection import Connection
from idp_sdk.errors import NotConfigured
from idp_sdk.signin.profiles import DEFAULT_PROFILE, Profiles

_CONNECTION = ("graphql_url", "region", "user_pool_id", "user_pool_client_id", "cognito_endpoint_url")
_SECRETS = ("username", "password", "token")


class Settings(BaseModel):
    """A connection, the profile that may have tokens for it, and the given user or token."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    connection: Connection
    profile: str
    username: str | None = None
    password: SecretStr | None = None
    token: SecretStr | None = None


def find_settings(*, profile: str | None = None, **given: str | None) -> Settings:
    """Return the settings: each value from the arguments, else from IDP_<NAME>, else from the deployment's profile.

    A token, or a user name with password, from the arguments goes before one from the environment, and that before
    the profile's tokens. Raises NotConfigured.
    """
    environment = {name: os.environ.get(f"IDP_{name.upper()}") or None for name in (*_CONNECTION, *_SECRETS, "profile")}
    chosen = profile or environment["profile"] or DEFAULT_PROFILE
    explicitly = bool(profile or environment["profile"])
    overrides = {name: given.get(name) or environment[name] for name in _CONNECTION}
    stored = Profiles().connection(chosen)
    if stored is None and (explicitly or not overrides["graphql_url"]):
        raise NotConfigured(_no_profile_message(chosen))
    # Values of two deployments mixed would send a password to the wrong one.
    same = stored is not None and overrides["graphql_url"] in (None, stored.graphql_url)
    values = stored.model_dump() if stored and same else {}
    merged = {**values, **{name: value for name, value in overrides.items() if value}}
    connection = Connection.of(merged, "The configuration")
    return Settings(connection=connection, profile=chosen, **_credentials(given, environment))


def _credentials(given: Mapping[str, str | None], environment: Mapping[str, str | None]) -> dict[str, Any]:
    mixed = {name: given.get(name) or environment[name] for name in ("username", "password")}
    for source in (given, mixed, environment):
        if token := source.get("token"):
            return {"token": _require_sendable(token.strip())}
        if source.get("username") and source.get("password"):
            return {"username": source["username"], "password": source["password"]}
    return {}


def _require_sendable(token: str) -> str:
    """Return the token if a header can carry it: httpx's error for one that cannot would quote it."""
    if not token.isascii() or not token.isprintable() or " " in token:
        raise NotConfigured(
            "The given token has a space, a line break or another character that no token has. Give one id token "
            "and nothing else (IDP_TOKEN)."
        )
    return token


def _no_profile_message(name: str) -> str:
    return (
        f"No connection is configured for profile '{name}'. Run idp-cli configure FILE with the file that cdk deploy "
        "--outputs-file wrote or with a local connection.json, or set IDP_GRAPHQL_URL, IDP_REGION and "
        "IDP_USER_POOL_CLIENT_ID."
    )
