"""One run of a classification: only one works at a time, each answer is stored as it comes, the next one continues.

The progress of a classification in S3 is also its lease. The run that holds it renews it every few seconds; one that
died does not, and the next takes it over by a conditional write.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from uuid import uuid4

from idp_finetuning.adapters.aws_calls import aws_calls
from idp_finetuning.adapters.buckets import DataBucket
from idp_finetuning.classification.classification import (
    ClassificationProgress,
    ClassificationResult,
    ClassifiedPage,
)
from idp_finetuning.classification.layout import ClassificationLayout
from idp_finetuning.errors import FinetuningError

RENEW_SECONDS = 3.0
# A lease that was not renewed for so long is of a run that died. Lambda retries a failed run after a minute.
LEASE_SECONDS = 20.0
_POLL_SECONDS = 1.0


class TakenOver(Exception):
    """Another run holds the lease now; this one must ask nothing more."""


def wait_for_lease(layout: ClassificationLayout, data: DataBucket) -> ClassificationRun | None:
    """Return a run that holds the lease, or None if another one works or the classification has a result.

    A run that may have died is waited for, at most as long as a lease counts.
    """
    began = time.monotonic()
    while data.find_etag(layout.result) is None:
        etag = data.find_etag(layout.progress)
        known = data.read_model(layout.progress, ClassificationProgress) if etag else None
        if known is None or known.released or known.age > LEASE_SECONDS:
            run = ClassificationRun(layout, data, known, etag)
            if run.renew():
                return run
        elif time.monotonic() - began > LEASE_SECONDS:
            return None  # it was renewed since
        time.sleep(min(_POLL_SECONDS, LEASE_SECONDS))
    return None


class ClassificationRun:
    """The answers of a classification, and the lease to add to them."""

    def __init__(
        self, layout: ClassificationLayout, data: DataBucket, known: ClassificationProgress | None, etag: str | None
    ) -> None:
        self._layout = layout
        self._data = data
        self._etag = etag
        self._run_id = str(uuid4())
        self._page_count = known.page_count if known else None
        self._lock = threading.Lock()
        self._lost = False
        self.pages = {page.number: page for page in self._stored()} if known else {}

    def renew(self) -> bool:
        """Store the progress and keep the lease; return False if another run has it."""
        return self._write(released=False)

    def release(self) -> None:
        """Let the next run begin at once."""
        self._write(released=True)

    def finish(self, result: ClassificationResult) -> None:
        """Store how the classification ended, after how far it came."""
        self.release()
        self._data.write_once(self._layout.result, result)

    @contextmanager
    def keep_lease(self, page_count: int) -> Iterator[None]:
        """Renew the lease in a thread while the block asks about a document of so many pages."""
        self._page_count = page_count
        ended = threading.Event()

        def renew() -> None:
            while not ended.wait(RENEW_SECONDS):
                with suppress(FinetuningError), aws_calls():  # a call that fails is made again in a moment
                    self.renew()

        thread = threading.Thread(target=renew, daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def require_lease(self) -> None:
        """Raise TakenOver if another run has it."""
        if self._lost:
            raise TakenOver

    def add(self, page: ClassifiedPage) -> None:
        """Store the answer for a page."""
        self._data.write_model(self._layout.page(page.number), page)
        self.pages[page.number] = page

    def _write(self, *, released: bool) -> bool:
        with self._lock:
            progress = ClassificationProgress(
                run_id=self._run_id,
                renewed_at=datetime.now(UTC),
                released=released,
                pages_done=len(self.pages),
                page_count=self._page_count,
            )
            if not self._lost:
                self._etag = self._data.exchange(self._layout.progress, progress, self._etag) or self._find_own()
                self._lost = self._etag is None
            return not self._lost

    def _find_own(self) -> str | None:
        """Return the ETag of the progress if this run wrote it.

        A write that S3 carried out and whose response was lost is repeated by the client library, and then refused.
        """
        etag = self._data.find_etag(self._layout.progress)
        stored = self._data.read_model(self._layout.progress, ClassificationProgress) if etag else None
        return etag if stored and stored.run_id == self._run_id else None

    def _stored(self) -> Iterator[ClassifiedPage]:
        keys = [file.key for file in self._data.list(self._layout.pages)]
        return (page for page in self._data.read_models(keys, ClassifiedPage) if page)
