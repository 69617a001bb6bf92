"""Send a file to S3 by a presigned POST, streamed from disk."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from idp_finetuning.classification.classification import ClassificationUpload
from idp_finetuning.test_sets.test_set import TestSetUpload
from idp_sdk.errors import UploadExpired, UploadFailed
from idp_sdk.sending import Retryable, Sender

CHUNK_BYTES = 1024 * 1024

Upload = TestSetUpload | ClassificationUpload


def md5_of(content: Path | bytes) -> str:
    """Return the MD5 in hexadecimal. Raises UploadFailed if the file cannot be read."""
    with _open(content) as stream:
        digest = hashlib.md5(usedforsecurity=False)
        while chunk := stream.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def post_file(sender: Sender, upload: Upload, content: Path | bytes) -> None:
    """Send one file, unless S3 has it already.

    Raises UploadExpired, UploadFailed, ConnectionFailed, ServerError.
    """
    if upload.url is None:
        return
    fields = {field.name: field.value for field in upload.fields}
    with _open(content) as stream:

        def form() -> dict[str, Any]:
            stream.seek(0)
            # S3 ignores every form field that follows the file; httpx sends data before files.
            return {"data": fields, "files": {"file": ("file", stream, "application/octet-stream")}}

        try:
            sender.post(upload.url, lambda response: _check(response, upload.key), idempotent=True, content=form)
        except OSError as error:
            raise UploadFailed(f"'{content!s}' cannot be read: {error.strerror}. Start again.") from None


def _check(response: httpx.Response, key: str) -> None:
    if response.is_success:
        return
    reason = response.text
    # The policy ends with status 403; the credentials it was signed with may end before it, with status 400.
    if (response.status_code == httpx.codes.FORBIDDEN and "expired" in reason) or "ExpiredToken" in reason:
        raise UploadExpired(f"'{key}' came too late for its signed address. Start again.")
    if "RequestTimeout" in reason:  # with status 400: the connection was idle
        raise Retryable(
            UploadFailed(f"S3 did not get '{key}' in time. Start again: only what is missing is sent."), refused=True
        )
    if "EntityTooLarge" in reason or "EntityTooSmall" in reason or "BadDigest" in reason:
        raise UploadFailed(f"'{key}' was changed while it was being sent. Leave the files alone and start again.")
    raise UploadFailed(
        f"S3 refused '{key}' with HTTP status {response.status_code}. Start again: only what is missing is sent."
    )


@contextmanager
def _open(content: Path | bytes) -> Iterator[io.BufferedIOBase]:
    try:
        stream: io.BufferedIOBase = io.BytesIO(content) if isinstance(content, bytes) else content.open("rb")
    except OSError as error:
        raise UploadFailed(
            f"'{content!s}' cannot be read: {error.strerror}. Correct that and start again: only what is missing is "
            "sent."
        ) from None
    with stream:
        yield stream
