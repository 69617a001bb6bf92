"""A group of commands about one noun."""

from __future__ import annotations

import click


class Noun(click.Group):
    """Lists its commands in the order of their module, which is that of their use."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - as click calls it
        """Return the names in that order."""
        return list(self.commands)
