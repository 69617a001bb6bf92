"""Sends files to S3 by presigned POSTs: several at a time, streamed from disk, only those that are missing."""

from __future__ import annotations

import hashlib
import io
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import httpx

from idp_finetuning.classification.classification import ClassificationUpload
from idp_finetuning.test_sets.test_set import TestSetUpload
from idp_sdk import operations
from idp_sdk.api import Api
from idp_sdk.errors import UploadFailed
from idp_sdk.labelled import LocalFile
from idp_sdk.sending import Again, Sender

BATCH = 100  # files a call of createTestSetUploads takes
PARALLEL = 8
CHUNK_BYTES = 1024 * 1024

Progress = Callable[[int, int, int, int], None]
T = TypeVar("T")
Upload = TestSetUpload | ClassificationUpload


class _Digested(NamedTuple):
    file: LocalFile
    md5: str


class _UploadExpired(Exception):
    """The presigned POST is too old."""


def md5_of(content: Path | bytes) -> str:
    """MD5 in hexadecimal. Raises UploadFailed where the file cannot be read."""
    with _opened(content) as stream:
        digest = hashlib.md5(usedforsecurity=False)
        while chunk := stream.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def post_file(sender: Sender, upload: Upload, content: Path | bytes) -> None:
    """Sends one file. Raises UploadFailed, ConnectionFailed, ServerError."""
    try:
        _post(sender, upload, content)
    except _UploadExpired:
        raise UploadFailed(f"'{upload.key}' came too late for its signed address. Start again.") from None


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
        """Sends what S3 does not hold yet. Raises UploadFailed that says how to go on."""
        total = len(files), sum(file.size for file in files)
        pool = ThreadPoolExecutor(PARALLEL)
        try:
            remaining = iter(files)
            while batch := list(islice(remaining, BATCH)):
                digested = _all(pool.submit(_digested, file) for file in batch)
                uploads = {upload.key: upload for upload in self._uploads(digested)}
                _all([pool.submit(self._send, uploads[item.file.key], item, total) for item in digested])
        finally:
            pool.shutdown(cancel_futures=True)

    def _send(self, upload: Upload, item: _Digested, total: tuple[int, int]) -> None:
        try:
            _post(self._sender, upload, item.file.content)
        except _UploadExpired:
            (renewed,) = self._uploads([item])
            post_file(self._sender, renewed, item.file.content)
        with self._lock:
            self._done += 1
            self._bytes += item.file.size
            if self._progress:
                self._progress(self._done, total[0], self._bytes, total[1])

    def _uploads(self, batch: Sequence[_Digested]) -> Sequence[TestSetUpload]:
        files = [{"key": item.file.key, "size": item.file.size, "md5": item.md5} for item in batch]
        return self._api.call(operations.CREATE_TEST_SET_UPLOADS, {"testSetId": self._test_set_id, "files": files})


def _digested(file: LocalFile) -> _Digested:
    return _Digested(file, md5_of(file.content))


def _all(futures: Iterable[Future[T]]) -> list[T]:
    """The results in order; the first failure is raised at once."""
    started = list(futures)
    for future in wait(started, return_when=FIRST_EXCEPTION).done:
        future.result()
    return [future.result() for future in started]


def _post(sender: Sender, upload: Upload, content: Path | bytes) -> None:
    if upload.url is None:
        return
    fields = {field.name: field.value for field in upload.fields}
    with _opened(content) as stream:

        def anew() -> dict[str, Any]:
            stream.seek(0)
            # S3 ignores every form field that follows the file; httpx sends data before files.
            return {"data": fields, "files": {"file": ("file", stream, "application/octet-stream")}}

        try:
            sender.post(upload.url, lambda response: _check(response, upload.key), repeatable=True, content=anew)
        except OSError as error:
            raise UploadFailed(f"'{content!s}' cannot be read: {error.strerror}. Start again.") from None


def _check(response: httpx.Response, key: str) -> None:
    if response.is_success:
        return
    reason = response.text
    # The policy ends with status 403; the credentials it was signed with may end before it, with status 400.
    if (response.status_code == httpx.codes.FORBIDDEN and "expired" in reason) or "ExpiredToken" in reason:
        raise _UploadExpired
    if "RequestTimeout" in reason:  # with status 400: the connection stood still
        raise Again(
            UploadFailed(f"S3 did not get '{key}' in time. Start again: only what is missing is sent."), refused=True
        )
    if "EntityTooLarge" in reason or "EntityTooSmall" in reason or "BadDigest" in reason:
        raise UploadFailed(f"'{key}' was changed while it was being sent. Leave the files alone and start again.")
    raise UploadFailed(
        f"S3 refused '{key}' with HTTP status {response.status_code}. Start again: only what is missing is sent."
    )


@contextmanager
def _opened(content: Path | bytes) -> Iterator[io.BufferedIOBase]:
    try:
        stream: io.BufferedIOBase = io.BytesIO(content) if isinstance(content, bytes) else content.open("rb")
    except OSError as error:
        raise UploadFailed(
            f"'{content!s}' cannot be read: {error.strerror}. Correct that and start again: only what is missing is "
            "sent."
        ) from None
    with stream:
        yield stream
