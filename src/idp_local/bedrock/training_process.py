"""The process that does one job's work: checks the data set, reads the pages, trains. Started by `training`.

It reads one Order as a line of JSON from stdin, tells its progress as lines of JSON on stdout, and ends at once when
stdin ends, so that it never outlives the server.
"""

from __future__ import annotations

import os
import pickle
import sys
import threading
from collections.abc import Iterator
from typing import Any, NamedTuple

from idp_local.bedrock.bucket import S3_ERRORS, Location, parse, read, read_lines, s3_client
from idp_local.bedrock.catalogue import MODELS
from idp_local.bedrock.dataset import DataRefused, Record, check
from idp_local.bedrock.orders import Order, Progress
from idp_local.bedrock.trainer import PASSES_PER_EPOCH, Answer, Example, Vector, features, train


class _Page(NamedTuple):
    """A checked record with its image read; the image itself is let go."""

    line: int
    features: Vector
    answer: str


def work(order: Order) -> Iterator[Progress]:
    """Does the order and yields its progress; the last is `trained`, or a `failure` in a person's words."""
    s3 = s3_client(order.s3_endpoint, order.region)
    try:
        pages = list(_pages(s3, order, order.training_uri, validation=False))
        measured = [list(_pages(s3, order, uri, validation=True)) for uri in order.validation_uris]
        yield Progress(phase="processing")
        examples = [_example(order.training_uri, page) for page in pages]
        validation = [
            [_example(uri, page) for page in file] for uri, file in zip(order.validation_uris, measured, strict=True)
        ]
    except DataRefused as refused:
        yield Progress(failure=f"Invalid input error: {refused}")
        return
    yield Progress(phase="training")
    yield Progress(passes=order.epochs * PASSES_PER_EPOCH)
    for done, model in train(examples, validation, order.epochs):
        order.model_path.write_bytes(pickle.dumps(model))
        yield Progress(done=done)
    yield Progress(trained=True)


def _pages(s3: Any, order: Order, uri: str, *, validation: bool) -> Iterator[_Page]:
    location = parse(uri)

    def fetch(image: Location) -> bytes | None:
        try:
            return read(s3, image)
        except S3_ERRORS:
            return None

    try:
        lines = read_lines(s3, location)
        model = MODELS[order.base_model]
        for record in check(uri, lines, model, location.bucket, fetch, validation=validation):
            yield _Page(record.line, _features(uri, record), record.answer)
    except S3_ERRORS as error:
        raise DataRefused(
            f"Could not validate GetObject permissions to access Amazon S3 bucket: {location.bucket} "
            f"at key: {location.key}"
        ) from error


def _features(uri: str, record: Record) -> Vector:
    if not record.images:
        raise DataRefused(f"{uri}, line {record.line}: the local stand-in learns from page images; there is none")
    try:
        return features(record.images[0])
    except (OSError, ValueError, SyntaxError) as error:
        raise DataRefused(f"{uri}, line {record.line}: the image is damaged") from error


def _example(uri: str, page: _Page) -> Example:
    try:
        return Example(page.features, Answer.parse(page.answer))
    except ValueError as error:
        raise DataRefused(
            f"{uri}, line {page.line}: the local stand-in learns answers of the form "
            '{"class": …, "document_boundary": "start" or "continue"} only'
        ) from error


def _end_with_stdin() -> None:
    # Not through sys.stdin: its lock, held by a waiting thread, would break a regular end.
    while os.read(0, 1024):
        pass
    os._exit(1)


def main() -> None:
    """Reads the order, does it, prints the progress."""
    order = Order.model_validate_json(sys.stdin.buffer.readline())
    threading.Thread(target=_end_with_stdin, daemon=True).start()
    if hasattr(os, "nice"):
        os.nice(5)  # the requests that watch the job come first
    for progress in work(order):
        print(progress.model_dump_json(exclude_defaults=True), flush=True)


if __name__ == "__main__":
    main()
