"""Documents opened page by page and drawn as JPEGs that Bedrock's training and Converse both accept.

Parsing and drawing happen in a child process, so that a crafted file ends nothing but itself: `process` is the
parent's side, `adapters.drawing` the child's. Why: docs/decisions.md, "Documents are drawn in a child process".
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from idp_finetuning.adapters.drawing.frames import Kind, pack_number, unpack_number, unpack_page
from idp_finetuning.adapters.pages import process as processes
from idp_finetuning.adapters.pages.process import ProcessEnded
from idp_finetuning.errors import DocumentRejected
from idp_finetuning.test_sets.page_limit import MAXIMUM_PAGES

__all__ = ["MAXIMUM_PAGES", "PageSource", "open_document"]


class PageSource:
    """An opened document: how many pages it has, each of them as a JPEG, and what is missing on them."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._process = processes.take_process()
        self.page_count = 0
        self.missing_glyphs: dict[int, int] = {}  # by index of the page, of those drawn so far
        try:
            self.page_count = unpack_number(self._ask(Kind.OPEN, content, "The document"))
        except BaseException:
            self.close()
            raise

    def jpeg(self, index: int) -> bytes:
        """Return the page with this 0-based index as a JPEG of 25 to 8,000 px a side and at most 3.75 MB.

        Raises DocumentRejected.
        """
        page = unpack_page(self._ask(Kind.DRAW, pack_number(index), f"Page {index + 1}"))
        if page.missing_glyphs:
            self.missing_glyphs[index] = page.missing_glyphs
        return page.jpeg

    @property
    def process_id(self) -> int:
        """The process that draws, for who measures it."""
        return self._process.process_id

    def close(self) -> None:
        """Give the process back."""
        processes.give_back(self._process)

    def _ask(self, kind: Kind, payload: bytes, subject: str) -> bytes:
        """Ask the process; if it ends while it has a past, ask a fresh one, so that only this document counts."""
        if kind is Kind.OPEN:
            self._process.documents += 1
        try:
            return self._process.ask(kind, payload, subject)
        except ProcessEnded as ended:
            if ended.by_own_cost or self._process.documents == 1:
                raise ended.rejection from ended
        except DocumentRejected as rejection:
            if rejection.reason_code != "too_much_memory" or self._process.documents == 1:
                raise
        self._process.end()
        self._process = processes.new_process()
        self._process.documents = 1
        try:
            if kind is Kind.DRAW:
                self._process.ask(Kind.OPEN, self._content, "The document")
            return self._process.ask(kind, payload, subject)
        except ProcessEnded as ended:
            raise ended.rejection from ended


@contextmanager
def open_document(content: bytes) -> Iterator[PageSource]:
    """Open the document in these bytes; its content decides the type.

    Raises DocumentRejected if it is empty, encrypted, damaged, of no supported type, has too many pages, or needs more
    memory or processor time than it may.
    """
    if not content:
        raise DocumentRejected("empty", "The file is empty.")
    source = PageSource(content)
    try:
        if source.page_count > MAXIMUM_PAGES:
            raise DocumentRejected(
                "too_many_pages",
                f"The document has {source.page_count} pages; at most {MAXIMUM_PAGES} are allowed. Split it.",
            )
        yield source
    finally:
        source.close()
