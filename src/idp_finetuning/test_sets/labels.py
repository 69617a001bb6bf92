"""Labels of a test set in the layout of AWS's IDP accelerator: read, and checked document by document."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from typing import Any

from idp_finetuning.nova.prompt import MAXIMUM_CLASS_NAME, MAXIMUM_CLASS_NAME_BYTES
from idp_finetuning.test_sets.document_types import has_document_name, why_no_document
from idp_finetuning.test_sets.keys import baseline_prefix, document_id, input_prefix, uploading_marker
from idp_finetuning.test_sets.test_set import MAXIMUM_PAGES
from idp_finetuning.text import is_one_line, normal_form
from idp_finetuning.wire import WireModel

# Of what is made of a test set's files: labels read by another edition are not those of this one.
EDITION = 2


class LabelProblem(StrEnum):
    """Why a document's labels cannot be used; the value is the sentence shown."""

    NO_BASELINE = "has no baseline"
    EMPTY_FILE = "has a baseline file that is empty"
    NOT_UTF8 = "has a baseline file that is not text in UTF-8"
    NOT_JSON = "has a baseline file that is not JSON"
    TOO_DEEP = "has a baseline file whose brackets are nested too deeply"
    NO_OBJECT = "has a baseline file that is JSON but no object {…}"
    UNCLASSIFIED = "has no classification in its baseline"
    CLASS_NOT_TEXT = "has a class that is not text"
    BAD_CLASS_NAME = (
        f"has a class name with a line break or more than {MAXIMUM_CLASS_NAME} characters "
        f"({MAXIMUM_CLASS_NAME_BYTES} bytes)"
    )
    PAGES_NOT_LISTED = "has page_indices that are no list"
    NO_PAGES = "has a section whose page_indices are empty"
    PAGES_NOT_NUMBERS = "has page_indices that are not all whole numbers"
    NEGATIVE_PAGE = "has a page index below 0"
    COUNTED_FROM_ONE = "has page_indices that count from 1, but the first page is 0"
    TOO_MANY_PAGES = f"has labels for more than {MAXIMUM_PAGES} pages"
    OVERLAP = "has sections that overlap"
    GAP = "has sections that leave pages out"

    @property
    def for_several(self) -> str:
        """The sentence with several documents as its subject."""
        return self.value.replace("has ", "have ", 1).replace(" its ", " their ", 1)


class StoredFile(WireModel):
    """An object as S3 lists it; size in bytes."""

    key: str
    size: int
    etag: str


class Listing(WireModel):
    """All objects of a test set, in key order."""

    test_set_id: str
    files: tuple[StoredFile, ...]

    @property
    def fingerprint(self) -> str:
        """40 hexadecimal characters that change with any key or content of the test set."""
        digest = hashlib.sha256(f"{EDITION}\0".encode())
        for file in self.files:
            digest.update(f"{file.key}\0{file.etag}\0".encode())
        return digest.hexdigest()[:40]

    @property
    def uploading(self) -> bool:
        """Whether an upload is still in progress."""
        return any(file.key == uploading_marker(self.test_set_id) for file in self.files)


class Section(WireModel):
    """A document within a file: its class and its 0-based pages (None: all pages of the file)."""

    class_name: str
    page_indices: tuple[int, ...] | None = None


class DocumentLabels(WireModel):
    """One file of a test set with its sections, or with the problem that keeps it from being used."""

    path: str
    size: int
    etag: str
    sections: tuple[Section, ...] = ()
    problem: LabelProblem | None = None

    @property
    def classes(self) -> frozenset[str]:
        """Class names of its sections."""
        return frozenset(section.class_name for section in self.sections)

    @property
    def page_count(self) -> int | None:
        """Number of pages in the labels; None if only the document itself shows it."""
        if not self.sections or any(section.page_indices is None for section in self.sections):
            return None
        return sum(len(section.page_indices or ()) for section in self.sections)

    def document_id(self, test_set_id: str) -> str:
        """Return the id of the document in every key of a job."""
        return document_id(input_prefix(test_set_id) + self.path)


class LeftOutFile(WireModel):
    """A file among the documents that is none, by its path, and why."""

    path: str
    reason: str


class Labels(WireModel):
    """The labels of a whole test set in path order.

    With them come files that are no documents, and baselines that belong to none.
    """

    test_set_id: str
    documents: tuple[DocumentLabels, ...]
    left_out: tuple[LeftOutFile, ...] = ()
    orphans: tuple[str, ...] = ()


# Contents, whole or the beginning, in the order of the keys.
ReadAll = Callable[[list[str]], Iterable[bytes]]

_SECTION_KEY = re.compile(r"^(?P<path>.+)/sections/(?P<number>\d+)/result\.json$", re.DOTALL)


