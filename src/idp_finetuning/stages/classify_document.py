"""Classify one document page by page, and keep each answer; the only stage that calls a model."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import closing
from datetime import UTC, datetime
from time import sleep

from idp_finetuning.adapters.aws_calls import aws_calls
from idp_finetuning.adapters.buckets import DataBucket, TestSetBucket, Unreadable
from idp_finetuning.adapters.converse import Converse
from idp_finetuning.adapters.functions import BackgroundFunction
from idp_finetuning.adapters.pages import PageSource, open_document
from idp_finetuning.classification.classification import (
    ClassificationRequest,
    ClassificationResult,
    ClassificationStarted,
    ClassificationSummary,
    ClassifiedPage,
    failed_result,
)
from idp_finetuning.classification.layout import ClassificationLayout
from idp_finetuning.errors import DocumentRejected, FinetuningError, InternalError, InvalidInput, TransientError
from idp_finetuning.stages.classification_run import ClassificationRun, TakenOver, wait_for_lease
from idp_finetuning.test_sets.keys import input_prefix, page_text_key
from idp_finetuning.test_sets.page_texts import page_text
from idp_finetuning.wire import read_stored_json

# The function hands over to its next run before Lambda ends it. A call of Converse that has begun may take a minute
# [adapters.aws_calls].
SPARE_SECONDS = 75
# Runs of one classification: two hours. Lambda ends chains of functions that call themselves after about 16 (Lambda
# developer guide, "Recursive loop detection").
MAXIMUM_RUNS = 8


class _OutOfTime(Exception):
    """What is left to do needs another run; the cause, if there is one, kept this run from doing it."""


def classify_document(
    started: ClassificationStarted,
    *,
    data: DataBucket,
    test_set_bucket: TestSetBucket,
    converse: Converse,
    next_run: BackgroundFunction,
    seconds_left: Callable[[], float],
) -> ClassificationSummary:
    """Ask the model about every page that has no answer yet, and write the result.

    A run that ends in between is continued by the next. Runs at the same time, and those after the last, do nothing.
    """
    layout = ClassificationLayout(classification_id=started.classification_id)
    request = read_stored_json(ClassificationRequest, data.read(layout.request))
    run = wait_for_lease(layout, data)
    if run is None:
        return ClassificationSummary(repeated=True)

    def time_left() -> float:
        return seconds_left() - SPARE_SECONDS

    try:
        with aws_calls():
            _classify_pages(request, run, data, test_set_bucket, converse, time_left)
    except TakenOver:
        return ClassificationSummary(repeated=True)
    except _OutOfTime as end:
        if started.run < MAXIMUM_RUNS:
            run.release()
            next_run.start(started.model_copy(update={"run": started.run + 1}))
            return ClassificationSummary(pages=len(run.pages), continued=True)
        done = f"{len(run.pages)} pages were done"
        failure = (
            TransientError(f"{end.__cause__.message} {done}.")
            if isinstance(end.__cause__, TransientError)
            else DocumentRejected("too_slow", f"Classification took too long: {done} in {MAXIMUM_RUNS} runs. Split it.")
        )
        return _fail(run, failure)
    except FinetuningError as error:
        return _fail(run, error)
    except Exception:
        # The caller should not wait for the deadline; the function's log has the exception.
        message = "The document could not be classified. Try again; if it fails again, ask the operator to see the log."
        run.finish(failed_result(InternalError.__name__, message))
        raise
    pages = tuple(run.pages[number] for number in sorted(run.pages))
    run.finish(ClassificationResult(completed_at=datetime.now(UTC), pages=pages))
    return ClassificationSummary(pages=len(pages))


def _fail(run: ClassificationRun, error: FinetuningError) -> ClassificationSummary:
    reason = error.message.removeprefix(f"{error.reason_code}: ") if isinstance(error, DocumentRejected) else ""
    run.finish(failed_result(error.code, reason or error.message))
    return ClassificationSummary(pages=len(run.pages), error_code=error.code)


def _classify_pages(
    request: ClassificationRequest,
    run: ClassificationRun,
    data: DataBucket,
    test_set_bucket: TestSetBucket,
    converse: Converse,
    time_left: Callable[[], float],
) -> None:
    """Ask about one page after the other: of calls side by side, a run that dies would lose several answers.

    Raises _OutOfTime.
    """
    document = request.test_set_document
    if document:
        key = input_prefix(document.test_set_id) + document.path
        content = test_set_bucket.read_document(key, document.etag)
    else:
        content = data.read_document(request.upload_key or "")

    def wait(seconds: float) -> bool:
        sleep(seconds)
        return False

    with (
        open_document(content) as source,
        run.keep_lease(source.page_count),
        closing(_texts(request, source, test_set_bucket)) as texts,
    ):
        for number, text in enumerate(texts, 1):
            if number in run.pages:
                continue
            if time_left() < 0:
                raise _OutOfTime
            jpeg = source.jpeg(number - 1)
            asked = request.prompt.converse_request(request.model, jpeg, text, temperature=request.temperature)
            run.require_lease()
            try:
                said = converse.answer(asked, seconds_left=time_left, wait=wait)
            except TransientError as error:
                raise _OutOfTime from error  # it was asked again for as long as there was time
            read = request.prompt.parse_answer(said.text)
            run.add(ClassifiedPage(number=number, class_name=read.class_name, boundary=read.boundary))


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
