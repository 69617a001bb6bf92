"""Test sets of a bucket that belongs to another stack, such as the accelerator's: found by prefix, never written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, NoReturn

from idp_finetuning.errors import InvalidInput, TestSetNotFound
from idp_finetuning.pagination import OpaqueToken, Page
from idp_finetuning.test_sets.document_types import why_no_document
from idp_finetuning.test_sets.keys import input_prefix, uploading_marker
from idp_finetuning.test_sets.test_set import TestSet, TestSetRecord, TestSetStatus

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ObjectTypeDef


class IdToken(OpaqueToken):
    """The last test set of a page, by its id."""

    id: str


class AttachedTestSets:
    """Replaces the table if the test-set bucket is attached; a test set is a prefix with documents."""

    def __init__(self, s3: S3Client, bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket

    def require_writable(self) -> NoReturn:
        """Raise InvalidInput: only the bucket's owner uploads and deletes."""
        raise InvalidInput(
            "The test-set bucket belongs to another stack and is read-only here. Upload, complete and delete test sets "
            "in that stack."
        )

    def is_free(self, test_set_id: str) -> NoReturn:  # noqa: ARG002
        """Raise InvalidInput."""
        self.require_writable()

    def create(self, test_set: TestSet) -> NoReturn:  # noqa: ARG002 - the table's signature
        """Raise InvalidInput."""
        self.require_writable()

    def mark_ready(self, test_set_id: str, file_count: int, fingerprint: str) -> NoReturn:  # noqa: ARG002
        """Raise InvalidInput."""
        self.require_writable()

    def revise(self, before: TestSetRecord, file_count: int, fingerprint: str) -> NoReturn:  # noqa: ARG002
        """Raise InvalidInput."""
        self.require_writable()

    def close(self, test_set_id: str) -> NoReturn:  # noqa: ARG002
        """Raise InvalidInput."""
        self.require_writable()

    def reopen(self, test_set: TestSetRecord) -> NoReturn:  # noqa: ARG002
        """Raise InvalidInput."""
        self.require_writable()

    def postpone(self, test_set_id: str) -> NoReturn:  # noqa: ARG002
        """Raise InvalidInput."""
        self.require_writable()

    def is_closed(self, test_set_id: str, created_at: datetime) -> NoReturn:  # noqa: ARG002
        """Raise InvalidInput."""
        self.require_writable()

    def delete(self, test_set_id: str, created_at: datetime) -> NoReturn:  # noqa: ARG002
        """Raise InvalidInput."""
        self.require_writable()

    def closed_before(self, moment: datetime) -> Iterator[TestSetRecord]:  # noqa: ARG002
        """Yield nothing: only the bucket's owner deletes."""
        return iter(())

    def get(self, test_set_id: str) -> TestSetRecord:
        """Return the test set below this prefix; READY unless its upload is unfinished. Raises TestSetNotFound."""
        inputs = input_prefix(test_set_id)
        documents = [
            entry
            for entry in self._objects(inputs)
            if not entry["Key"].endswith("/") and not why_no_document(entry["Key"].removeprefix(inputs), entry["Size"])
        ]
        if "/" in test_set_id or not documents:
            raise TestSetNotFound(f"There is no test set '{test_set_id}'. listTestSets shows those there are.")
        uploading = any(self._objects(uploading_marker(test_set_id)))
        return TestSetRecord(
            id=test_set_id,
            name=test_set_id,
            file_count=len(documents),
            status=TestSetStatus.UPLOADING if uploading else TestSetStatus.READY,
            created_at=min(entry["LastModified"] for entry in documents),
        )

    def list(self, *, limit: int, next_token: str | None) -> Page[TestSet]:
        """Return a page of test sets by id; a bucket knows no order of creation."""
        after = IdToken.from_text(next_token).id if next_token else ""
        ids = [test_set_id for test_set_id in self._ids() if test_set_id > after]
        found: list[TestSetRecord] = []
        for test_set_id in ids:
            if len(found) == limit:
                return Page(items=tuple(found), next_token=IdToken(id=found[-1].id).to_text())
            if any(self._objects(input_prefix(test_set_id))):
                found.append(self.get(test_set_id))
        return Page(items=tuple(found))

    def _ids(self) -> Sequence[str]:
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Delimiter="/")
        return sorted(entry["Prefix"].rstrip("/") for page in pages for entry in page.get("CommonPrefixes", []))

    def _objects(self, prefix: str) -> Iterator[ObjectTypeDef]:
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
        return (entry for page in pages for entry in page.get("Contents", []))
