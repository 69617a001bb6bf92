"""Which tokens the local API takes."""

from __future__ import annotations

import time
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from idp_local.api.tokens import TokenRefused, TokenVerifier

POOL, CLIENT = "us-east-1_pool", "client"
KEY = RSAKey.generate_key(2048, {"kid": "k1"})


@pytest.fixture(scope="module")
def verifier() -> TokenVerifier:
    keys = KeySet([KEY]).as_dict(private=False)
    return TokenVerifier(user_pool_id=POOL, client_id=CLIENT, keys=keys)


def id_token(key: RSAKey = KEY, header: dict[str, Any] | None = None, **changes: Any) -> str:
    claims = {
        "iss": f"https://cognito-idp.us-east-1.amazonaws.com/{POOL}",
        "sub": "sub-1",
        "aud": CLIENT,
        "token_use": "id",
        "cognito:username": "user-1",
        "cognito:groups": ["Author"],
        "exp": int(time.time()) + 86_400,  # parametrized tokens are made when tests are collected
        **changes,
    }
    claims = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(header or {"alg": "RS256", "kid": "k1"}, claims, key, algorithms=["RS256", "HS256"])


def test_an_id_token_names_its_user_and_groups(verifier: TokenVerifier) -> None:
    caller = verifier.caller(id_token())
    assert (caller.sub, caller.username, caller.groups) == ("sub-1", "user-1", ("Author",))


def test_the_e_mail_address_is_passed_on_if_the_token_has_it(verifier: TokenVerifier) -> None:
    assert verifier.caller(id_token(email="user@example.com")).claims["email"] == "user@example.com"
    assert "email" not in verifier.caller(id_token()).claims


def test_an_access_token_and_the_word_bearer_are_taken(verifier: TokenVerifier) -> None:
    token = id_token(aud=None, client_id=CLIENT, token_use="access", username="user-1")
    assert verifier.caller(f"Bearer {token}").username == "user-1"


@pytest.mark.parametrize("authorization", [None, ""])
def test_no_token_is_refused(verifier: TokenVerifier, authorization: str | None) -> None:
    with pytest.raises(TokenRefused, match="authorization header"):
        verifier.caller(authorization)


def test_an_expired_token_is_refused_as_expired(verifier: TokenVerifier) -> None:
    with pytest.raises(TokenRefused, match="expired"):
        verifier.caller(id_token(exp=int(time.time()) - 1))


@pytest.mark.parametrize(
    "token",
    [
        pytest.param("not a token", id="no token at all"),
        pytest.param(id_token()[:-4] + "AAAA", id="tampered signature"),
        pytest.param(id_token(RSAKey.generate_key(2048, {"kid": "k1"})), id="signed by another key"),
        pytest.param(id_token(iss="https://cognito-idp.us-east-1.amazonaws.com/other"), id="another pool"),
        pytest.param(id_token(aud="other"), id="another client"),
        pytest.param(id_token(token_use="refresh"), id="neither id nor access token"),
        pytest.param(id_token(token_use="access"), id="access token without its client"),
        pytest.param(id_token(exp=None), id="without an end"),
        pytest.param("eyJhbGciOiJub25lIn0.eyJzdWIiOiJzIn0.", id="algorithm none"),
    ],
)
def test_a_token_of_anyone_else_is_refused_without_being_quoted(verifier: TokenVerifier, token: str) -> None:
    with pytest.raises(TokenRefused) as refused:
        verifier.caller(token)
    assert str(refused.value) == "You are not authorized to make this call."
