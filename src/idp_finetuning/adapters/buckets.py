"""The two buckets in S3: test sets as users upload them, and the data of jobs."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from datetime import datetime
from enum import StrEnum
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

from botocore.exceptions import ClientError

from idp_finetuning.adapters.aws_calls import error_code
from idp_finetuning.adapters.read_ahead import PARALLEL_READS, Admit, read_ahead
from idp_finetuning.errors import Conflict, DocumentRejected, TestSetInvalid
from idp_finetuning.test_sets.document_types import BEGINNING_BYTES, MAXIMUM_DOCUMENT_BYTES
from idp_finetuning.test_sets.keys import baseline_prefix, input_prefix, sealed_key, uploading_marker
from idp_finetuning.test_sets.labels import Listing, StoredFile
from idp_finetuning.test_sets.test_set import TestSetFile, TestSetUpload, UploadField
from idp_finetuning.text import join_first
from idp_finetuning.wire import WireModel, read_stored_json

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import (
        CompletedPartTypeDef,
        GetObjectOutputTypeDef,
        ObjectIdentifierTypeDef,
        ObjectTypeDef,
    )

M = TypeVar("M", bound=WireModel)

PARALLEL_WRITES = 4
UPLOAD_EXPIRES_SECONDS = 3600
_MISSING = ("NoSuchKey", "NotFound", "404")
# Of S3's conditional requests: an object that is there, or has another ETag; a write at the same time.
_CHANGED = "PreconditionFailed"
_TAKEN = (_CHANGED, "ConditionalRequestConflict")
PART_BYTES = 5 * 1024 * 1024  # the minimum in S3; it allows 10,000 parts, which is more than any data set


class Unreadable(StrEnum):
    """Why an object could not be read: it is gone, or no longer the one that was asked for."""

    MISSING = "missing"
    CHANGED = "changed"


class Bucket:
    """Objects of one bucket; contents are bytes."""

    def __init__(self, s3: S3Client, name: str) -> None:
        self._s3 = s3
        self.name = name

    def read(self, key: str, etag: str | None = None) -> bytes:
        """Return an object's content, of this very version if an ETag is given."""
        with self._get(key, etag)["Body"] as body:
            content: bytes = body.read()
            return content

    def _get(self, key: str, etag: str | None) -> GetObjectOutputTypeDef:
        if etag is None:
            return self._s3.get_object(Bucket=self.name, Key=key)
        return self._s3.get_object(Bucket=self.name, Key=key, IfMatch=f'"{etag}"')

    def read_document(self, key: str, etag: str | None = None) -> bytes:
        """Return a document's content. Raises DocumentRejected if it is gone, too large, or has another ETag."""
        try:
            response = self._get(key, etag)
        except ClientError as error:
            if error_code(error) in _MISSING:
                raise DocumentRejected("missing", "The file is no longer there. Upload it again.") from error
            if error_code(error) == _CHANGED:
                raise DocumentRejected(
                    "changed", "The file is no longer the one that was chosen. Upload it in a new test set."
                ) from error
            raise
        with response["Body"] as body:
            if response["ContentLength"] > MAXIMUM_DOCUMENT_BYTES:
                raise DocumentRejected(
                    "too_large", f"The file is larger than {MAXIMUM_DOCUMENT_BYTES // 1_000_000} MB. Split it."
                )
            content: bytes = body.read()
            return content

    def read_lines(self, key: str, start: int, limit: int) -> tuple[list[bytes], int | None] | None:
        """Return at most `limit` lines of an object from this byte on, and the byte at which the next one begins.

        That is None after the last line; the result is None if there is no such object or byte.
        """
        try:
            response = self._s3.get_object(Bucket=self.name, Key=key, Range=f"bytes={start}-")
        except ClientError as error:
            if error_code(error) in (*_MISSING, "InvalidRange"):
                return None
            raise
        with closing(response["Body"]) as body:  # as a context it is the raw stream, which has no lines
            lines = list(islice(body.iter_lines(), limit))
        read = sum(len(line) + 1 for line in lines)
        return lines, start + read if read < response["ContentLength"] else None

    def read_all(self, keys: Iterable[str], *, within_seconds: float = math.inf) -> Iterator[bytes]:
        """Yield contents in the order of the keys, read in parallel, with a bounded number and size in memory.

        Raises TimeoutError if it takes longer.
        """
        return read_ahead(self._read, keys, within_seconds)

    def _read(self, key: str, admit: Admit) -> bytes:
        response = self._get(key, None)
        with response["Body"] as body:
            admit(response["ContentLength"])
            content: bytes = body.read()
            return content

    def read_files(
        self, files: Iterable[tuple[str, str | None]], *, within_seconds: float = math.inf
    ) -> Iterator[bytes | Unreadable]:
        """Yield contents as read_all does, of keys with what their ETags must begin with, or why one cannot be read."""
        return read_ahead(self._read_file, files, within_seconds)

    def read_beginnings(self, keys: Iterable[str], *, within_seconds: float = math.inf) -> Iterator[bytes]:
        """Yield as many first bytes as show a document's type, as read_all does; no object may be empty."""
        return read_ahead(self._read_beginning, keys, within_seconds)

    def _read_beginning(self, key: str, admit: Admit) -> bytes:
        admit(BEGINNING_BYTES)
        wanted = f"bytes=0-{BEGINNING_BYTES - 1}"
        with self._s3.get_object(Bucket=self.name, Key=key, Range=wanted)["Body"] as body:
            return body.read()

    def _read_file(self, file: tuple[str, str | None], admit: Admit = lambda _: None) -> bytes | Unreadable:
        key, beginning = file
        try:
            response = self._get(key, None)
        except ClientError as error:
            if error_code(error) in _MISSING:
                return Unreadable.MISSING
            raise
        with response["Body"] as body:
            if not response["ETag"].strip('"').startswith(beginning or ""):
                return Unreadable.CHANGED
            admit(response["ContentLength"])
            return body.read()

    def list(self, prefix: str, *, within_seconds: float = math.inf) -> Iterator[StoredFile]:
        """Yield the objects below a prefix in key order. Raises TimeoutError if it takes longer."""
        latest = time.monotonic() + within_seconds
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=prefix)
        for page in pages:
            if time.monotonic() > latest:
                raise TimeoutError
            yield from map(_stored, page.get("Contents", []))

    def holds(self, prefix: str) -> bool:
        """Return whether there is any object below a prefix; old versions do not count."""
        return "Contents" in self._s3.list_objects_v2(Bucket=self.name, Prefix=prefix, MaxKeys=1)

    def write(self, key: str, content: bytes, content_type: str = "application/json") -> None:
        """Write an object."""
        self._s3.put_object(Bucket=self.name, Key=key, Body=content, ContentType=content_type)

    def read_model(self, key: str, model: type[M]) -> M | None:
        """Return the model stored at a key, or None if there is none."""
        content = self._read_file((key, None))
        return None if isinstance(content, Unreadable) else read_stored_json(model, content)

    def read_models(self, keys: Iterable[str], model: type[M]) -> Iterator[M | None]:
        """Yield the models stored at keys in their order, read in parallel."""
        contents = self.read_files((key, None) for key in keys)
        return (None if isinstance(content, Unreadable) else read_stored_json(model, content) for content in contents)

    def write_model(self, key: str, value: WireModel) -> None:
        """Store a model as JSON."""
        self.write(key, value.model_dump_json(by_alias=True).encode())

    def write_once(self, key: str, value: WireModel) -> bool:
        """Store a model unless the key exists; return False if it does, or is being written by another request."""
        return self.exchange(key, value, None) is not None

    def find_etag(self, key: str) -> str | None:
        """Return the ETag of an object, or None if there is none."""
        first = next(self.list(key), None)  # of the keys that begin with this one
        return first.etag if first and first.key == key else None

    def replace(self, key: str, value: WireModel, etag: str) -> bool:
        """Store a model over the object with this ETag; return False if it has another one by now, or is gone."""
        return self.exchange(key, value, etag) is not None

    def exchange(self, key: str, value: WireModel, etag: str | None) -> str | None:
        """Store a model over the object with this ETag, or if None as a new object, and return the new ETag.

        Return None if the object is another one by now, or another request is writing it.
        """
        content = value.model_dump_json(by_alias=True).encode()
        condition = {"IfNoneMatch": "*"} if etag is None else {"IfMatch": f'"{etag}"'}
        try:
            stored = self._s3.put_object(
                Bucket=self.name,
                Key=key,
                Body=content,
                ContentType="application/json",
                **condition,  # type: ignore[arg-type]
            )
        except ClientError as error:
            if error_code(error) not in (*_TAKEN, *_MISSING):
                raise
            return None
        return stored["ETag"].strip('"')

    def upload_form(self, key: str, *, size: int, md5: str) -> tuple[str, tuple[UploadField, ...]]:
        """Return URL and fields of a POST that admits exactly one key and size, for an hour.

        The MD5 is stored as metadata, where people find it; S3 does not check it.
        """
        fields = {"x-amz-meta-md5": md5}
        post = self._s3.generate_presigned_post(
            Bucket=self.name,
            Key=key,
            Fields=fields,
            Conditions=[{name: value} for name, value in fields.items()] + [["content-length-range", size, size]],
            ExpiresIn=UPLOAD_EXPIRES_SECONDS,
        )
        return post["url"], tuple(UploadField(name=name, value=value) for name, value in post["fields"].items())

    def delete(self, key: str) -> None:
        """Delete an object. Idempotent."""
        self._s3.delete_object(Bucket=self.name, Key=key)

    def delete_prefix(self, prefix: str, *, still_allowed: Callable[[], bool] = lambda: True) -> int:
        """Delete every object below a prefix, versions and delete markers included, and return how many.

        The first page is listed again until it is empty: the marker of the next page may name a deleted object.
        `still_allowed` is asked between listing and deletion; False ends it. So nothing is deleted that was written
        after the answer changed.
        """
        removed = 0
        while True:
            page = self._s3.list_object_versions(Bucket=self.name, Prefix=prefix)
            versions: list[ObjectIdentifierTypeDef] = [
                {"Key": entry["Key"], "VersionId": entry["VersionId"]}
                for entry in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
            ]
            if not versions or not still_allowed():
                return removed
            response = self._s3.delete_objects(Bucket=self.name, Delete={"Objects": versions, "Quiet": True})
            for failed in response.get("Errors", []):
                raise ClientError({"Error": failed}, "DeleteObjects")
            removed += len(versions)


