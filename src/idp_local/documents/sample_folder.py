"""The demo's documents as files: labelled ones in the accelerator's layout, and new ones to classify."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from idp_local.documents.generator import demo_test_set, unseen_documents
from idp_local.errors import LocalRuntimeError

LABELLED = "labelled"
NEW = "new"


def write_sample_folder(directory: Path) -> tuple[int, int]:
    """Write `labelled/` and `new/` into a new or empty directory; return the number of documents in each.

    The same files every time. Raises LocalRuntimeError if the directory has something in it or cannot be written.
    """
    try:
        if directory.exists() and any(directory.iterdir()):
            raise LocalRuntimeError(f"'{directory}' is not empty. Name a new folder.")
        labelled, new = demo_test_set(), unseen_documents()
        _write(directory / LABELLED, ((file.key, file.content) for document in labelled for file in document.files()))
        _write(directory / NEW, ((document.path, document.content) for document in new))
    except OSError as error:
        raise LocalRuntimeError(f"'{directory}' cannot be written: {error.strerror}.") from error
    return len(labelled), len(new)


def _write(directory: Path, files: Iterable[tuple[str, bytes | Path]]) -> None:
    for path, content in files:
        place = directory / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content if isinstance(content, bytes) else content.read_bytes())
