"""What the parts of one invocation share: the profile, the form of the output, and the SDK's client."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

from idp_cli.output import print_json, print_lines, remark

if TYPE_CHECKING:
    import httpx

    from idp_sdk import IDPClient

FAILED = 1
INTERRUPTED = 130
STAND_IN = "local stand-in: shows that the pipeline works, says nothing about Nova"


@dataclass
class Session:
    """One invocation: the shared options, and for tests the HTTP client to send with."""

    json: bool = False
    profile: str | None = None
    http_client: httpx.Client | None = None

    def client(self) -> IDPClient:
        """Return the SDK's client, a context manager."""
        from idp_sdk import IDPClient

        return IDPClient(profile=self.profile, http_client=self.http_client)

    def show(self, value: object, lines: Sequence[str]) -> None:
        """Print the command's data: the lines, or with `--json` the value with the API's names."""
        if self.json:
            print_json(_json(value))
        else:
            print_lines(lines)

    def say_stand_in(self, client: IDPClient) -> None:
        """Say on stderr that figures come from the local runtime, if they do."""
        if words := find_stand_in(client):
            remark(f"({words})")


def find_stand_in(client: IDPClient) -> str | None:
    """Return what to say of scores if the client's models are the local stand-in's, else None."""
    from idp_sdk.connection import is_local

    return STAND_IN if is_local(client.connection.cognito_endpoint_url or "") else None


def _json(value: Any) -> object:
    if isinstance(value, (list, tuple)):
        return [_json(item) for item in value]
    return value.model_dump(mode="json", by_alias=True) if hasattr(value, "model_dump") else value


def _keep_option(ctx: click.Context, parameter: click.Parameter, value: object) -> None:
    if value and parameter.name:
        setattr(ctx.ensure_object(Session), parameter.name, value)


_Decorated = TypeVar("_Decorated", bound="Callable[..., Any] | click.Command")


def shared_options(command: _Decorated) -> _Decorated:
    """Add `--profile` and `--json`, which may precede and follow the name of a command."""
    for option in (
        click.option("--json", is_flag=True, expose_value=False, callback=_keep_option, help="Print one JSON value."),
        click.option(
            "--profile",
            metavar="NAME",
            expose_value=False,
            callback=_keep_option,
            help="Profile to use (default: default).",
        ),
    ):
        command = option(command)
    return command
