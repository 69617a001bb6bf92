"""A labelled folder: which files go to a test set under which key, and which do not, and why."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path, PurePosixPath

from pydantic import BaseModel, ConfigDict

from idp_finetuning.nova.prompt import MAXIMUM_CLASS_NAME, MAXIMUM_CLASS_NAME_BYTES
from idp_finetuning.test_sets.test_set import MAXIMUM_KEY_BYTES
from idp_finetuning.text import is_one_line, is_unicode, join_first, normal_form
from idp_sdk.errors import InvalidInput
from idp_sdk.uploads.labelled import LabelledDocument, LabelledSection, LocalFile, baseline_key
from idp_sdk.uploads.local_files import IgnoredFile, is_folder, show_path, walk, why_content_not_sent, why_not_sent


class Layout(StrEnum):
    """How a folder is labelled.

    CLASSES: `<class>/…/<file>`, one document of that class a file. ACCELERATOR: `input/…/<file>` with
    `baseline/…/<file>/sections/<n>/result.json`. AUTO: ACCELERATOR if both folders are there.
    """

    AUTO = "auto"
    CLASSES = "classes"
    ACCELERATOR = "accelerator"


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
    root = _find_root(folder)
    entries = list(walk(root))
    if layout is Layout.AUTO:
        first = {found.relative_to(root).parts[0] for found, _ in entries if found.parent != root or is_folder(found)}
        layout = Layout.ACCELERATOR if {"input", "baseline"} <= first else Layout.CLASSES
    files: list[LocalFile] = []
    ignored: list[IgnoredFile] = []
    for found, unusable in entries:
        path = found.relative_to(root)
        try:
            if reason := unusable or _why_misplaced(path, layout) or _why_no_document(found, path, layout):
                ignored.append(IgnoredFile(path=show_path(found, root), reason=reason))
            else:
                files.extend(_files(found, path, layout))
        except FileNotFoundError:
            ignored.append(IgnoredFile(path=show_path(found, root), reason="removed while the folder was read"))
    files, without_document = _part_labels(files, {item.path.rstrip("/") for item in ignored})
    read = LabelledFolder(layout=layout, files=tuple(files), ignored=(*ignored, *without_document))
    if not read.documents:
        named = join_first(f"{item.path} ({item.reason})" for item in ignored)
        raise InvalidInput(
            f"'{folder}' has no labelled document. Put the documents into folders named after their classes, for "
            f"example {folder.name or 'documents'}/invoice/scan.pdf, or into input/ with their labels in baseline/."
            f"{f' Left out: {named}.' if named else ''}"
        )
    return read


def _find_root(folder: Path) -> Path:
    try:
        if folder.is_dir():
            return folder.resolve()
    except (OSError, RuntimeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "its links lead to themselves"
        raise InvalidInput(f"'{folder}' cannot be read: {reason}. Correct its path or permissions.") from None
    raise InvalidInput(f"'{folder}' is not a folder. Give a folder that has one folder for each class.")


def _part_labels(files: list[LocalFile], ignored: set[str]) -> tuple[list[LocalFile], list[IgnoredFile]]:
    """Part the files from labels of documents, or of whole folders, that are not sent."""
    if not any(path == "input" or path.startswith("input/") for path in ignored):
        return files, []
    sent: list[LocalFile] = []
    without_document: list[IgnoredFile] = []
    for file in files:
        above = (f"input/{path}" for path in PurePosixPath(file.key.removeprefix("baseline/")).parents)
        if file.key.startswith("baseline/") and not ignored.isdisjoint(above):
            without_document.append(IgnoredFile(path=file.key, reason="labels of a document that is not sent"))
        else:
            sent.append(file)
    return sent, without_document


def why_document_not_sent(document: LabelledDocument) -> str | None:
    """Return why a document cannot be part of a test set, by its path and content; None if it can."""
    if reason := _why_no_key(document.path):
        return reason
    if len(baseline_key(document.path).encode()) > MAXIMUM_KEY_BYTES:
        return "path too long"
    return why_content_not_sent(document.content, document.path)


def _why_no_key(name: str) -> str | None:
    if not is_unicode(name):
        return "name that is not UTF-8; rename it"
    if not is_one_line(name):
        return "name with characters that an S3 key cannot have"
    if "${filename}" in name:
        return "name with ${filename}, which S3 replaces in uploads"
    return "name with $, which S3 does not accept in uploads; rename it" if "$" in name else None


def _why_misplaced(path: Path, layout: Layout) -> str | None:
    name = path.as_posix()
    if reason := _why_no_key(name):
        return reason
    if layout is Layout.ACCELERATOR:
        if path.parts[0] not in ("input", "baseline") or len(path.parts) == 1:
            return "outside input/ and baseline/"
        return "path too long" if len(name.encode()) > MAXIMUM_KEY_BYTES else None
    if len(path.parts) == 1:
        return "outside a class folder"
    class_name = _class_name(path)
    if not normal_form(class_name):
        return "class folder without a name"
    if len(class_name) > MAXIMUM_CLASS_NAME or len(class_name.encode()) > MAXIMUM_CLASS_NAME_BYTES:
        return f"class name above {MAXIMUM_CLASS_NAME} characters ({MAXIMUM_CLASS_NAME_BYTES} bytes)"
    return "path too long" if len(baseline_key(name).encode()) > MAXIMUM_KEY_BYTES else None


def _why_no_document(found: Path, path: Path, layout: Layout) -> str | None:
    if layout is Layout.ACCELERATOR and path.parts[0] == "baseline":
        return None
    return why_not_sent(found, path.as_posix())


def _files(found: Path, path: Path, layout: Layout) -> Iterator[LocalFile]:
    if layout is Layout.ACCELERATOR:
        yield LocalFile(key=path.as_posix(), size=found.stat().st_size, content=found)
        return
    section = LabelledSection(class_name=_class_name(path))
    yield from LabelledDocument(path=path.as_posix(), content=found, sections=(section,)).files()


def _class_name(path: Path) -> str:
    return path.parts[0].strip()
