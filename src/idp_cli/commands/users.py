"""`users`: who uses the deployment, and which configuration versions they may use."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from idp_cli.noun import Noun
from idp_cli.output import remark, table
from idp_cli.session import Session, shared_options

if TYPE_CHECKING:
    from idp_sdk import User


@click.group(cls=Noun)
def users() -> None:
    """Users and the configuration versions they may use."""


@users.command("list")
@shared_options
@click.pass_obj
def list_users(session: Session) -> None:
    """List users, for Admins.

    With their groups and configuration versions.
    """
    with session.client() as client:
        found = list(client.users.list())
    session.show(found, user_lines(found))


@users.command()
@click.argument("user")
@click.option("--allow", multiple=True, metavar="VERSION", help="A version the user may use; may be repeated.")
@click.option("--all", "everything", is_flag=True, help="Allow all versions.")
@click.option("--default", "undecided", is_flag=True, help="Go back to the deployment's default.")
@shared_options
@click.pass_obj
def scope(session: Session, user: str, allow: tuple[str, ...], everything: bool, undecided: bool) -> None:
    """Set which versions a user may use, for Admins.

    USER is a name, an e-mail address or an id.
    """
    if bool(allow) + everything + undecided != 1:
        raise click.UsageError("Give either --allow VERSION (once or more), or --all, or --default.")
    with session.client() as client:
        changed = client.users.scope(user, None if undecided else allow)
        known = {version.name for version in client.config_versions.list()} if allow else set()
    session.show(changed, [f"{known_as(changed)} may use: {scope_text(changed)}"])
    for name in sorted(set(allow) - known):
        remark(
            f"Warning: there is no configuration version '{name}'. `idp-cli config-version list` shows those there are."
        )


def user_lines(found: Iterable[User]) -> list[str]:
    """Return a table of users."""
    rows = [(known_as(user), ", ".join(user.groups) or "-", scope_text(user)) for user in found]
    return table([("USER", "GROUPS", "CONFIGURATION VERSIONS"), *rows])


def known_as(user: User) -> str:
    """Return the e-mail address if there is one: in pools of e-mail addresses Cognito makes up the user name."""
    return user.email or user.username


def scope_text(user: User) -> str:
    """Return `all`, `none`, or the names of the versions."""
    return ", ".join(user.allowed_config_versions) if user.scope == "LISTED" else user.scope.lower()
