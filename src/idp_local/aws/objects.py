"""Contents of S3 objects on disk, and lists of versions that copy none of them.

moto keeps objects below 5 MB in memory, and copies the contents of the whole bucket for every list of versions.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection
from pathlib import Path
from threading import Lock
from typing import Any

from moto.s3 import models

IN_MEMORY_BYTES = 4096  # beside a record of a few kB that moto has of every object


class ObjectFolder:
    """A folder with a file for each content; with `keep` a deleted object's file stays until `remove_all_but`."""

    def __init__(self, path: Path, *, keep: bool = False) -> None:
        self.path = path
        self.keep = keep
        taken = [int(file.name) for file in path.iterdir() if file.name.isdecimal()]
        self._numbers = itertools.count(max(taken, default=0) + 1)

    def use(self) -> None:
        """Keep the contents of all objects of moto here from now on."""
        ObjectContent.folder = self

        class Files:
            """What moto knows as the module `tempfile`."""

            @staticmethod
            def SpooledTemporaryFile(max_size: int) -> ObjectContent:  # noqa: ARG004, N802 - Python's name
                return ObjectContent(str(next(self._numbers)))

        vars(models)["tempfile"] = Files
        for name, method in _METHODS.items():
            setattr(models.FakeKey, name, method)

    def remove_all_but(self, names: Collection[str]) -> None:
        """Remove the files of contents that are no longer needed."""
        for file in self.path.iterdir():
            if file.name not in names:
                file.unlink()


class ObjectContent:
    """Bytes in memory or, if they are many, in a file that is open only while it is used; has what moto calls."""

    folder: ObjectFolder

    def __init__(self, name: str) -> None:
        self.name = name
        self._memory: bytes | None = b""
        self._position = 0

    @property
    def _path(self) -> Path:
        return self.folder.path / self.name

    def seek(self, position: int) -> None:
        """Set where the next read or write begins."""
        self._position = position

    def truncate(self) -> None:
        """Leave out what follows the position."""
        self._store(self._load(0, self._position))

    def write(self, content: bytes) -> None:
        """Replace what follows the position."""
        before = self._load(0, self._position)
        self._store(before + content if before else content)
        self._position = len(before) + len(content)

    def read(self, size: int = -1) -> bytes:
        """Return the bytes from the position on, at most `size` if it is not negative."""
        content = self._load(self._position, size)
        self._position += len(content)
        return content

    def close(self) -> None:
        """Remove the file."""
        self._memory = b""
        if not self.folder.keep:
            self._path.unlink(missing_ok=True)

    def _load(self, start: int, size: int) -> bytes:
        if self._memory is not None:
            return self._memory[start : None if size < 0 else start + size]
        with self._path.open("rb") as file:
            file.seek(start)
            return file.read(size)

    def _store(self, content: bytes) -> None:
        if len(content) > IN_MEMORY_BYTES:
            self._path.write_bytes(content)
            self._memory = None
            return
        if self._memory is None:
            self.close()
        self._memory = content


def _share_content(key: models.FakeKey, _: dict[int, Any]) -> models.FakeKey:
    """Return a copy of the record for a list of versions, with the content of the original, which still owns it."""
    copied: Any = models.FakeKey.__new__(models.FakeKey)
    copied.__dict__.update(key.__dict__)
    copied.disposed = True
    shared: models.FakeKey = copied
    return shared


def _get_state(key: models.FakeKey) -> dict[str, Any]:
    """Return what is pickled of an object: its record, and which file has its content."""
    return {name: value for name, value in vars(key).items() if name != "lock"}


def _set_state(key: models.FakeKey, state: dict[str, Any]) -> None:
    vars(key).update(state, lock=Lock())


_METHODS = {"__deepcopy__": _share_content, "__getstate__": _get_state, "__setstate__": _set_state}