def read_labels(listing: Listing, read_all: ReadAll, read_beginnings: ReadAll) -> Labels:
    """Return the labels of a listed test set; each section file is read once.

    `read_beginnings` returns the first bytes of documents whose names do not end as those of documents do.
    """
    inputs = input_prefix(listing.test_set_id)
    baselines = baseline_prefix(listing.test_set_id)
    files = sorted((f for f in listing.files if f.key.startswith(inputs) and not f.key.endswith("/")), key=_key)
    left_out = _left_out(files, inputs, read_beginnings)
    documents = [f for f in files if f.key not in left_out]
    section_keys: dict[str, list[tuple[int, str]]] = {}
    for file in listing.files:
        match = _SECTION_KEY.match(file.key.removeprefix(baselines)) if file.key.startswith(baselines) else None
        if match:
            section_keys.setdefault(match["path"], []).append((int(match["number"]), file.key))
    paths = {f.key.removeprefix(inputs) for f in documents}
    wanted = [key for path in sorted(section_keys) if path in paths for _, key in sorted(section_keys[path])]
    contents = dict(zip(wanted, read_all(wanted), strict=True))
    return Labels(
        test_set_id=listing.test_set_id,
        documents=tuple(_document(f, f.key.removeprefix(inputs), section_keys, contents) for f in documents),
        left_out=tuple(LeftOutFile(path=key.removeprefix(inputs), reason=why) for key, why in left_out.items()),
        orphans=tuple(sorted(section_keys.keys() - paths - {key.removeprefix(inputs) for key in left_out})),
    )


def _key(file: StoredFile) -> str:
    return file.key


def _left_out(files: Sequence[StoredFile], inputs: str, read_beginnings: ReadAll) -> dict[str, str]:
    """Return why files are no documents, by key."""
    reasons = {f.key: why_no_document(f.key.removeprefix(inputs), f.size) for f in files}
    unclear = [f for f in files if not reasons[f.key] and not has_document_name(f.key)]
    for file, beginning in zip(unclear, read_beginnings([f.key for f in unclear]), strict=True):
        reasons[file.key] = why_no_document(file.key.removeprefix(inputs), file.size, beginning)
    return {key: reason for key, reason in reasons.items() if reason}


def _document(
    file: StoredFile, path: str, section_keys: dict[str, list[tuple[int, str]]], contents: dict[str, bytes]
) -> DocumentLabels:
    parsed = [parse_section(contents[key]) for _, key in sorted(section_keys.get(path, []))]
    sections = tuple(item for item in parsed if isinstance(item, Section))
    problems = [item for item in parsed if isinstance(item, LabelProblem)]
    problem = problems[0] if problems else _page_problem(sections) if sections else LabelProblem.NO_BASELINE
    return DocumentLabels(
        path=path, size=file.size, etag=file.etag, sections=() if problem else sections, problem=problem
    )


def parse_section(content: bytes) -> Section | LabelProblem:
    """Return the section in a `result.json`, or the problem with it.

    The class is `document_class`, as `{"type": …}` or a string; the pages are `split_document.page_indices`.
    """
    result = _parse_object(content)
    if isinstance(result, LabelProblem):
        return result
    document_class = result.get("document_class")
    name = document_class.get("type") if isinstance(document_class, dict) else document_class
    if name is None:
        return LabelProblem.UNCLASSIFIED
    if not isinstance(name, str):
        return LabelProblem.CLASS_NOT_TEXT
    name = name.strip()
    if not normal_form(name):
        return LabelProblem.UNCLASSIFIED
    if not _is_class_name(name):
        return LabelProblem.BAD_CLASS_NAME
    pages = _read_pages(result.get("split_document"))
    return pages if isinstance(pages, LabelProblem) else Section(class_name=name, page_indices=pages)


def _parse_object(content: bytes) -> dict[str, Any] | LabelProblem:
    if not content.strip():
        return LabelProblem.EMPTY_FILE
    try:
        result = json.loads(content)
    except UnicodeDecodeError:
        return LabelProblem.NOT_UTF8
    except ValueError:
        return LabelProblem.NOT_JSON
    except RecursionError:
        return LabelProblem.TOO_DEEP
    return result if isinstance(result, dict) else LabelProblem.NO_OBJECT


def _read_pages(split_document: object) -> tuple[int, ...] | LabelProblem | None:
    """Return the pages of a section; None if it has all pages of the file."""
    indices = split_document.get("page_indices") if isinstance(split_document, dict) else split_document
    if indices is None:
        return None
    if not isinstance(indices, list):
        return LabelProblem.PAGES_NOT_LISTED
    if not indices:
        return LabelProblem.NO_PAGES
    if not all(type(index) is int for index in indices):
        return LabelProblem.PAGES_NOT_NUMBERS
    return LabelProblem.NEGATIVE_PAGE if min(indices) < 0 else tuple(indices)


def _is_class_name(name: str) -> bool:
    return (
        len(name) <= MAXIMUM_CLASS_NAME
        and is_one_line(name)  # before encode(), which fails on half a surrogate pair
        and len(name.encode()) <= MAXIMUM_CLASS_NAME_BYTES
    )


def _page_problem(sections: tuple[Section, ...]) -> LabelProblem | None:
    """Check that every page belongs to exactly one section."""
    if any(section.page_indices is None for section in sections):
        return LabelProblem.OVERLAP if len(sections) > 1 else None
    pages = sorted(index for section in sections for index in section.page_indices or ())
    if len(set(pages)) < len(pages):
        return LabelProblem.OVERLAP
    if len(pages) > MAXIMUM_PAGES:
        return LabelProblem.TOO_MANY_PAGES
    if pages == list(range(1, len(pages) + 1)):
        return LabelProblem.COUNTED_FROM_ONE
    return LabelProblem.GAP if pages != list(range(len(pages))) else None
