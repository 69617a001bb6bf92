"""A labelled folder: which files go to a test set under which key, and which do not, and why."""

from __future__ import annotations

import os
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from idp_finetuning.nova.prompt import MAXIMUM_CLASS_NAME, MAXIMUM_CLASS_NAME_BYTES
from idp_finetuning.test_sets.test_set import MAXIMUM_DOCUMENT_BYTES, MAXIMUM_KEY_BYTES
from idp_finetuning.text import is_one_line
from idp_sdk.errors import InvalidInput
from idp_sdk.uploads.labelled import LabelledDocument, LabelledSection, LocalFile, baseline_key


class Layout(StrEnum):
    """How a folder is labelled.

    CLASSES: `<class>/…/<file>`, one document of that class a file. ACCELERATOR: `input/…/<file>` with
    `baseline/…/<file>/sections/<n>/result.json`. AUTO: ACCELERATOR if both folders are there.
    """

    AUTO = "auto"
    CLASSES = "classes"
    ACCELERATOR = "accelerator"


class IgnoredFile(BaseModel):
    """A file or folder that is not sent, and why; folders end in a slash."""

    model_config = ConfigDict(frozen=True)

    path: str
    reason: str


class LabelledFolder(BaseModel):
    """The files of a folder, in path order."""

    model_config = ConfigDict(frozen=True)

    layout: Layout
    files: tuple[LocalFile, ...]
    ignored: tuple[IgnoredFile, ...]

    @property
    def documents(self) -> int:
        """Number of documents."""
        return sum(file.key.startswith("input/") for file in self.files)


def read_folder(folder: Path, layout: Layout = Layout.AUTO) -> LabelledFolder:
    """Read the labelled documents in a folder. Raises InvalidInput if it is no folder or has no document."""
    if not folder.is_dir():
        raise InvalidInput(f"'{folder}' is not a folder. Give a folder that has one folder for each class.")
    root = folder.resolve()
    if layout is Layout.AUTO:
        both = (root / "input").is_dir() and (root / "baseline").is_dir()
        layout = Layout.ACCELERATOR if both else Layout.CLASSES
    files: list[LocalFile] = []
    ignored: list[IgnoredFile] = []
    for found in _walk(root):
        if reason := _why_unusable(root, found) or _why_misplaced(found.relative_to(root), layout):
            path = found.relative_to(root).as_posix() + "/" * found.is_dir()
            ignored.append(IgnoredFile(path=path, reason=reason))
        else:
            files.extend(_files(found, found.relative_to(root), layout))
    read = LabelledFolder(layout=layout, files=tuple(files), ignored=tuple(ignored))
    if not read.documents:
        raise InvalidInput(
            f"'{folder}' has no labelled document. Put the documents into folders named after their classes, for "
            f"example {folder.name or 'documents'}/invoice/scan.pdf, or into input/ with their labels in baseline/."
        )
    return read


def _walk(folder: Path) -> Iterator[Path]:
    """Files below a folder, and the folders that cannot be read or are empty."""
    for entry in sorted(folder.iterdir()):
        if _is_readable_folder(entry):
            yield from _walk(entry)
        else:
            yield entry


def _is_readable_folder(entry: Path) -> bool:
    if not entry.is_dir() or entry.is_symlink() or entry.name.startswith("."):
        return False
    return os.access(entry, os.R_OK | os.X_OK) and any(entry.iterdir())


def _why_unusable(root: Path, found: Path) -> str | None:
    checks = (
        (found.name.startswith("."), "hidden"),
        (found.is_symlink() and found.is_dir(), "a link to a folder"),
        (found.is_symlink() and not found.resolve().is_relative_to(root), "a link to outside of the folder"),
        (found.is_symlink() and not found.exists(), "a link to nothing"),
        (not os.access(found, os.R_OK), "not readable"),
        (found.is_dir(), "an empty folder"),
        (not found.is_file(), "not a regular file"),
    )
    if reason := next((reason for holds, reason in checks if holds), None):
        return reason
    return "larger than 250 MB" if found.stat().st_size > MAXIMUM_DOCUMENT_BYTES else None


def _why_misplaced(path: Path, layout: Layout) -> str | None:
    name = path.as_posix()
    if not is_one_line(name):
        return "name with characters that an S3 key cannot have"
    if "${filename}" in name:
        return "name with ${filename}, which S3 replaces in uploads"
    if layout is Layout.ACCELERATOR:
        if path.parts[0] not in ("input", "baseline") or len(path.parts) == 1:
            return "outside input/ and baseline/"
        return "path too long" if len(name.encode()) > MAXIMUM_KEY_BYTES else None
    if len(path.parts) == 1:
        return "outside a class folder"
    class_name = _class_name(path)
    if not class_name:
        return "class folder without a name"
    if len(class_name) > MAXIMUM_CLASS_NAME or len(class_name.encode()) > MAXIMUM_CLASS_NAME_BYTES:
        return f"class name above {MAXIMUM_CLASS_NAME} characters ({MAXIMUM_CLASS_NAME_BYTES} bytes)"
    return "path too long" if len(baseline_key(name).encode()) > MAXIMUM_KEY_BYTES else None


def _files(found: Path, path: Path, layout: Layout) -> Iterator[LocalFile]:
    if layout is Layout.ACCELERATOR:
        yield LocalFile(key=path.as_posix(), size=found.stat().st_size, content=found)
        return
    section = LabelledSection(class_name=_class_name(path))
    yield from LabelledDocument(path=path.as_posix(), content=found, sections=(section,)).files()


def _class_name(path: Path) -> str:
    return path.parts[0].strip()