class TestSetBucket(Bucket):
    """Test sets in the accelerator's layout."""

    __test__ = False

    def listing(self, test_set_id: str, *, within_seconds: float = math.inf) -> Listing:
        """Return the documents, the labels and the marker of an upload. Raises TimeoutError if it takes longer.

        A large test set has about as many labels as documents, and the two are listed side by side.
        """
        prefixes = (uploading_marker(test_set_id), baseline_prefix(test_set_id), input_prefix(test_set_id))
        with ThreadPoolExecutor(len(prefixes)) as threads:
            parts = threads.map(lambda prefix: tuple(self.list(prefix, within_seconds=within_seconds)), prefixes)
            return Listing(test_set_id=test_set_id, files=tuple(file for part in parts for file in part))

    def sealed(self, test_set_id: str, fingerprint: str) -> Listing:
        """Return the listing that a test set was completed with. Raises TestSetInvalid if somebody removed it."""
        listing = self.read_model(sealed_key(test_set_id, fingerprint), Listing)
        if listing is None:
            raise TestSetInvalid(
                f"The list of the files that test set '{test_set_id}' was completed with is gone. Upload a new one."
            )
        return listing

    def uploads(
        self, test_set_id: str, files: Sequence[TestSetFile], *, replaces: bool = True
    ) -> tuple[TestSetUpload, ...]:
        """Return for each file a presigned POST for exactly it, or `present` if S3 already has it.

        Raises Conflict if it does not replace files and S3 has other contents under their keys: earlier versions of the
        test set need them.
        """
        keys = sorted(f"{test_set_id}/{file.key}" for file in files)
        held: dict[str, StoredFile] = {}
        for prefix in (input_prefix(test_set_id), baseline_prefix(test_set_id)):
            held |= self._held(prefix, [key for key in keys if key.startswith(prefix)])
        uploads = tuple(self._upload(test_set_id, file, held) for file in files)
        taken = [upload.key for upload in uploads if not upload.present and f"{test_set_id}/{upload.key}" in held]
        if taken and not replaces:
            raise Conflict(
                f"Earlier versions of test set '{test_set_id}' have other files under the same paths: "
                f"{join_first(taken)}. Give the new documents other paths."
            )
        return uploads

    def _upload(self, test_set_id: str, file: TestSetFile, held: Mapping[str, StoredFile]) -> TestSetUpload:
        key = f"{test_set_id}/{file.key}"
        # The ETag is the MD5 of what S3 holds; the metadata only has what a client said.
        if (there := held.get(key)) and (there.size, there.etag) == (file.size, file.md5):
            return TestSetUpload(key=file.key, present=True)
        url, fields = self.upload_form(key, size=file.size, md5=file.md5)
        return TestSetUpload(key=file.key, present=False, url=url, fields=fields)

    def _held(self, prefix: str, keys: Sequence[str]) -> dict[str, StoredFile]:
        """Return which of these sorted keys below a prefix S3 has.

        Files that follow each other in the test set take two requests: one for the first key, and one for a list of
        as many keys after it. Only keys that lie beyond the end of this list are asked for one by one.
        """
        if not keys:
            return {}
        page = self._s3.list_objects_v2(Bucket=self.name, Prefix=prefix, StartAfter=keys[0], MaxKeys=len(keys))
        listed = {file.key: file for file in map(_stored, page.get("Contents", []))}
        beyond = max(listed) if page["IsTruncated"] else keys[-1]
        with ThreadPoolExecutor(PARALLEL_READS) as threads:
            found = threads.map(self._head, [keys[0], *(key for key in keys if key > beyond)])
            return {**listed, **{file.key: file for file in found if file}}

    def _head(self, key: str) -> StoredFile | None:
        try:
            head = self._s3.head_object(Bucket=self.name, Key=key)
        except ClientError as error:
            if error_code(error) in _MISSING:
                return None
            raise
        return StoredFile(key=key, size=head["ContentLength"], etag=head["ETag"].strip('"'))


