from __future__ import annotations

import json
import os
import stat
import time
from pathlib import Path

import pytest

from idp_sdk import Connection, Profiles, Tokens
from idp_sdk.errors import NotConfigured
from tests.support.sdk.deployment import CONNECTION

TOKENS = Tokens.model_validate(
    {
        "username": "author@example.com",
        "id_token": "id-1",
        "access_token": "access-1",
        "refresh_token": "refresh-1",
        "expires_at": time.time() + 3600,
    }
)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_credentials_belong_to_their_owner_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        profiles = Profiles(tmp_path / "new" / "idp")
        profiles.save_tokens("default", CONNECTION, TOKENS)
    finally:
        os.umask(before)
    assert mode(profiles.directory) == 0o700
    assert mode(profiles.directory / "credentials.json") == 0o600
    assert [file.name for file in profiles.directory.iterdir()] == ["credentials.json"]


def test_a_file_that_others_could_read_is_replaced_by_one_they_cannot() -> None:
    profiles = Profiles()
    profiles.save_tokens("default", CONNECTION, TOKENS)
    file = profiles.directory / "credentials.json"
    file.chmod(0o644)
    profiles.save_tokens("other", CONNECTION, TOKENS)
    assert mode(file) == 0o600
    assert profiles.tokens("default", CONNECTION) == profiles.tokens("other", CONNECTION) == TOKENS


def test_profiles_stand_beside_each_other() -> None:
    profiles = Profiles()
    other = CONNECTION.model_copy(update={"region": "eu-west-1"})
    profiles.save_connection("default", CONNECTION)
    profiles.save_connection("other", other)
    assert profiles.names() == ("default", "other")
    assert (profiles.connection("default"), profiles.connection("other")) == (CONNECTION, other)
    assert profiles.connection("third") is None


def test_tokens_are_never_answered_for_another_deployment() -> None:
    profiles = Profiles()
    profiles.save_tokens("default", CONNECTION, TOKENS)
    for change in ({"graphql_url": "https://evil.example.com/graphql"}, {"user_pool_client_id": "another"}):
        assert profiles.tokens("default", CONNECTION.model_copy(update=change)) is None


def test_forgetting_leaves_the_other_profiles() -> None:
    profiles = Profiles()
    for name in ("a", "b"):
        profiles.save_tokens(name, CONNECTION, TOKENS)
    profiles.forget_tokens("a")
    profiles.forget_tokens("never there")
    assert profiles.tokens("a", CONNECTION) is None
    assert profiles.tokens("b", CONNECTION) == TOKENS


@pytest.mark.parametrize("content", ["{", "[]", '{"profiles": []}', "{}"])
def test_a_damaged_file_is_told(content: str) -> None:
    profiles = Profiles()
    profiles.directory.mkdir()
    (profiles.directory / "config.json").write_text(content)
    with pytest.raises(NotConfigured, match=r"config\.json' is damaged"):
        profiles.connection("default")


def test_damaged_tokens_count_as_none() -> None:
    profiles = Profiles()
    profiles.save_tokens("default", CONNECTION, TOKENS)
    file = profiles.directory / "credentials.json"
    content = json.loads(file.read_text())
    del content["profiles"]["default"]["tokens"]["id_token"]
    file.write_text(json.dumps(content))
    assert profiles.tokens("default", CONNECTION) is None


def test_a_directory_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(NotConfigured, match=r"config\.json' cannot be read: Not a directory"):
        Profiles(tmp_path / "file" / "idp").save_connection("default", Connection(graphql_url="https://a.example.com"))
