"""One file in which a process of the local runtime keeps its state for the next start."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

from idp_local.private_files import write_private

UNREADABLE = "unreadable"  # what a process says at its start, in place of its address


class StateUnreadable(Exception):
    """The file is damaged, or another release wrote it."""


class StateFile:
    """A pickle for its owner only, in a folder that is the user's alone; read if the same `form` of state wrote it."""

    def __init__(self, path: Path, *, form: str) -> None:
        self._path = path
        self._form = form

    def read(self) -> Any | None:
        """Return what was written, or None if there is nothing. Raises StateUnreadable."""
        try:
            with self._path.open("rb") as file:
                # The form is read first: the rest may name classes that this release does not have.
                if pickle.load(file) != self._form:  # noqa: S301 - from the user's own folder
                    raise StateUnreadable
                return pickle.load(file)  # noqa: S301
        except FileNotFoundError:
            return None
        except (OSError, pickle.PickleError, EOFError, AttributeError, ImportError, ValueError, TypeError) as error:
            raise StateUnreadable from error

    def write(self, content: Any) -> None:
        """Replace the file, whole or not at all."""
        write_private(self._path, pickle.dumps(self._form) + pickle.dumps(content))
