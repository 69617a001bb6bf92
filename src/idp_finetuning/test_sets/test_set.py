"""Test sets: labelled documents under one id, and which files may be uploaded to them."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, Field

from idp_finetuning.errors import TestSetInvalid
from idp_finetuning.test_sets.document_types import MAXIMUM_DOCUMENT_BYTES
from idp_finetuning.text import is_one_line
from idp_finetuning.wire import UtcTime, WireModel

# The rule of AWS's IDP accelerator for names of test sets.
NAME_PATTERN = r"^[A-Za-z0-9 _-]{1,50}$"
MAXIMUM_KEY_BYTES = 900  # S3 allows 1,024 for the whole key; the test-set id comes before it


Md5 = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]


class TestSetStatus(StrEnum):
    """UPLOADING until completeTestSet, then READY; DELETING from deleteTestSet until it is gone.

    What is READY changes only by whole versions.
    """

    __test__ = False

    UPLOADING = "UPLOADING"
    READY = "READY"
    DELETING = "DELETING"


class TestSet(WireModel):
    """A test set as the API shows it; `version` counts the times it was completed or documents were removed."""

    __test__ = False

    id: str
    name: str
    description: str = ""
    file_count: int = 0
    status: TestSetStatus
    version: int = 1
    created_at: UtcTime

    def require_ready(self) -> None:
        """Raise TestSetInvalid if no job may read it."""
        if self.status is TestSetStatus.UPLOADING:
            raise TestSetInvalid(
                f"Test set '{self.id}' is not ready: its upload is still in progress. Complete the upload first."
            )
        if self.status is TestSetStatus.DELETING:
            raise TestSetInvalid(f"Test set '{self.id}' is not ready: it is being deleted. Choose another test set.")


class TestSetRecord(TestSet):
    """The stored record of a test set.

    `fingerprint` is that of the listing it was completed with; `deleting_since` is when its deletion was last started.
    """

    __test__ = False

    fingerprint: str | None = None
    deleting_since: UtcTime | None = None

    @property
    def sealed_as(self) -> str | None:
        """Fingerprint of the listing that jobs read; None if the bucket has to be listed."""
        return self.fingerprint if self.status is TestSetStatus.READY else None


def _require_uploadable(key: str) -> str:
    segments = key.split("/")
    if segments[0] not in ("input", "baseline") or len(segments) < 2:
        raise ValueError("a key begins with input/ or baseline/")
    if any(segment in ("", ".", "..") for segment in segments):
        raise ValueError("a key has no empty, '.' or '..' segment")
    if "${filename}" in key:
        raise ValueError("a key does not contain ${filename}, which S3 replaces in uploads")
    if "$" in key:
        raise ValueError("a key does not contain $, which S3 does not accept in the forms that sign uploads")
    if not is_one_line(key) or len(key.encode()) > MAXIMUM_KEY_BYTES:
        raise ValueError(f"a key has no control characters and is at most {MAXIMUM_KEY_BYTES} bytes long")
    return key


class TestSetFile(WireModel):
    """A file a client wants to upload: key below the test set, size in bytes, MD5 in lower-case hexadecimal."""

    __test__ = False

    key: Annotated[str, AfterValidator(_require_uploadable)]
    size: int = Field(ge=0, le=MAXIMUM_DOCUMENT_BYTES)
    md5: Md5


class UploadField(WireModel):
    """One form field of an S3 POST; the values sign it and are not shown."""

    name: str
    value: str = Field(repr=False)


class TestSetUpload(WireModel):
    """Where to send a file: an S3 POST for exactly this file, or nothing if S3 already has it."""

    __test__ = False

    key: str
    present: bool
    url: str | None = None
    fields: tuple[UploadField, ...] = ()


def identifier_of(name: str) -> str:
    """Return the id of a name: lower case, spaces to hyphens, as AWS's IDP accelerator makes it."""
    return re.sub(" ", "-", name.strip().lower())
