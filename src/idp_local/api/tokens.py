"""Verification of Cognito's tokens, as AppSync does it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from joserfc import jwt
from joserfc.errors import ExpiredTokenError, JoseError
from joserfc.jwk import KeySet
from pydantic import BaseModel, ConfigDict

from idp_local.environment import REGION

# Claims with the client and the user, by kind of token.
_CLAIMS = {"id": ("aud", "cognito:username"), "access": ("client_id", "username")}


class Caller(BaseModel):
    """The part of AppSync's identity that the resolver reads."""

    model_config = ConfigDict(frozen=True)

    sub: str
    username: str
    groups: tuple[str, ...] = ()
    claims: dict[str, str] = {}


class TokenRefused(Exception):
    """AppSync's UnauthorizedException; the message never quotes the token."""


class TokenVerifier:
    """Verifies tokens of one user pool and its one client; `keys` is the pool's JWKS."""

    def __init__(self, *, user_pool_id: str, client_id: str, keys: Mapping[str, Any]) -> None:
        self._client_id = client_id
        self._keys = KeySet.import_key_set(dict(keys))  # type: ignore[arg-type]
        self._claims = jwt.JWTClaimsRegistry(
            iss={"essential": True, "value": f"https://cognito-idp.{REGION}.amazonaws.com/{user_pool_id}"},
            exp={"essential": True},
            sub={"essential": True},
            token_use={"essential": True, "values": list(_CLAIMS)},
        )

    def caller(self, authorization: str | None) -> Caller:
        """Return the caller of an id or access token, with or without "Bearer "; raises TokenRefused."""
        if not authorization:
            raise TokenRefused("Valid authorization header not provided.")
        try:
            claims = jwt.decode(authorization.removeprefix("Bearer ").strip(), self._keys, algorithms=["RS256"]).claims
            self._claims.validate(claims)
        except ExpiredTokenError as error:
            raise TokenRefused("Token has expired.") from error
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise TokenRefused("You are not authorized to make this call.") from error
        client, username = _CLAIMS[claims["token_use"]]
        if claims.get(client) != self._client_id:
            raise TokenRefused("You are not authorized to make this call.")
        return Caller(
            sub=claims["sub"],
            username=claims[username],
            groups=tuple(claims.get("cognito:groups") or ()),
            claims={name: claims[name] for name in ("token_use", "email") if name in claims},
        )
