"""Labels from folders, with the pages counted: each sub-folder is a class, its files are documents of that class."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from pydantic import BaseModel, ConfigDict

from idp_finetuning.adapters.pages import open_document
from idp_finetuning.errors import DocumentRejected
from idp_sdk import IgnoredFile, LabelledDocument, LabelledSection, Layout
from idp_sdk.uploads.folders import read_folder


class ClassFolders(BaseModel):
    """The content of a folder of class folders."""

    model_config = ConfigDict(frozen=True)

    documents: tuple[LabelledDocument, ...]
    ignored: tuple[IgnoredFile, ...]


def read_class_folders(folder: Path) -> ClassFolders:
    """Read the documents below `<folder>/<class>/`, nested folders included, in path order.

    Pages are counted here, so that the labels can name them. A file whose pages cannot be counted keeps its class,
    without pages: the pipeline rejects it with its reason.
    Raises idp_sdk's InvalidInput if this is no folder or has no usable file.
    """
    found = read_folder(folder, Layout.CLASSES)
    documents = tuple(
        _label(file.key.removeprefix("input/"), file.content) for file in found.files if isinstance(file.content, Path)
    )
    return ClassFolders(documents=documents, ignored=found.ignored)


def _label(path: str, file: Path) -> LabelledDocument:
    pages = count_pages(file)
    indices = tuple(range(pages)) if pages else None
    section = LabelledSection(class_name=PurePosixPath(path).parts[0].strip(), page_indices=indices)
    return LabelledDocument(path=path, content=file, sections=(section,))


def count_pages(file: Path) -> int | None:
    """Count pages as the pipeline will, or return None if it will reject the file."""
    try:
        with open_document(file.read_bytes()) as document:
            return document.page_count
    except DocumentRejected:
        return None
