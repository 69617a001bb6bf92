"""Files and folders that nobody but the user may read, whatever the umask: they hold passwords and documents."""

from __future__ import annotations

import os
from pathlib import Path


def make_private(folder: Path) -> Path:
    """Make a folder with those above it, take all rights to it from others, and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    return folder


def write_private(path: Path, content: bytes) -> None:
    """Write a file, whole or not at all: a reader never sees half of it."""
    draft = path.with_suffix(f".{os.getpid()}")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
    draft.replace(path)
