from __future__ import annotations

from collections.abc import Sequence

import pytest

from idp_sdk import IDPClient, UserScope
from tests.support.sdk.answers import page, user
from tests.support.sdk.deployment import Deployment


def test_users_are_listed_over_pages(deployment: Deployment, client: IDPClient) -> None:
    deployment.answers |= {
        "getMyProfile": user(groups=["Admin", "Author"]),
        "listUsers": [page(user(), next_token="more"), page(user(email=None, groups=[], scope="NONE"))],
    }
    assert client.users.me().groups == ("Admin", "Author")
    assert [(found.email, found.scope) for found in client.users.list()] == [
        ("author@example.com", UserScope.ALL),
        (None, UserScope.NONE),
    ]


@pytest.mark.parametrize("allowed", [("v1", "v2"), (), None])
def test_no_list_is_another_thing_than_an_empty_one(
    deployment: Deployment, client: IDPClient, allowed: Sequence[str] | None
) -> None:
    deployment.answers["updateUser"] = user(scope="LISTED", allowedConfigVersions=list(allowed or ()))
    assert client.users.scope("author@example.com", allowed).allowed_config_versions == tuple(allowed or ())
    sent = None if allowed is None else list(allowed)
    assert deployment.calls_of("updateUser") == [
        {"input": {"user": "author@example.com", "allowedConfigVersions": sent}}
    ]
