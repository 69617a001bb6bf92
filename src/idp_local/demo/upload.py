"""Uploads a labelled test set the way every client does: presigned POSTs, several at a time."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice

import urllib3
from pydantic import BaseModel, ConfigDict

from idp_finetuning.test_sets import TestSetFile, TestSetUpload, UploadField
from idp_local.demo.failure import DemoFailed
from idp_local.demo.labelled import LabelledDocument
from idp_local.demo.service import FinetuningService

BATCH = 100  # files a call of createTestSetUploads
CONNECTIONS = 6


class _Outgoing(BaseModel):
    """A file to send; its content is read when it is sent."""

    model_config = ConfigDict(frozen=True)

    file: TestSetFile
    read: Callable[[], bytes]


def upload(
    service: FinetuningService, test_set_id: str, documents: Sequence[LabelledDocument], sent: Callable[[int], None]
) -> int:
    """Sends documents and baselines and answers the number of files; `sent` is told how many are there.

    Raises DemoFailed where S3 refuses a file.
    """
    count = 0
    outgoing = _outgoing(documents)
    with urllib3.PoolManager(maxsize=CONNECTIONS, block=True) as http, ThreadPoolExecutor(CONNECTIONS) as pool:
        while batch := list(islice(outgoing, BATCH)):
            uploads = service.create_uploads(test_set_id, [item.file for item in batch])
            for _ in pool.map(lambda pair: _post(http, *pair), zip(uploads, batch, strict=True)):
                count += 1
                sent(count)
    return count


def upload_to_classify(service: FinetuningService, name: str, content: bytes) -> str:
    """Sends one document and answers the key to classify it by. Raises DemoFailed where S3 refuses it."""
    md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
    admitted = service.create_classification_upload(name, len(content), md5)
    with urllib3.PoolManager() as http:
        _send(http, admitted.key, admitted.url, admitted.fields, content)
    return admitted.key


def _outgoing(documents: Sequence[LabelledDocument]) -> Iterator[_Outgoing]:
    for document in documents:
        yield _described(f"input/{document.path}", document.read(), document.read)
        for key, content in document.baselines():
            yield _described(key, content, partial(bytes, content))


def _described(key: str, content: bytes, read: Callable[[], bytes]) -> _Outgoing:
    md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
    return _Outgoing(file=TestSetFile(key=key, size=len(content), md5=md5), read=read)


def _post(http: urllib3.PoolManager, upload: TestSetUpload, outgoing: _Outgoing) -> None:
    if upload.present or upload.url is None:
        return
    _send(http, upload.key, upload.url, upload.fields, outgoing.read())


def _send(http: urllib3.PoolManager, key: str, url: str, admitted: Iterable[UploadField], content: bytes) -> None:
    fields: list[tuple[str, str | tuple[str, bytes]]] = [(field.name, field.value) for field in admitted]
    # S3 ignores every form field that follows the file.
    fields.append(("file", ("file", content)))
    answer = http.request("POST", url, fields=fields, timeout=60, retries=2)
    if answer.status not in (200, 201, 204):
        raise DemoFailed(f"S3 refused '{key}' with HTTP status {answer.status}.")
