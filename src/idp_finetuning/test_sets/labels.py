"""Labels of a test set in the layout of AWS's IDP accelerator: read, and checked document by document."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable
from enum import StrEnum

from idp_finetuning.nova.prompt import MAXIMUM_CLASS_NAME, MAXIMUM_CLASS_NAME_BYTES
from idp_finetuning.test_sets.keys import baseline_prefix, document_id, input_prefix, uploading_marker
from idp_finetuning.test_sets.page_limit import MAXIMUM_PAGES
from idp_finetuning.text import is_one_line
from idp_finetuning.wire import WireModel


class LabelProblem(StrEnum):
    """Why a document's labels cannot be used; the value is the sentence shown."""

    NO_BASELINE = "has no baseline"
    MALFORMED = "has a baseline that cannot be read"
    UNCLASSIFIED = "has no classification in its baseline"
    BAD_CLASS_NAME = (
        f"has a class name with a line break or more than {MAXIMUM_CLASS_NAME} characters "
        f"({MAXIMUM_CLASS_NAME_BYTES} bytes)"
    )
    TOO_MANY_PAGES = f"has labels for more than {MAXIMUM_PAGES} pages"
    OVERLAP = "has sections that overlap"
    GAP = "has sections that leave pages out"
    CHANGED = "has a baseline that was changed or removed after the test set was listed"

    @property
    def advice(self) -> str:
        """What to do about it."""
        return "Upload a new test set." if self is LabelProblem.CHANGED else "Correct the labels."


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
        digest = hashlib.sha256()
        for file in self.files:
            digest.update(f"{file.key}\0{file.etag}\0".encode())
        return digest.hexdigest()[:40]

    @property
    def uploading(self) -> bool:
        """Whether an upload is still in progress."""
        return any(file.key == uploading_marker(self.test_set_id) for file in self.files)

    @property
    def uploaded(self) -> tuple[StoredFile, ...]:
        """Documents and labels, without markers and without the folders that consoles make."""
        return tuple(f for f in self.files if f.key != uploading_marker(self.test_set_id) and not f.key.endswith("/"))

    @property
    def document_count(self) -> int:
        """Number of files below `input/`."""
        return sum(file.key.startswith(input_prefix(self.test_set_id)) for file in self.uploaded)


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


class Labels(WireModel):
    """The labels of a whole test set in path order, with baselines that belong to no document."""

    test_set_id: str
    documents: tuple[DocumentLabels, ...]
    orphans: tuple[str, ...] = ()


_SECTION_KEY = re.compile(r"^(?P<path>.+)/sections/(?P<number>\d+)/result\.json$", re.DOTALL)


def read_labels(listing: Listing, read_all: Callable[[list[str]], Iterable[bytes | None]]) -> Labels:
    """Return the labels of a listed test set.

    `read_all` returns the contents of the keys in their order, None for a file that is not as it was listed; each
    section file is read once.
    """
    inputs = input_prefix(listing.test_set_id)
    baselines = baseline_prefix(listing.test_set_id)
    documents = [f for f in listing.files if f.key.startswith(inputs) and not f.key.endswith("/")]
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
        documents=tuple(
            _document(f, f.key.removeprefix(inputs), section_keys, contents)
            for f in sorted(documents, key=lambda f: f.key)
        ),
        orphans=tuple(sorted(section_keys.keys() - paths)),
    )


def _document(
    file: StoredFile, path: str, section_keys: dict[str, list[tuple[int, str]]], contents: dict[str, bytes | None]
) -> DocumentLabels:
    parsed = [parse_section(contents[key]) for _, key in sorted(section_keys.get(path, []))]
    sections = tuple(item for item in parsed if isinstance(item, Section))
    problems = [item for item in parsed if isinstance(item, LabelProblem)]
    problem = problems[0] if problems else _page_problem(sections) if sections else LabelProblem.NO_BASELINE
    return DocumentLabels(
        path=path, size=file.size, etag=file.etag, sections=() if problem else sections, problem=problem
    )


def parse_section(content: bytes | None) -> Section | LabelProblem:
    """Return the section in a `result.json`, or the problem with it; None is a file that changed.

    The class is `document_class`, as `{"type": …}` or a string; the pages are `split_document.page_indices`.
    """
    if content is None:
        return LabelProblem.CHANGED
    try:
        result = json.loads(content)
    except (ValueError, RecursionError):  # the latter for thousands of nested brackets
        return LabelProblem.MALFORMED
    if not isinstance(result, dict):
        return LabelProblem.MALFORMED
    document_class = result.get("document_class")
    name = document_class.get("type") if isinstance(document_class, dict) else document_class
    if name is None or name == "":
        return LabelProblem.UNCLASSIFIED
    if not isinstance(name, str):
        return LabelProblem.MALFORMED
    name = name.strip()
    if not name:
        return LabelProblem.UNCLASSIFIED
    if not _is_class_name(name):
        return LabelProblem.BAD_CLASS_NAME
    split_document = result.get("split_document")
    if split_document is None:
        return Section(class_name=name)
    indices = split_document.get("page_indices") if isinstance(split_document, dict) else split_document
    if indices is None:
        return Section(class_name=name)
    if not isinstance(indices, list) or not indices or not all(type(i) is int and i >= 0 for i in indices):
        return LabelProblem.MALFORMED
    return Section(class_name=name, page_indices=tuple(indices))


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
    return LabelProblem.GAP if pages != list(range(len(pages))) else None
