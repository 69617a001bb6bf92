"""What drawing a document's pages showed, kept in front of its records, and the warnings that follow."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from pydantic import ValidationError

from idp_finetuning.text import join_first
from idp_finetuning.training_data.examples import ManifestDocument, page_labels
from idp_finetuning.wire import WireModel, read_stored_json

_BEGINNING = b'{"pageNotes":'


class PageNotes(WireModel):
    """Of each page in order: a digest of its image, how many of its characters no font has, and how it looks."""

    digests: tuple[str, ...]
    missing_glyphs: tuple[int, ...]
    looks: tuple[str, ...] = ()


class _Line(WireModel):
    page_notes: PageNotes


def image_digest(jpeg: bytes) -> str:
    """Return what is equal for equal page images."""
    return hashlib.sha256(jpeg).hexdigest()[:32]


def join_notes(notes: PageNotes, records: bytes) -> bytes:
    """Return the content of a document's example: a line with the notes, then a record a page."""
    return _Line(page_notes=notes).model_dump_json(by_alias=True).encode() + b"\n" + records


def split_notes(example: bytes) -> tuple[PageNotes | None, bytes]:
    """Return notes and records of an example; it may be from before there were notes."""
    if not example.startswith(_BEGINNING):
        return None, example
    line, _, records = example.partition(b"\n")
    try:
        return read_stored_json(_Line, line).page_notes, records
    except ValidationError:
        return None, records


class NotedPages:
    """The notes of all documents of a data set, as they pass."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._first: dict[str, tuple[str, str, int]] = {}
        self._contradictions: dict[str, None] = {}
        self._unshown: list[str] = []

    def add(self, document: ManifestDocument, notes: PageNotes) -> None:
        """Compare the pages of a document with those before."""
        path = document.key.removeprefix(self._prefix)
        labels = page_labels(document.sections, len(notes.digests))
        for number, (digest, label) in enumerate(zip(notes.digests, labels, strict=True), 1):
            name, other, page = self._first.setdefault(digest, (label.class_name, path, number))
            if name != label.class_name:
                pair = f"{other} page {page} ({name}) and {path} page {number} ({label.class_name})"
                self._contradictions[pair] = None
        self._unshown += [f"{path} page {page} ({n})" for page, n in enumerate(notes.missing_glyphs, 1) if n]

    def warnings(self) -> Iterator[str]:
        """Yield a sentence on pages that look the same under different labels, and one on characters not shown."""
        if self._contradictions:
            yield (
                "Identical page images have different labels, which a model cannot learn: "
                f"{join_first(self._contradictions)}. Correct the labels, or remove the documents."
            )
        if self._unshown:
            yield (
                f"Single characters are missing from page images, because no font here has them: "
                f"{join_first(self._unshown)}. Save the documents with their fonts embedded."
            )
