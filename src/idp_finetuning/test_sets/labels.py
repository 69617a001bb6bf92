"""Labels of a test set in the layout of AWS's IDP accelerator: read, and checked document by document."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Collection, Iterable, Sequence

from pydantic import Field

from idp_finetuning.test_sets.document_types import has_document_name, why_no_document
from idp_finetuning.test_sets.keys import baseline_prefix, document_id, input_prefix, uploading_marker
from idp_finetuning.test_sets.page_limit import MAXIMUM_PAGES
from idp_finetuning.test_sets.sections import LabelProblem, Section, parse_section
from idp_finetuning.wire import WireModel

# Of what is made of a test set's files: labels read by another edition are not those of this one.
EDITION = 2


class StoredFile(WireModel):
    """An object as S3 lists it; size in bytes."""

    key: str
    size: int
    etag: str


class Listing(WireModel):
    """All objects of a test set, in key order; `removed` has the version that was the first without a file."""

    test_set_id: str
    files: tuple[StoredFile, ...]
    removed: dict[str, int] = Field(default_factory=dict)

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

    @property
    def uploaded(self) -> tuple[StoredFile, ...]:
        """Documents and labels, without markers and without the folders that consoles make."""
        return tuple(f for f in self.files if f.key != uploading_marker(self.test_set_id) and not f.key.endswith("/"))

    @property
    def document_count(self) -> int:
        """Number of files below `input/` that are documents by their names and sizes."""
        inputs = input_prefix(self.test_set_id)
        return sum(
            file.key.startswith(inputs) and why_no_document(file.key.removeprefix(inputs), file.size) is None
            for file in self.uploaded
        )

    def without(self, paths: Collection[str], version: int) -> Listing:
        """Return the listing of a version, without these documents and their labels."""
        inputs, baselines = input_prefix(self.test_set_id), baseline_prefix(self.test_set_id)
        gone = {f"{inputs}{path}" for path in paths}
        labels = tuple(f"{baselines}{path}/{part}/" for path in paths for part in ("sections", "pages"))
        kept = tuple(file for file in self.files if file.key not in gone and not file.key.startswith(labels))
        remaining = {file.key for file in kept}
        removed = self.removed | {file.key: version for file in self.files if file.key not in remaining}
        return self.model_copy(update={"files": kept, "removed": removed})

    def with_files(self, added: Iterable[StoredFile]) -> Listing:
        """Return the listing with more files, in key order."""
        files = {file.key: file for file in (*self.files, *added)}
        removed = {key: version for key, version in self.removed.items() if key not in files}
        return self.model_copy(update={"files": tuple(files[key] for key in sorted(files)), "removed": removed})


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


# Contents in the order of the keys.
ReadAll = Callable[[list[str]], Iterable[bytes | None]]

_SECTION_KEY = re.compile(r"^(?P<path>.+)/sections/(?P<number>\d+)/result\.json$", re.DOTALL)


def read_labels(listing: Listing, read_all: ReadAll, read_beginnings: Callable[[list[str]], Iterable[bytes]]) -> Labels:
    """Return the labels of a listed test set; each section file is read once.

    `read_all` returns None for a file that is not as it was listed, `read_beginnings` the first bytes of documents
    whose names do not end as those of documents do; both in the order of the keys.
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


def _left_out(
    files: Sequence[StoredFile], inputs: str, read_beginnings: Callable[[list[str]], Iterable[bytes]]
) -> dict[str, str]:
    """Return why files are no documents, by key."""
    reasons = {f.key: why_no_document(f.key.removeprefix(inputs), f.size) for f in files}
    unclear = [f for f in files if not reasons[f.key] and not has_document_name(f.key)]
    for file, beginning in zip(unclear, read_beginnings([f.key for f in unclear]), strict=True):
        reasons[file.key] = why_no_document(file.key.removeprefix(inputs), file.size, beginning)
    return {key: reason for key, reason in reasons.items() if reason}


def _document(
    file: StoredFile, path: str, section_keys: dict[str, list[tuple[int, str]]], contents: dict[str, bytes | None]
) -> DocumentLabels:
    numbered = sorted(section_keys.get(path, []))
    parsed = [parse_section(contents[key]) for _, key in numbered]
    all_there = [number for number, _ in numbered] == list(range(1, len(numbered) + 1))
    sections = tuple(item for item in parsed if isinstance(item, Section))
    problems = [item for item in parsed if isinstance(item, LabelProblem)]
    problem = problems[0] if problems else _page_problem(sections, all_there) if sections else LabelProblem.NO_BASELINE
    return DocumentLabels(
        path=path, size=file.size, etag=file.etag, sections=() if problem else sections, problem=problem
    )


def _page_problem(sections: tuple[Section, ...], all_there: bool) -> LabelProblem | None:
    """Check that every page belongs to exactly one section.

    Pages from 1 on are a wrong count only if no section's number is missing: the first page may be in that one.
    """
    if any(section.page_indices is None for section in sections):
        return LabelProblem.OVERLAP if len(sections) > 1 else None
    pages = sorted(index for section in sections for index in section.page_indices or ())
    if len(set(pages)) < len(pages):
        return LabelProblem.OVERLAP
    if len(pages) > MAXIMUM_PAGES:
        return LabelProblem.TOO_MANY_PAGES
    if all_there and pages == list(range(1, len(pages) + 1)):
        return LabelProblem.COUNTED_FROM_ONE
    return LabelProblem.GAP if pages != list(range(len(pages))) else None
