"""Cognito's answers, held against botocore's shapes by the deployment that gives them."""

from __future__ import annotations

from typing import Any

import httpx

ERRORS = "com.amazonaws.cognito.identity.idp.model#"


def signed_in(number: int = 1, *, expires: int = 3600, refresh_token: str | None = "refresh-token-1") -> httpx.Response:
    """Tokens whose id token is `token-<number>`."""
    result: dict[str, Any] = {
        "IdToken": f"token-{number}",
        "AccessToken": f"access-token-{number}",
        "ExpiresIn": expires,
        "TokenType": "Bearer",
    }
    if refresh_token:
        result["RefreshToken"] = refresh_token
    return httpx.Response(200, json={"AuthenticationResult": result, "ChallengeParameters": {}})


def asks(name: str, session: str = "s" * 20, **parameters: str) -> httpx.Response:
    """A challenge."""
    return httpx.Response(200, json={"ChallengeName": name, "Session": session, "ChallengeParameters": parameters})


def refuses(name: str, message: str = "", status: int = 400) -> httpx.Response:
    """An error."""
    return httpx.Response(status, json={"__type": ERRORS + name, "message": message})