def _stored(entry: ObjectTypeDef) -> StoredFile:
    return StoredFile(key=entry["Key"], size=entry["Size"], etag=entry["ETag"].strip('"'))


class DataBucket(Bucket):
    """Data of jobs and classifications."""

    def folders(self, prefix: str) -> Iterator[str]:
        """Yield the names between the prefix and the next slash, also of objects with old versions only."""
        pages = self._s3.get_paginator("list_object_versions").paginate(Bucket=self.name, Prefix=prefix, Delimiter="/")
        for page in pages:
            for entry in page.get("CommonPrefixes", []):
                yield entry["Prefix"].removeprefix(prefix).rstrip("/")

    def was_written_since(self, prefix: str, moment: datetime) -> bool:
        """Return whether any version below the prefix is newer."""
        pages = self._s3.get_paginator("list_object_versions").paginate(Bucket=self.name, Prefix=prefix)
        return any(
            entry["LastModified"] > moment
            for page in pages
            for entry in (*page.get("Versions", []), *page.get("DeleteMarkers", []))
        )

    def write_all(self, objects: Iterable[tuple[str, bytes]], content_type: str) -> None:
        """Write objects in parallel while the next ones are being made; at most eight wait in memory."""
        with ThreadPoolExecutor(PARALLEL_WRITES) as threads:
            running: deque[Future[None]] = deque()
            for key, content in objects:
                if len(running) == 2 * PARALLEL_WRITES:
                    running.popleft().result()
                running.append(threads.submit(self.write, key, content, content_type))
            for written in running:
                written.result()

    def write_stream(self, key: str, lines: Iterable[bytes]) -> int:
        """Write chunks as one object, with at most two parts in memory, and return its size in bytes."""
        buffer, size, upload = bytearray(), 0, None
        parts: list[CompletedPartTypeDef] = []
        try:
            for chunk in lines:
                buffer += chunk
                size += len(chunk)
                if len(buffer) >= PART_BYTES:
                    upload = upload or self._s3.create_multipart_upload(
                        Bucket=self.name, Key=key, ContentType="application/jsonlines"
                    )
                    parts.append(self._part(key, upload["UploadId"], len(parts) + 1, bytes(buffer)))
                    buffer.clear()
            if not upload:
                self.write(key, bytes(buffer), "application/jsonlines")
                return size
            if buffer:
                parts.append(self._part(key, upload["UploadId"], len(parts) + 1, bytes(buffer)))
            self._s3.complete_multipart_upload(
                Bucket=self.name, Key=key, UploadId=upload["UploadId"], MultipartUpload={"Parts": parts}
            )
        except BaseException:
            if upload:
                self._s3.abort_multipart_upload(Bucket=self.name, Key=key, UploadId=upload["UploadId"])
            raise
        return size

    def _part(self, key: str, upload_id: str, number: int, content: bytes) -> CompletedPartTypeDef:
        response = self._s3.upload_part(Bucket=self.name, Key=key, UploadId=upload_id, PartNumber=number, Body=content)
        return {"PartNumber": number, "ETag": response["ETag"]}
