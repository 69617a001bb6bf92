"""Send the files of a test set: several at a time, only those that S3 does not have yet.

While some are being sent, the next ones are hashed and their addresses are asked for.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from typing import NamedTuple, TypeVar

from idp_finetuning.test_sets.test_set import TestSetUpload
from idp_sdk import operations
from idp_sdk.api import Api
from idp_sdk.errors import UploadExpired
from idp_sdk.sending import Sender
from idp_sdk.uploads.labelled import LocalFile
from idp_sdk.uploads.s3_posts import md5_of, post_file

BATCH = 100  # files a call of createTestSetUploads takes
BATCH_BYTES = 200_000_000  # and of large files as many as are hashed in a second or less
PARALLEL = 8

Progress = Callable[[int, int, int, int], None]
T = TypeVar("T")


class _HashedFile(NamedTuple):
    file: LocalFile
    md5: str


_PreparedFile = tuple[TestSetUpload, _HashedFile]


class TestSetUploads:
    """Sends the files of one test set; `progress` is called with files done and in all, bytes done and in all."""

    __test__ = False

    def __init__(self, api: Api, sender: Sender, test_set_id: str, progress: Progress | None) -> None:
        self._api = api
        self._sender = sender
        self._test_set_id = test_set_id
        self._progress = progress
        self._lock = threading.Lock()
        self._done = 0
        self._bytes = 0

    def send(self, files: Sequence[LocalFile]) -> None:
        """Send what S3 does not have yet. Raises UploadFailed that says how to continue."""
        total = len(files), sum(file.size for file in files)
        senders, preparer = ThreadPoolExecutor(PARALLEL), ThreadPoolExecutor(1)
        try:
            # One batch is ahead of the files being sent, not all: addresses are good for an hour.
            ahead: list[Future[list[_PreparedFile]]] = []
            sending: list[Future[None]] = []
            for batch in _batches(files):
                ahead.append(preparer.submit(self._prepare, batch))
                if len(ahead) == 2:
                    sending = self._continue(ahead.pop(0), sending, senders, total)
            for last in ahead:
                sending = self._continue(last, sending, senders, total)
            _results(sending)
        finally:
            preparer.shutdown(wait=False, cancel_futures=True)
            senders.shutdown(cancel_futures=True)

    def _continue(
        self,
        ahead: Future[list[_PreparedFile]],
        sending: list[Future[None]],
        senders: ThreadPoolExecutor,
        total: tuple[int, int],
    ) -> list[Future[None]]:
        """Begin to send the files that are prepared; return once those before them are sent."""
        begun = [senders.submit(self._send, *file, total) for file in ahead.result()]
        _results(sending)
        return begun

    def _prepare(self, batch: Sequence[LocalFile]) -> list[_PreparedFile]:
        hashed = [_HashedFile(file, md5_of(file.content)) for file in batch]
        uploads = {upload.key: upload for upload in self._create_uploads(hashed)}
        return [(uploads[item.file.key], item) for item in hashed]

    def _send(self, upload: TestSetUpload, item: _HashedFile, total: tuple[int, int]) -> None:
        try:
            post_file(self._sender, upload, item.file.content)
        except UploadExpired:
            (renewed,) = self._create_uploads([item])
            post_file(self._sender, renewed, item.file.content)
        with self._lock:
            self._done += 1
            self._bytes += item.file.size
            if self._progress:
                self._progress(self._done, total[0], self._bytes, total[1])

    def _create_uploads(self, batch: Sequence[_HashedFile]) -> Sequence[TestSetUpload]:
        files = [{"key": item.file.key, "size": item.file.size, "md5": item.md5} for item in batch]
        return self._api.call(operations.CREATE_TEST_SET_UPLOADS, {"testSetId": self._test_set_id, "files": files})


def _batches(files: Sequence[LocalFile]) -> Iterator[list[LocalFile]]:
    batch: list[LocalFile] = []
    size = 0
    for file in files:
        if batch and (len(batch) == BATCH or size + file.size > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(file)
        size += file.size
    if batch:
        yield batch


def _results(futures: Iterable[Future[T]]) -> list[T]:
    """Results in order; the first failure is raised at once."""
    started = list(futures)
    for future in wait(started, return_when=FIRST_EXCEPTION).done:
        future.result()
    return [future.result() for future in started]
