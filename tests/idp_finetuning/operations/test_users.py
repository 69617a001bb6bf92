"""Operations on users: the user pool shows who there is, our records what they may see."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest

from idp_finetuning.adapters.user_directory import UserDirectory
from idp_finetuning.errors import UserNotFound
from tests.support.domain.api import ApiError, call
from tests.support.domain.fake_bedrock import client_error
from tests.support.domain.versions import new_user

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient

pytestmark = pytest.mark.usefixtures("environment")

ADMIN = ("Admin",)


def scoped(user: str, names: list[str] | None) -> Any:
    """What updateUser answers an Admin."""
    return call("updateUser", ADMIN, input={"user": user, "allowedConfigVersions": names})


def listing(**arguments: Any) -> dict[str, Any]:
    """Users by e-mail address."""
    return {user["email"]: user for user in call("listUsers", ADMIN, **arguments)["items"]}


def test_users_who_have_never_signed_in_are_listed_and_scoped(user_pool: str) -> None:
    sub = new_user(user_pool, "new@example.com", ("Author", "Viewer"))
    call("createConfigVersion", ADMIN, input={"name": "claims"})
    assert listing()["new@example.com"] == {
        "id": sub,
        "username": sub,
        "email": "new@example.com",
        "groups": ["Author", "Viewer"],
        "scope": "ALL",
        "allowedConfigVersions": [],
    }
    changed = scoped("new@example.com", ["claims", "default", "claims"])
    assert (changed["scope"], changed["allowedConfigVersions"]) == ("LISTED", ["claims", "default"])
    assert listing()["new@example.com"] == changed
    seen = call("listConfigVersions", ("Author",), sub=sub)["items"]
    assert [item["name"] for item in seen] == ["claims", "default"]


def test_an_empty_list_means_all_and_null_what_the_deployment_gives(
    user_pool: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEFAULT_SCOPE", "none")
    sub = new_user(user_pool, "new@example.com")
    assert listing()["new@example.com"]["scope"] == "NONE"
    assert scoped(sub, [])["scope"] == "ALL"
    assert listing()["new@example.com"]["scope"] == "ALL"
    assert scoped(sub, None)["scope"] == "NONE"
    assert scoped(sub, None) == listing()["new@example.com"]


def test_a_list_that_is_left_out_changes_nothing(user_pool: str) -> None:
    sub = new_user(user_pool, "new@example.com")
    scoped(sub, ["default"])
    with pytest.raises(ApiError, match=r"InvalidInput: input\.allowedConfigVersions: field required"):
        call("updateUser", ADMIN, input={"user": sub})
    assert listing()["new@example.com"]["scope"] == "LISTED"


def test_an_admin_has_everything_whatever_is_listed(user_pool: str) -> None:
    new_user(user_pool, "boss@example.com", ("Admin", "Viewer"))
    changed = scoped("boss@example.com", ["default"])
    assert (changed["scope"], changed["allowedConfigVersions"]) == ("ALL", ["default"])


def test_a_name_is_listed_before_there_is_a_version_of_it(user_pool: str) -> None:
    new_user(user_pool, "new@example.com")
    assert scoped("new@example.com", ["claims"])["allowedConfigVersions"] == ["claims"]


@pytest.mark.parametrize("names", [["a b"], ["#active"], [f"v{n}" for n in range(201)]])
def test_a_list_that_cannot_be_is_refused(user_pool: str, names: list[str]) -> None:
    with pytest.raises(ApiError, match=r"InvalidInput: input\.allowedConfigVersions"):
        scoped("new@example.com", names)


def test_a_name_cognito_takes_for_none_is_not_found() -> None:
    class Cognito:
        def admin_get_user(self, **_: Any) -> Any:
            raise client_error("AdminGetUser", "InvalidParameterException")

    with pytest.raises(UserNotFound):
        UserDirectory(cast("CognitoIdentityProviderClient", Cognito()), "pool").find("zero\u200bwidth")


def test_a_user_nobody_made_is_not_found() -> None:
    with pytest.raises(ApiError, match=r"UserNotFound: .* listUsers") as refused:
        scoped("nobody@example.com", [])
    assert "nobody" not in refused.value.message
    with pytest.raises(ApiError, match="InvalidInput"):
        scoped("no body", [])


def test_users_are_listed_page_by_page(user_pool: str) -> None:
    emails = {f"u{number}@example.com" for number in range(5)}
    for email in emails:
        new_user(user_pool, email, ())
    seen: list[str] = []
    token = None
    for _ in range(3):
        page = call("listUsers", ADMIN, limit=2, nextToken=token)
        seen += [user["email"] for user in page["items"]]
        token = page["nextToken"]
    assert (set(seen), len(seen), token) == (emails, 5, None)


def test_more_users_than_cognito_gives_at_once_may_be_asked_for(user_pool: str) -> None:
    new_user(user_pool, "new@example.com")
    assert set(listing(limit=100)) == {"new@example.com"}


@pytest.mark.parametrize("token", ["x", "e30=", "eyJwYWdpbmF0aW9uVG9rZW4iOiAiIn0="])
def test_a_token_of_others_starts_no_list(token: str) -> None:
    with pytest.raises(ApiError, match="InvalidInput: nextToken is not one this API returned"):
        call("listUsers", ADMIN, nextToken=token)


def test_everyone_sees_their_own_profile(user_pool: str, monkeypatch: pytest.MonkeyPatch) -> None:
    new_user(user_pool, "author@example.com", ("Author",))
    profile = call("getMyProfile", ("Author", "Viewer"), sub="sub-1")
    assert profile == {
        "id": "sub-1",
        "username": "author@example.com",
        "email": "author@example.com",
        "groups": ["Author", "Viewer"],
        "scope": "ALL",
        "allowedConfigVersions": [],
    }
    monkeypatch.setenv("DEFAULT_SCOPE", "none")
    assert call("getMyProfile", (), sub="sub-1")["scope"] == "NONE"
    assert call("getMyProfile", ADMIN, sub="sub-1")["scope"] == "ALL"
