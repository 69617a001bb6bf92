"""A moving line on a terminal while something takes time."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager, nullcontext


def waiting(what: str) -> AbstractContextManager[object]:
    """Return a context that shows a moving line on stderr, or nothing if stderr is no terminal."""
    if not sys.stderr.isatty():
        return nullcontext()
    from rich.console import Console

    return Console(stderr=True).status(what)
