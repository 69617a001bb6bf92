"""A moving line on a terminal while something takes time."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from idp_cli.output import printable

if TYPE_CHECKING:
    from rich.status import Status


class Waiting:
    """The line; `say` changes it."""

    def __init__(self, status: Status | None) -> None:
        self._status = status

    def say(self, what: str) -> None:
        """Show another text."""
        if self._status:
            from rich.markup import escape

            self._status.update(escape(printable(what)))


@contextmanager
def waiting(what: str) -> Iterator[Waiting]:
    """Show a moving line on stderr while the block runs, or nothing if stderr is no terminal."""
    if not sys.stderr.isatty():
        yield Waiting(None)
        return
    from rich.console import Console

    with Console(stderr=True).status(what) as status:
        yield Waiting(status)
