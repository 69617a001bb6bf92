"""Classify one document page by page; the only stage that calls a model."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime

from idp_finetuning.adapters.aws_calls import aws_calls
from idp_finetuning.adapters.buckets import DataBucket, TestSetBucket, Unreadable
from idp_finetuning.adapters.converse import Converse
from idp_finetuning.adapters.pages import PageSource, open_document
from idp_finetuning.classification.classification import (
    ClassificationRequest,
    ClassificationResult,
    ClassificationStarted,
    ClassificationSummary,
    ClassifiedPage,
)
from idp_finetuning.classification.layout import ClassificationLayout
from idp_finetuning.errors import DocumentRejected, FinetuningError, InternalError, InvalidInput
from idp_finetuning.test_sets.keys import input_prefix, page_text_key
from idp_finetuning.test_sets.page_texts import page_text
from idp_finetuning.text import hide_account
from idp_finetuning.wire import read_stored_json

# The function gives up by itself before Lambda ends it, so that the classification fails with this reason. A call of
# Converse that has begun may take a minute [adapters.aws_calls].
SPARE_SECONDS = 75
# Calls of Converse at once; as many rendered pages are in memory, and one more.
PAGES_AT_ONCE = 4


def classify_document(
    started: ClassificationStarted,
    *,
    data: DataBucket,
    test_set_bucket: TestSetBucket,
    converse: Converse,
    seconds_left: Callable[[], float],
) -> ClassificationSummary:
    """Ask the model about every page and write the result; a second run with the same event does nothing."""
    layout = ClassificationLayout(classification_id=started.classification_id)
    request = read_stored_json(ClassificationRequest, data.read(layout.request))
    if not data.write_once(layout.claim, started):
        return ClassificationSummary(repeated=True)

    def time_left() -> float:
        return seconds_left() - SPARE_SECONDS

    try:
        with aws_calls():
            pages = _classify_pages(request, data, test_set_bucket, converse, time_left)
    except FinetuningError as error:
        reason = error.message.removeprefix(f"{error.reason_code}: ") if isinstance(error, DocumentRejected) else ""
        data.write_model(layout.result, _failed_result(error.code, reason or error.message))
        return ClassificationSummary(error_code=error.code)
    except Exception:
        # The caller should not wait for the deadline; the function's log has the exception.
        message = "The document could not be classified. Try again; if it fails again, ask the operator to see the log."
        data.write_model(layout.result, _failed_result(InternalError.__name__, message))
        raise
    data.write_model(layout.result, ClassificationResult(completed_at=datetime.now(UTC), pages=pages))
    return ClassificationSummary(pages=len(pages))


def _failed_result(code: str, message: str) -> ClassificationResult:
    return ClassificationResult(completed_at=datetime.now(UTC), error_code=code, error_message=hide_account(message))


def _classify_pages(
    request: ClassificationRequest,
    data: DataBucket,
    test_set_bucket: TestSetBucket,
    converse: Converse,
    time_left: Callable[[], float],
) -> tuple[ClassifiedPage, ...]:
    """Render page after page while the model is asked about those before it."""
    document = request.test_set_document
    if document:
        key = input_prefix(document.test_set_id) + document.path
        content = test_set_bucket.read_document(key, document.etag)
    else:
        content = data.read_document(request.upload_key or "")
    giving_up = threading.Event()

    def ask(number: int, jpeg: bytes, text: str) -> ClassifiedPage:
        asked = request.prompt.converse_request(request.model, jpeg, text, temperature=request.temperature)
        said = converse.answer(asked, seconds_left=time_left, wait=giving_up.wait)
        read = request.prompt.parse_answer(said)
        return ClassifiedPage(number=number, class_name=read.class_name, boundary=read.boundary)

    classified: list[ClassifiedPage] = []
    with open_document(content) as source, closing(_texts(request, source, test_set_bucket)) as texts:
        threads = ThreadPoolExecutor(PAGES_AT_ONCE)
        running: deque[Future[ClassifiedPage]] = deque()
        try:
            for index, text in enumerate(texts):
                if time_left() < 0:
                    raise DocumentRejected(
                        "too_slow",
                        f"Classification took too long: {index} of {source.page_count} pages were done. Split it.",
                    )
                if len(running) == PAGES_AT_ONCE:
                    classified.append(running.popleft().result())
                running.append(threads.submit(ask, index + 1, source.jpeg(index), text))
            classified.extend(waiting.result() for waiting in running)
        finally:
            # No call waits for a throttled model once the document has failed.
            giving_up.set()
            threads.shutdown(cancel_futures=True)
    return tuple(classified)


def _texts(
    request: ClassificationRequest, source: PageSource, test_set_bucket: TestSetBucket
) -> Generator[str, None, None]:
    """Iterate over a text for each page, empty if the prompt needs none. Raises InvalidInput if one is missing."""
    count, given, document = source.page_count, request.page_texts, request.test_set_document
    if given is not None and len(given) != count:
        raise InvalidInput(
            f"pageTexts holds {len(given)} texts, but the document has {count} pages. Give the text of every page."
        )
    if not request.prompt.needs_text:
        yield from [""] * count
    elif given is not None:
        yield from given
    elif document:
        place = (document.test_set_id, document.path)
        keys = [(page_text_key(*place, page), None) for page in range(1, count + 1)]
        for page, content in enumerate(test_set_bucket.read_files(keys), 1):
            if isinstance(content, Unreadable):
                raise InvalidInput(
                    f"The prompt needs the text of every page, and the baseline has none of page {page}. Give the "
                    "texts with pageTexts, or choose a version whose prompt needs none."
                )
            yield page_text(content, page)
