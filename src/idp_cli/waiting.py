"""Says on a terminal that something takes its time."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager, nullcontext


def waiting(what: str) -> AbstractContextManager[object]:
    """A moving line on stderr while the block runs; nothing where stderr is no terminal."""
    if not sys.stderr.isatty():
        return nullcontext()
    from rich.console import Console

    return Console(stderr=True).status(what)
