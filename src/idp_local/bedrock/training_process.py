"""The process that does one job's work: it checks the data set, reads the pages and trains.

It reads one Order as a line of JSON from stdin, writes its Progress as lines of JSON to stdout, and ends at once when
stdin ends, so that it never outlives the server. `run_process` is the server's end of it.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any, cast

from pydantic import BaseModel, ConfigDict

from idp_local.bedrock.dataset import DataRefused, check
from idp_local.bedrock.foundation_models import FineTunableModel
from idp_local.bedrock.images import Fetch
from idp_local.bedrock.s3 import S3_ERRORS, Location, parse_uri, read, read_pieces, s3_client
from idp_local.bedrock.trainer import PASSES_PER_EPOCH, Answer, Example, Pass, classes_in, features, train

# Before numpy is loaded this is the sure way to keep it to one core.
_ONE_CORE = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


class Order(BaseModel):
    """What to train: S3 URIs of the JSONL files, the base model, the file for the trained model."""

    model_config = ConfigDict(frozen=True)

    s3_endpoint: str
    region: str
    model: FineTunableModel
    training_uri: str
    validation_uris: tuple[str, ...]
    epochs: int
    model_path: Path


class Progress(BaseModel):
    """One line of progress: exactly one member is set."""

    model_config = ConfigDict(frozen=True)

    phase: str | None = None  # the phase that begins: a key of account.PHASES, never the first
    passes: int | None = None  # how many passes the training will have
    done: Pass | None = None
    records: dict[str, int] | None = None  # how many records each checked file has, by URI
    failure: str | None = None  # the failureMessage of a refused data set
    trained: bool = False


def run_process(order: Order, stop: threading.Event) -> Iterator[Progress]:
    """Yield the progress of a process that does the order; it is killed when `stop` is set or this generator closes."""
    process = subprocess.Popen(
        [sys.executable, "-m", "idp_local.bedrock.training_process"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,  # Ctrl-C is for the server; the process ends with its stdin
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), **_ONE_CORE},
    )
    # Reading blocks: to stop it, the process has to end.
    threading.Thread(target=_kill_at_stop, args=(process, stop), daemon=True).start()
    try:
        stdin, stdout = cast(IO[bytes], process.stdin), cast(IO[bytes], process.stdout)
        with contextlib.suppress(BrokenPipeError):
            stdin.write(order.model_dump_json().encode() + b"\n")
            stdin.flush()
        for line in stdout:
            yield Progress.model_validate_json(line)
    finally:
        process.kill()
        process.communicate()


def _kill_at_stop(process: subprocess.Popen[bytes], stop: threading.Event) -> None:
    while process.poll() is None:
        if stop.wait(0.05):
            process.kill()
            return


def work(order: Order) -> Iterator[Progress]:
    """Do the order and yield its progress; the last is `trained`, or a `failure` in a person's words."""
    s3 = s3_client(order.s3_endpoint, order.region)
    try:
        # Validation files first: a model that takes none says so whatever the training file is like.
        validation = [list(_read_file(s3, order, uri, validation=True)) for uri in order.validation_uris]
        examples = list(_read_file(s3, order, order.training_uri, validation=False))
        files = zip((order.training_uri, *order.validation_uris), (examples, *validation), strict=True)
        records = {uri: len(content) for uri, content in files}
        base = order.model
        if sum(records.values()) > base.maximum_records:
            raise DataRefused(
                f"{sum(records.values()):,} records in all files; {base.name} takes {base.maximum_records:,} at most."
            )
        yield Progress(records=records)
    except DataRefused as refused:
        yield Progress(failure=f"Invalid input error: {refused}")
        return
    yield Progress(phase="processing")
    yield Progress(phase="training")
    yield Progress(passes=order.epochs * PASSES_PER_EPOCH)
    for done, model in train(examples, validation, order.epochs):
        order.model_path.write_bytes(pickle.dumps(model))
        yield Progress(done=done)
    yield Progress(trained=True)


def _read_file(s3: Any, order: Order, uri: str, *, validation: bool) -> Iterator[Example]:
    location = parse_uri(uri)

    def fetch(image: Location) -> bytes | None:
        try:
            return read(s3, image)
        except S3_ERRORS:
            return None

    try:
        content = read_pieces(s3, location)
        yield from read_examples(uri, content, order.model, fetch, validation=validation)
    except S3_ERRORS as error:
        raise DataRefused(
            f"Could not validate GetObject permissions to access Amazon S3 bucket: {location.bucket} "
            f"at key: {location.key}"
        ) from error


def read_examples(
    uri: str, content: Iterable[bytes], model: FineTunableModel, fetch: Fetch, *, validation: bool = False
) -> Iterator[Example]:
    """Yield what there is to learn from a JSONL file; arguments and errors as of `dataset.check`.

    Beyond Nova's rules, every record must show a page, and its target must be a class of the prompt's list and a
    document boundary: the stand-in learns nothing else.
    """
    for record in check(uri, content, model, fetch, validation=validation):
        line = f"{uri}, line {record.line}"
        if not record.images:
            raise DataRefused(f"{line}: the local stand-in learns from page images; there is none")
        try:
            page = features(record.images[0])
        except (OSError, ValueError, SyntaxError) as error:
            raise DataRefused(f"{line}: the image is damaged") from error
        try:
            answer = Answer.parse(record.answer)
        except ValueError as error:
            raise DataRefused(
                f"{line}: the local stand-in learns answers of the form "
                '{"class": …, "document_boundary": "start" or "continue"} only'
            ) from error
        if answer.page_class not in classes_in(record.texts):
            raise DataRefused(f"{line}: the class '{answer.page_class}' is not in the prompt's class list")
        yield Example(page, answer)


def _end_with_stdin() -> None:
    # Not through sys.stdin: its lock, held by a waiting thread, would break a regular end.
    while os.read(0, 1024):
        pass
    os._exit(1)


def main() -> None:
    """Read the order from stdin, do it and print its progress."""
    order = Order.model_validate_json(sys.stdin.buffer.readline())
    threading.Thread(target=_end_with_stdin, daemon=True).start()
    if hasattr(os, "nice"):
        os.nice(5)  # the requests that watch the job come first
    for progress in work(order):
        print(progress.model_dump_json(exclude_defaults=True), flush=True)


if __name__ == "__main__":
    main()
