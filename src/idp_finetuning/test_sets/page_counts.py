"""How many pages the documents of a test set really have, and what follows before a job starts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property

from idp_finetuning.test_sets.labels import DocumentLabels
from idp_finetuning.text import join_first
from idp_finetuning.wire import WireModel

# Share of the documents of a job that may turn out to be unusable.
TOLERATED_REJECTIONS = 0.1


class CountedDocument(WireModel):
    """A document's number of pages, or the code of the reason why it cannot be opened.

    Neither is known of a document whose counting failed for a reason of ours.
    """

    path: str
    pages: int | None = None
    rejection: str | None = None


class PageCounts(WireModel):
    """The documents of one state of a test set, in path order."""

    documents: tuple[CountedDocument, ...]


class CountedLabels:
    """Labels next to what the documents really have."""

    def __init__(self, documents: Sequence[DocumentLabels], counts: PageCounts) -> None:
        self._documents = documents
        self._counts = {document.path: document for document in counts.documents}

    def usable(self, documents: Iterable[DocumentLabels]) -> list[DocumentLabels]:
        """Return those of the documents that a job can use, with their pages in the labels if they were counted."""
        return [self._with_pages(d) for d in documents if d.path not in self._unusable]

    def warnings(self) -> Iterator[str]:
        """Yield a sentence on documents that cannot be opened, and one on labels of another number of pages."""
        if self._unreadable:
            yield (
                f"Documents that cannot be opened will be rejected ({len(self._unreadable)}): "
                f"{join_first(self._unreadable.values())}. Correct them in a new test set."
            )
        if self._mislabelled:
            yield (
                f"Documents with another number of pages than their labels will be rejected "
                f"({len(self._mislabelled)}): {join_first(self._mislabelled.values())}. Correct the sections in a new "
                "test set."
            )

    def errors(self, train: Iterable[DocumentLabels]) -> Iterator[str]:
        """Yield why a job would certainly fail: too much is rejected, or a class loses its training documents."""
        lost, found = len(self._unusable), len(self._documents)
        if lost > TOLERATED_REJECTIONS * found:
            yield (
                f"{lost} of {found} documents cannot be used; at most {TOLERATED_REJECTIONS:.0%} may be rejected. "
                "Correct or remove them in a new test set."
            )
        sides = {True: set[str](), False: set[str]()}
        for document in train:
            sides[document.path in self._unusable] |= document.classes
        if classes := sorted(sides[True] - sides[False]):
            yield (
                f"No training document of these classes can be used: {join_first(classes)}. Correct the documents in "
                "a new test set."
            )

    @cached_property
    def _unreadable(self) -> dict[str, str]:
        """`a.pdf (encrypted)` by path."""
        reasons = ((d.path, count.rejection) for d in self._documents if (count := self._counts.get(d.path)))
        return {path: f"{path} ({reason})" for path, reason in reasons if reason}

    @cached_property
    def _mislabelled(self) -> dict[str, str]:
        """`a.pdf (labels 3, document 2)` by path."""
        return {
            d.path: f"{d.path} (labels {d.page_count}, document {pages})"
            for d in self._documents
            if (pages := self._pages(d)) is not None and d.page_count not in (None, pages)
        }

    @cached_property
    def _unusable(self) -> frozenset[str]:
        return frozenset((*self._unreadable, *self._mislabelled))

    def _pages(self, document: DocumentLabels) -> int | None:
        count = self._counts.get(document.path)
        return count.pages if count else None

    def _with_pages(self, document: DocumentLabels) -> DocumentLabels:
        pages = self._pages(document)
        if pages is None or document.page_count is not None:
            return document
        (section,) = document.sections  # without pages there is only one, else they would overlap
        whole = section.model_copy(update={"page_indices": tuple(range(pages))})
        return document.model_copy(update={"sections": (whole,)})
