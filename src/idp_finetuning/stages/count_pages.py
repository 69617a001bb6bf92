"""Count the pages of a complete test set: every document is opened, none is drawn."""

from __future__ import annotations

import time
from collections.abc import Callable

from idp_finetuning.adapters.buckets import DataBucket, TestSetBucket
from idp_finetuning.adapters.functions import BackgroundFunction
from idp_finetuning.adapters.pages import open_document
from idp_finetuning.adapters.pages.process import DrawingFailed
from idp_finetuning.errors import DocumentRejected
from idp_finetuning.stages.page_counts import CountPagesEvent
from idp_finetuning.test_sets.keys import counting_progress_key, input_prefix, page_counts_key, sealed_key
from idp_finetuning.test_sets.labels import Listing, StoredFile
from idp_finetuning.test_sets.page_counts import CountedDocument, PageCounts
from idp_finetuning.wire import WireModel

# Two attempts to open a document, each to its limit of processor time, and some to write the progress.
SPARE_SECONDS = 120
# A run that dies is repeated from its last progress.
PROGRESS_SECONDS = 60


class CountingOutcome(WireModel):
    """How many documents have been looked at, and whether these are all."""

    documents: int
    complete: bool


def count_pages(
    event: CountPagesEvent,
    *,
    bucket: TestSetBucket,
    data: DataBucket,
    background: BackgroundFunction,
    seconds_left: Callable[[], float],
) -> CountingOutcome:
    """Leave the pages of every document in the data bucket; what does not fit into this run continues in another.

    Every run looks at one document at least. A test set that was deleted meanwhile is left alone. Lambda ends chains
    of about 16 runs that call each other (Lambda developer guide, "Recursive loop detection"): some hundred thousand
    documents.
    """
    key = page_counts_key(event.test_set_id, event.fingerprint)
    if known := data.read_model(key, PageCounts):
        return CountingOutcome(documents=len(known.documents), complete=True)
    listing = bucket.read_model(sealed_key(event.test_set_id, event.fingerprint), Listing)
    if listing is None:
        return CountingOutcome(documents=0, complete=False)
    progress = counting_progress_key(event.test_set_id, event.fingerprint)
    before = data.read_model(progress, PageCounts) or _of_version_before(event, data)
    prefix = input_prefix(event.test_set_id)
    paths = {file.key.removeprefix(prefix): file for file in listing.uploaded if file.key.startswith(prefix)}
    counted = {document.path: document for document in before.documents if document.path in paths} if before else {}
    waiting = [path for path in paths if path not in counted]
    written = time.monotonic()

    def store(under: str, documents: tuple[CountedDocument, ...]) -> bool:
        """Write, unless the test set was deleted meanwhile: nothing may be left of it."""
        if bucket.read_model(sealed_key(event.test_set_id, event.fingerprint), Listing) is None:
            return False
        data.write_model(under, PageCounts(documents=documents))
        return True

    for number, path in enumerate(waiting):
        if number and seconds_left() < SPARE_SECONDS:
            if store(progress, tuple(counted.values())):
                background.start(event)
            return CountingOutcome(documents=len(counted), complete=False)
        counted[path] = _count(path, paths[path], bucket)
        if time.monotonic() > written + PROGRESS_SECONDS:
            store(progress, tuple(counted.values()))
            written = time.monotonic()
    complete = store(key, tuple(counted[path] for path in sorted(paths)))
    return CountingOutcome(documents=len(counted), complete=complete)


def _of_version_before(event: CountPagesEvent, data: DataBucket) -> PageCounts | None:
    """Return what is known of the version before; the content of a path never changes."""
    if event.previous is None:
        return None
    of_version = page_counts_key(event.test_set_id, event.previous)
    unfinished = counting_progress_key(event.test_set_id, event.previous)
    return data.read_model(of_version, PageCounts) or data.read_model(unfinished, PageCounts)


def _count(path: str, file: StoredFile, bucket: TestSetBucket) -> CountedDocument:
    try:
        with open_document(bucket.read_document(file.key, file.etag)) as source:
            return CountedDocument(path=path, pages=source.page_count)
    except DocumentRejected as rejection:
        return CountedDocument(path=path, rejection=rejection.reason_code)
    except DrawingFailed:  # an error of ours, which the job will show; the other documents still count
        return CountedDocument(path=path)
