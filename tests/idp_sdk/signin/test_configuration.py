from __future__ import annotations

import pytest

from idp_sdk import Connection, IDPClient, Profiles
from idp_sdk.errors import NotConfigured
from idp_sdk.signin.configuration import find_settings

PROFILE = Connection(graphql_url="https://profile.example.com/graphql", region="us-east-1", user_pool_client_id="p")


def test_arguments_go_before_the_environment_which_goes_before_the_profile(monkeypatch: pytest.MonkeyPatch) -> None:
    Profiles().save_connection("default", PROFILE)
    assert find_settings().connection == PROFILE

    monkeypatch.setenv("IDP_GRAPHQL_URL", "https://environment.example.com/graphql")
    monkeypatch.setenv("IDP_USER_POOL_CLIENT_ID", "e")
    from_environment = find_settings().connection
    assert (from_environment.graphql_url, from_environment.user_pool_client_id) == (
        "https://environment.example.com/graphql",
        "e",
    )
    given = find_settings(graphql_url="https://argument.example.com/graphql").connection
    assert (given.graphql_url, given.user_pool_client_id) == ("https://argument.example.com/graphql", "e")


def test_another_deployment_takes_nothing_from_the_profile(monkeypatch: pytest.MonkeyPatch) -> None:
    local = PROFILE.model_copy(update={"cognito_endpoint_url": "http://127.0.0.1:5000"})
    Profiles().save_connection("default", local)
    monkeypatch.setenv("IDP_GRAPHQL_URL", local.graphql_url)
    assert find_settings().connection == local
    monkeypatch.setenv("IDP_GRAPHQL_URL", "https://other.example.com/graphql")
    assert find_settings().connection == Connection(graphql_url="https://other.example.com/graphql")


def test_the_environment_names_the_profile(monkeypatch: pytest.MonkeyPatch) -> None:
    Profiles().save_connection("work", PROFILE)
    monkeypatch.setenv("IDP_PROFILE", "work")
    assert (find_settings().profile, find_settings().connection) == ("work", PROFILE)


@pytest.mark.parametrize("profile", [None, "work"])
def test_no_profile_is_told_with_what_to_do(profile: str | None) -> None:
    with pytest.raises(NotConfigured, match=r"No connection is configured .* idp-cli configure FILE"):
        IDPClient(profile=profile)


def test_a_profile_that_is_named_has_to_exist() -> None:
    with pytest.raises(NotConfigured, match="profile 'typo'"):
        find_settings(profile="typo", graphql_url="https://a.example.com/graphql")


def test_a_token_that_no_header_can_carry_is_refused_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    for token in ("secret\ntoken", "secret token", "secret-töken"):
        monkeypatch.setenv("IDP_TOKEN", token)
        with pytest.raises(NotConfigured, match="IDP_TOKEN") as caught:
            find_settings(graphql_url="https://a.example.com/graphql")
        assert "secret" not in caught.value.message


def test_a_line_break_after_a_token_is_no_part_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IDP_TOKEN", "token\n")
    settings = find_settings(graphql_url="https://a.example.com/graphql")
    assert settings.token
    assert settings.token.get_secret_value() == "token"


def test_a_connection_can_be_given_without_any_profile() -> None:
    settings = find_settings(graphql_url="https://a.example.com/graphql", token="t")
    assert settings.token
    assert settings.token.get_secret_value() == "t"


def test_how_one_signs_in_is_taken_from_the_nearest_place(monkeypatch: pytest.MonkeyPatch) -> None:
    Profiles().save_connection("default", PROFILE)
    monkeypatch.setenv("IDP_TOKEN", "environment")
    monkeypatch.setenv("IDP_PASSWORD", "Secret-1")
    by_token = find_settings()
    assert by_token.token
    assert by_token.username is None
    by_password = find_settings(username="author@example.com")
    assert by_password.token is None
    assert by_password.password
    assert find_settings(token="argument").token != by_token.token


def test_a_user_name_alone_leaves_the_profiles_tokens_in_use(monkeypatch: pytest.MonkeyPatch) -> None:
    Profiles().save_connection("default", PROFILE)
    monkeypatch.setenv("IDP_USERNAME", "author@example.com")
    settings = find_settings()
    assert (settings.username, settings.password, settings.token) == (None, None, None)


def test_an_address_without_tls_is_refused() -> None:
    with pytest.raises(NotConfigured, match=r"graphql_url: .*https://"):
        IDPClient(graphql_url="http://api.example.com/graphql", token="t")
