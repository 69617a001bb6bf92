"""Who may use which configuration versions: all, those that are listed, or what the deployment gives."""

from __future__ import annotations

import pytest

from tests.idp_cli.conftest import Run
from tests.support.cli import samples
from tests.support.cli.deployment import Deployment


@pytest.mark.parametrize(
    ("words", "sent"),
    [(("--allow", "a", "--allow", "b"), ["a", "b"]), (("--all",), []), (("--default",), None)],
)
def test_a_scope_is_sent_as_the_api_takes_it(
    run: Run, deployment: Deployment, words: tuple[str, ...], sent: list[str] | None
) -> None:
    assert run("users", "scope", "viewer@example.com", *words).code == 0
    assert deployment.called("updateUser") == {
        "input": {"user": "viewer@example.com", "allowedConfigVersions": sent},
    }


def test_a_user_without_group_and_scope_is_listed_as_such(run: Run, deployment: Deployment) -> None:
    nobody = samples.user(email=None, username="nobody", groups=[], scope="NONE")
    deployment.fields["listUsers"] = lambda given: {"items": [nobody], "nextToken": None}
    assert run("users", "list").out.splitlines()[1].split() == ["nobody", "-", "none"]


def test_a_version_that_does_not_exist_is_warned_of(run: Run, deployment: Deployment) -> None:
    ran = run("users", "scope", "viewer@example.com", "--allow", "default", "--allow", "typo")
    assert ran.code == 0
    assert ran.err == (
        "Warning: there is no configuration version 'typo'. `idp-cli config-version list` shows those there are.\n"
    )
