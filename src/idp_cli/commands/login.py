"""`configure`, `login`, `logout`, `whoami`: the deployment and its signed-in user."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from idp_cli.commands.users import known_as, scope_text
from idp_cli.output import remark
from idp_cli.session import Session, shared_options

if TYPE_CHECKING:
    from idp_sdk import Challenge

LOCAL_FILE = Path(".idp-local/connection.json")


@click.command()
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--stack", metavar="NAME", help="The stack, if the file has the outputs of several.")
@shared_options
@click.pass_obj
def configure(session: Session, file: Path | None, stack: str | None) -> None:
    """Write a profile from a stack's outputs or a local connection.json.

    FILE is what `cdk deploy --outputs-file FILE` wrote, or the `connection.json` of a local runtime; without it
    `.idp-local/connection.json` in this folder is read.
    """
    from idp_sdk.connection import read_connection
    from idp_sdk.errors import NotConfigured
    from idp_sdk.signin.profiles import DEFAULT_PROFILE, Profiles

    if file is None and not LOCAL_FILE.exists():
        raise click.UsageError(f"Give the file with the stack's outputs; there is no {LOCAL_FILE} here either.")
    try:
        connection = read_connection(file or LOCAL_FILE, stack=stack)
    except NotConfigured as error:
        raise click.ClickException(error.message) from None
    name = session.profile or os.environ.get("IDP_PROFILE") or DEFAULT_PROFILE
    profiles = Profiles()
    profiles.save_connection(name, connection)
    session.show(
        {"profile": name, **connection.model_dump(mode="json", by_alias=True)},
        [
            f"Profile '{name}' leads to {connection.graphql_url}.",
            "Sign in with:",
            f"  idp-cli login{'' if name == DEFAULT_PROFILE else f' --profile {name}'}",
        ],
    )


@click.command()
@click.option("--username", metavar="NAME", help="User name or e-mail address (default: IDP_USERNAME, else asked).")
@shared_options
@click.pass_obj
def login(session: Session, username: str | None) -> None:
    """Sign in and keep the tokens in the profile.

    The password is asked for, or taken from IDP_PASSWORD. Cognito may also ask for a new password or a
    code.
    """
    from idp_sdk.signin.configuration import find_settings
    from idp_sdk.signin.sign_in import sign_in

    settings = find_settings(profile=session.profile)
    user = username or os.environ.get("IDP_USERNAME") or _ask("User name", "--username NAME")
    password = os.environ.get("IDP_PASSWORD") or _ask("Password", "IDP_PASSWORD", hide=True)
    sign_in(user, password, profile=session.profile, answer=_answer, http_client=session.http_client)
    session.show(
        {"username": user, "profile": settings.profile, "graphqlUrl": settings.connection.graphql_url},
        [f"Signed in as {user} at {settings.connection.graphql_url} (profile '{settings.profile}')."],
    )


@click.command()
@shared_options
@click.pass_obj
def logout(session: Session) -> None:
    """Sign out and remove the tokens of the profile."""
    from idp_sdk.errors import NotSignedIn
    from idp_sdk.signin.sign_in import sign_out

    try:
        revoked = sign_out(profile=session.profile, http_client=session.http_client)
    except NotSignedIn:
        session.show({"signedOut": False}, ["Nobody was signed in."])
        return
    session.show({"signedOut": True}, ["Signed out; the tokens are removed from this machine."])
    if not revoked:
        remark("Cognito could not revoke them; they expire by themselves.")


@click.command()
@shared_options
@click.pass_obj
def whoami(session: Session) -> None:
    """Show who is signed in, at which deployment, and with which rights."""
    with session.client() as client:
        user = client.users.me()
    session.show(
        user,
        [
            f"User: {known_as(user)}",
            f"Groups: {', '.join(user.groups) or 'none'}",
            f"Configuration versions: {scope_text(user)}",
            f"Deployment: {client.connection.graphql_url} (profile '{client.profile}')",
        ],
    )


def _answer(challenge: Challenge) -> str:
    if challenge.problem:
        remark(challenge.problem)
    new_password = challenge.name == "NEW_PASSWORD_REQUIRED"
    if new_password and not challenge.problem:
        remark("You sign in for the first time: choose a password of your own.")
    return _ask(challenge.prompt, "a terminal", hide=new_password, confirm=new_password)


def _ask(question: str, instead: str, *, hide: bool = False, confirm: bool = False) -> str:
    """Ask on stderr, because stdout is for data, and return what the user types."""
    if not sys.stdin.isatty():
        raise click.ClickException(f"{question} is needed and there is no terminal to ask on. Use {instead}.")
    answer: str = click.prompt(question, hide_input=hide, confirmation_prompt=confirm, err=True)
    return answer
