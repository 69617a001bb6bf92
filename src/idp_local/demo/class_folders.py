"""Labels from folders: each sub-folder of a folder is a class, its files are the documents of that class."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from idp_finetuning.adapters.pages import open_document
from idp_finetuning.errors import DocumentRejected, InvalidInput
from idp_finetuning.test_sets import MAXIMUM_KEY_BYTES
from idp_local.demo.labelled import LabelledDocument, LabelledSection

MAXIMUM_BYTES = 250_000_000  # of one file, the API's limit
MAXIMUM_CLASS_NAME = 200


class IgnoredFile(BaseModel):
    """A file or folder that is not uploaded, and why; folders end in a slash."""

    model_config = ConfigDict(frozen=True)

    path: str
    reason: str


class ClassFolders(BaseModel):
    """What a folder of class folders holds."""

    model_config = ConfigDict(frozen=True)

    documents: tuple[LabelledDocument, ...]
    ignored: tuple[IgnoredFile, ...]


def read_class_folders(folder: Path) -> ClassFolders:
    """The documents below `<folder>/<class>/`, nested folders included, in path order.

    Pages are counted here, so that the labels can name them. A file whose pages cannot be counted keeps its class
    and says nothing about pages: the pipeline rejects it with its reason.
    Raises InvalidInput where the folder is none or holds no usable file.
    """
    if not folder.is_dir():
        raise InvalidInput(f"'{folder}' is not a folder. Give a folder that holds one folder for each class.")
    root = folder.resolve()
    documents: list[LabelledDocument] = []
    ignored: list[IgnoredFile] = []
    for found in _found(root):
        path = found.relative_to(root).as_posix()
        if reason := _unusable(root, found):
            ignored.append(IgnoredFile(path=path + "/" * found.is_dir(), reason=reason))
        else:
            documents.append(_document(found, path))
    if not documents:
        raise InvalidInput(
            f"'{folder}' holds no document in a class folder. Put the documents into folders named after their "
            f"classes, for example {folder.name or 'documents'}/invoice/scan.pdf."
        )
    return ClassFolders(documents=tuple(documents), ignored=tuple(ignored))


def _found(folder: Path) -> Iterator[Path]:
    """Files below a folder, with the folders that are not entered."""
    for entry in sorted(folder.iterdir()):
        if _entered(entry):
            yield from _found(entry)
        else:
            yield entry


def _entered(entry: Path) -> bool:
    if not entry.is_dir() or entry.is_symlink() or entry.name.startswith("."):
        return False
    return os.access(entry, os.R_OK | os.X_OK) and any(entry.iterdir())


def _unusable(root: Path, found: Path) -> str | None:
    relative = found.relative_to(root)
    checks = (
        (found.name.startswith("."), "hidden"),
        (found.is_symlink() and found.is_dir(), "a link to a folder"),
        (found.is_symlink() and not found.resolve().is_relative_to(root), "a link to outside of the folder"),
        (found.is_symlink() and not found.exists(), "a link to nothing"),
        (not os.access(found, os.R_OK), "not readable"),
        (found.is_dir(), "an empty folder"),
        (not found.is_file(), "not a regular file"),
        (len(relative.parts) == 1, "outside a class folder"),
        (len(relative.parts[0]) > MAXIMUM_CLASS_NAME, f"class name above {MAXIMUM_CLASS_NAME} characters"),
        (not relative.as_posix().isprintable(), "name with characters that cannot be printed"),
    )
    if reason := next((reason for holds, reason in checks if holds), None):
        return reason
    if len(f"input/{relative.as_posix()}".encode()) > MAXIMUM_KEY_BYTES - len("baseline//sections/1/result.json"):
        return "path too long"
    return "larger than 250 MB" if found.stat().st_size > MAXIMUM_BYTES else None


def _document(file: Path, path: str) -> LabelledDocument:
    pages = count_pages(file)
    indices = tuple(range(pages)) if pages else None
    section = LabelledSection(class_name=path.split("/", 1)[0].strip(), page_indices=indices)
    return LabelledDocument(path=path, content=file, sections=(section,))


def count_pages(file: Path) -> int | None:
    """Pages as the pipeline will find them; None where it will reject the file."""
    try:
        with open_document(file.read_bytes()) as document:
            return document.page_count
    except DocumentRejected:
        return None
