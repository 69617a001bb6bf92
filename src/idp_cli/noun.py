"""The group of commands about one thing."""

from __future__ import annotations

import click


class Noun(click.Group):
    """Its commands stand in the help in the order in which one needs them: that of the module."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - as click calls it
        """Names in that order."""
        return list(self.commands)
