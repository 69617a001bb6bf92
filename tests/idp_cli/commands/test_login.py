"""Profiles are written and signed in; what Cognito asks for is asked for, and nothing is shown."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from idp_cli.commands import login
from tests.idp_cli.conftest import Ran, Run, configure
from tests.support.cli.deployment import CONNECTION, OUTPUTS, PASSWORD, TOKEN, Deployment

LOCAL = CONNECTION | {
    "graphqlUrl": "http://127.0.0.1:4000/graphql",
    "awsEndpointUrl": "http://127.0.0.1:4566",
    "users": [{"username": "u", "password": "p", "group": None}],
}


def written(config: Path) -> dict[str, Any]:
    profiles: dict[str, Any] = json.loads((config / "config.json").read_text())["profiles"]
    return profiles


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a person types on a terminal, in order; the questions are not shown."""
    answers: list[str] = []
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("click.termui.visible_prompt_func", lambda question: answers.pop(0))
    monkeypatch.setattr("click.termui.hidden_prompt_func", lambda question: answers.pop(0))
    return answers


@pytest.fixture
def signing_in(anyone: Run, config: Path) -> Run:
    configure(config)
    (config / "credentials.json").unlink()

    def run(*words: str) -> Ran:
        return anyone("login", *words)

    return run


def test_outputs_of_one_stack_make_a_profile(anyone: Run, config: Path) -> None:
    Path("outputs.json").write_text(json.dumps({"idp-finetuning": OUTPUTS, "other": {"BucketName": "b"}}))
    assert anyone("configure", "outputs.json").code == 0
    assert written(config) == {"default": CONNECTION}


def test_of_several_stacks_one_has_to_be_named(anyone: Run, config: Path) -> None:
    second = OUTPUTS | {"GraphqlUrl": "https://second.example.com/graphql"}
    Path("outputs.json").write_text(json.dumps({"first": OUTPUTS, "second": second}))
    ran = anyone("configure", "outputs.json")
    assert ran.code == 1
    assert "first, second" in ran.err
    assert "--stack" in ran.err
    assert anyone("configure", "outputs.json", "--stack", "third").code == 1
    assert anyone("configure", "outputs.json", "--stack", "second", "--profile", "two").code == 0
    assert written(config)["two"]["graphqlUrl"] == "https://second.example.com/graphql"


def test_a_local_runtime_in_this_folder_needs_no_file(anyone: Run, config: Path) -> None:
    Path(".idp-local").mkdir()
    Path(".idp-local/connection.json").write_text(json.dumps(LOCAL))
    assert anyone("configure").code == 0
    profile = written(config)["default"]
    assert profile["cognitoEndpointUrl"] == "http://127.0.0.1:4566"
    assert "users" not in profile


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"stack": {"BucketName": "b"}}', '{"GraphqlUrl": "http://a.b/c"}']
)
def test_a_file_that_leads_nowhere_is_refused(anyone: Run, config: Path, content: str) -> None:
    Path("outputs.json").write_text(content)
    ran = anyone("configure", "outputs.json")
    assert (ran.code, ran.out) == (1, "")
    assert "outputs.json" in ran.err
    assert not config.exists()


def test_name_and_password_are_asked_for(signing_in: Run, config: Path, typed: list[str]) -> None:
    typed += ["author@example.com", PASSWORD]
    ran = signing_in()
    assert ran.code == 0, ran.err
    assert ran.out.startswith("Signed in as author@example.com")
    assert stat.S_IMODE((config / "credentials.json").stat().st_mode) == 0o600
    assert PASSWORD not in ran.out + ran.err
    assert TOKEN not in ran.out + ran.err


def test_a_new_password_is_asked_for_twice_and_again_where_it_breaks_a_rule(
    signing_in: Run, deployment: Deployment, typed: list[str]
) -> None:
    deployment.challenges = [
        {"ChallengeName": "NEW_PASSWORD_REQUIRED", "ChallengeParameters": {"USER_ID_FOR_SRP": "5f0c"}}
    ]
    typed += [PASSWORD, "mistyped", "New-horse-1", "New-horse-1", "New-horse-1"]
    ran = signing_in("--username", "author@example.com")
    assert ran.code == 0, ran.err
    assert deployment.answered == [{"USERNAME": "5f0c", "NEW_PASSWORD": "New-horse-1"}]
    assert "first time" in ran.err
    assert "New-horse-1" not in ran.out + ran.err


def test_a_code_is_asked_for(signing_in: Run, deployment: Deployment, typed: list[str]) -> None:
    deployment.challenges = [
        {"ChallengeName": "SOFTWARE_TOKEN_MFA", "ChallengeParameters": {"USER_ID_FOR_SRP": "5f0c"}}
    ]
    typed += [PASSWORD, "123456"]
    assert signing_in("--username", "author@example.com").code == 0
    assert deployment.answered == [{"USERNAME": "5f0c", "SOFTWARE_TOKEN_MFA_CODE": "123456"}]


def test_without_a_terminal_it_says_which_variable_to_set(signing_in: Run) -> None:
    ran = signing_in("--username", "author@example.com")
    assert ran.code == 1
    assert "IDP_PASSWORD" in ran.err


def test_logout_removes_the_tokens(run: Run, config: Path) -> None:
    assert run("logout").code == 0
    assert TOKEN not in (config / "credentials.json").read_text()
    again = run("logout")
    assert (again.code, again.out) == (0, "Nobody was signed in.\n")


def test_the_local_file_is_the_one_the_runtime_writes() -> None:
    from idp_local.command import DIRECTORY
    from idp_local.connection import FILE_NAME

    assert DIRECTORY / FILE_NAME == login.LOCAL_FILE
