"""How a command fails: a message on stderr and an exit code."""

from __future__ import annotations

import os
import re
import sys

import click

from idp_cli.api_names import in_cli_words
from idp_cli.output import printable
from idp_cli.session import FAILED
from idp_sdk.errors import IDPError, InvalidInput, NotConfigured, NotSignedIn, Unauthorized

WRONG_VALUE = 2
NOT_ALLOWED = 3

_PROFILED = re.compile(r"\bidp-cli (?:login|configure FILE)")


def show_error(error: Exception, profile: str | None = None) -> int:
    """Print the error on stderr and return the exit code.

    An unexpected exception is named without its text, which may have a secret in it. Commands in the message get the
    `profile` that was given. With `IDP_DEBUG` set to anything the exception is raised, for debugging.
    """
    if os.environ.get("IDP_DEBUG"):
        raise error
    message = _message(error)
    if profile:
        message = _PROFILED.sub(lambda found: f"{found[0]} --profile {profile}", message)
    click.echo(f"{_label()} {printable(message)}", err=True)
    if isinstance(error, InvalidInput):
        return WRONG_VALUE
    return NOT_ALLOWED if isinstance(error, (NotConfigured, NotSignedIn, Unauthorized)) else FAILED


def _message(error: Exception) -> str:
    if isinstance(error, IDPError):
        return in_cli_words(error.message)
    if isinstance(error, OSError):
        place = f"'{error.filename}': " if error.filename else ""
        return f"{place}{error.strerror or type(error).__name__}."
    return f"{type(error).__name__} was not expected. Set IDP_DEBUG=1 to see where it came from, and report it."


def _label() -> str:
    coloured = sys.stderr.isatty() and not os.environ.get("NO_COLOR")
    return click.style("Error:", fg="red", bold=True) if coloured else "Error:"
