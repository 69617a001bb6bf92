"""Files on disk: which can be sent, and which of them are documents."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from idp_finetuning.test_sets.document_types import BEGINNING_BYTES, why_litter, why_no_document
from idp_sdk.errors import InvalidInput


class IgnoredFile(BaseModel):
    """A file or folder that is not sent, and why; folders end in a slash, bytes that are not UTF-8 are escaped."""

    model_config = ConfigDict(frozen=True)

    path: str
    reason: str


def walk(root: Path, folder: Path | None = None) -> Iterator[tuple[Path, str | None]]:
    """Yield the files below a folder in path order, with the reason if one cannot be sent, and unusable folders.

    Raises InvalidInput if the folder itself cannot be read.
    """
    here = folder or root
    try:
        entries = sorted(here.iterdir())
        os.stat(f"{here}/.")  # noqa: PTH116 - Path drops the dot; refused if the folder can be listed, but not searched
    except OSError as error:
        if folder is None:
            raise InvalidInput(f"'{root}' cannot be read: {error.strerror}. Correct its permissions.") from None
        yield here, _not_readable(error)
        return
    if folder and not entries:
        yield here, "an empty folder"
    for entry in entries:
        reason = _why_unusable(root, entry)
        if reason is None and entry.is_dir():
            yield from walk(root, entry)
        else:
            yield entry, reason


def _why_unusable(root: Path, entry: Path) -> str | None:
    if reason := why_litter(entry.name):
        return reason
    try:
        entry.stat()
        if entry.is_symlink():
            if entry.is_dir():
                return "a link to a folder"
            if not Path(os.path.realpath(entry)).is_relative_to(root):
                return "a link to outside of the folder"
    except OSError as error:
        if isinstance(error, FileNotFoundError):
            return "a link to nothing"
        return "a link that leads to itself" if error.errno == errno.ELOOP else _not_readable(error)
    return None if entry.is_dir() or entry.is_file() else "not a regular file"


def why_not_sent(file: Path, path: str) -> str | None:
    """Return why a file is no document under this path, or None if it may be sent as one."""
    try:
        size = file.stat().st_size
        return why_no_document(path, size) or why_no_document(path, size, _read_beginning(file))
    except OSError as error:
        return _not_readable(error)


def why_content_not_sent(content: Path | bytes, path: str) -> str | None:
    """Return as `why_not_sent` does why content, in a file or in memory, is no document."""
    if isinstance(content, Path):
        return why_not_sent(content, path)
    return why_no_document(path, len(content), content[:BEGINNING_BYTES])


def is_folder(file: Path) -> bool:
    """Return whether this is a folder, as far as can be seen."""
    try:
        return file.is_dir()
    except OSError:
        return False


def is_regular_file(file: Path) -> bool:
    """Return whether there is a file that can be looked at, and no folder, pipe or device."""
    try:
        return file.is_file()
    except OSError:
        return False


def _read_beginning(file: Path) -> bytes:
    with file.open("rb") as stream:
        return stream.read(BEGINNING_BYTES)


def _not_readable(error: OSError) -> str:
    return f"not readable: {error.strerror}"


def show_path(file: Path, root: Path) -> str:
    """Return the path below the root, a folder's with a slash at its end, as text that can be written anywhere."""
    shown = os.fsencode(file.relative_to(root).as_posix()).decode("utf-8", "backslashreplace")
    return f"{shown}/" if is_folder(file) else shown
