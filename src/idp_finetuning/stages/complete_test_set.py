"""Complete a test set: what S3 holds is what was announced, and stays what jobs read.

Upload forms are good for an hour, and the MD5 in them is only what a client said. So the ETags that S3 lists, which are
MD5 sums in a bucket without KMS, are compared with the announcements and recorded; whoever reads the test set asks for
files with these ETags only.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple
from uuid import uuid4

from idp_finetuning.adapters.attached_test_sets import AttachedTestSets
from idp_finetuning.adapters.buckets import TestSetBucket
from idp_finetuning.adapters.tables.test_sets import TestSetTable
from idp_finetuning.errors import Conflict, InvalidInput
from idp_finetuning.test_sets.keys import (
    announced_prefix,
    document_of,
    input_prefix,
    is_label,
    sealed_key,
    uploading_marker,
)
from idp_finetuning.test_sets.labels import Listing
from idp_finetuning.test_sets.test_set import TestSetFile, TestSetRecord, TestSetStatus
from idp_finetuning.text import join_first
from idp_finetuning.wire import WireModel


class Announcement(WireModel):
    """The files of one request for upload forms, and the version of the test set that they are for."""

    files: tuple[TestSetFile, ...]
    version: int = 1


def announce(test_set: TestSetRecord, files: Sequence[TestSetFile], bucket: TestSetBucket) -> None:
    """Store what a client is about to upload; of a file that was announced twice, the later one counts."""
    key = f"{announced_prefix(test_set.id)}{time.time_ns():020}-{uuid4().hex[:8]}.json"
    bucket.write_model(key, Announcement(files=tuple(files), version=_next_version(test_set)))


def require_new(test_set: TestSetRecord, files: Sequence[TestSetFile], bucket: TestSetBucket) -> None:
    """Raise Conflict if files would change documents or labels that a complete test set has."""
    if test_set.sealed_as is None:
        return
    prefix = f"{test_set.id}/"
    listed = {file.key.removeprefix(prefix): file.etag for file in bucket.sealed(test_set.id, test_set.sealed_as).files}
    labelled = {document_of(key) for key in listed if is_label(key)}
    changed = [
        file.key
        for file in files
        if (file.key in listed and listed[file.key] != file.md5)
        or (file.key not in listed and is_label(file.key) and document_of(file.key) in labelled)
    ]
    if changed:
        raise Conflict(
            f"Test set '{test_set.id}' has other documents or labels under the same paths: {join_first(changed)}. What "
            "is complete is not changed: give the new documents other paths, or remove the old ones first."
        )


def _next_version(test_set: TestSetRecord) -> int:
    return test_set.version + 1 if test_set.sealed_as else test_set.version


def seal(test_set: TestSetRecord, bucket: TestSetBucket, test_sets: TestSetTable | AttachedTestSets) -> TestSetRecord:
    """Record what the test set holds, and mark it READY; files that came since then make its next version. Idempotent.

    Raises InvalidInput if there is no document, or a file is not the one that was announced.
    """
    if test_set.sealed_as:
        test_set = _seal_additions(test_set, test_set.sealed_as, bucket, test_sets)
    elif test_set.status is not TestSetStatus.READY:
        listing = Listing(test_set_id=test_set.id, files=bucket.listing(test_set.id).uploaded)
        if not listing.document_count:
            raise InvalidInput(f"Test set '{test_set.id}' has no document. Upload documents below input/ first.")
        _require_announced(listing, {key: a.md5 for key, a in _announced(test_set.id, bucket).items()})
        bucket.write_model(sealed_key(test_set.id, listing.fingerprint), listing)
        test_set = test_sets.mark_ready(test_set.id, listing.document_count, listing.fingerprint)
    bucket.delete(uploading_marker(test_set.id))
    return test_set


def _seal_additions(
    test_set: TestSetRecord, fingerprint: str, bucket: TestSetBucket, test_sets: TestSetTable | AttachedTestSets
) -> TestSetRecord:
    """Add the documents of which everything that was announced is there; what misses a file waits for it.

    So of two uploads at the same time neither loses a document, and one that was given up adds no half documents.
    """
    before = bucket.sealed(test_set.id, fingerprint)
    listed = {file.key for file in before.files}
    pending = {
        key: announced.md5
        for key, announced in _announced(test_set.id, bucket).items()
        if key not in listed and announced.version > before.removed.get(key, 0)
    }
    if not pending:
        return test_set
    present = {file.key: file for file in bucket.listing(test_set.id).uploaded if file.key in pending}
    _require_announced(Listing(test_set_id=test_set.id, files=tuple(present.values())), pending)
    prefix = f"{test_set.id}/"
    unfinished = {document_of(key.removeprefix(prefix)) for key in pending if key not in present}
    added = [file for key, file in present.items() if document_of(key.removeprefix(prefix)) not in unfinished]
    return store_version(test_set, before.with_files(added), bucket, test_sets)


def remove_documents(
    test_set: TestSetRecord, paths: Sequence[str], bucket: TestSetBucket, test_sets: TestSetTable | AttachedTestSets
) -> TestSetRecord:
    """Store a version without these documents; their files stay in S3, where earlier versions need them.

    Raises InvalidInput if the test set is not complete, has none of this path, or would have no document left.
    """
    if test_set.sealed_as is None:
        raise InvalidInput(
            f"Test set '{test_set.id}' was not completed here, so it has no versions. Complete its upload first."
        )
    before = bucket.sealed(test_set.id, test_set.sealed_as)
    inputs = input_prefix(test_set.id)
    listed = {file.key for file in before.files}
    if unknown := [path for path in paths if inputs + path not in listed]:
        raise InvalidInput(f"Test set '{test_set.id}' has no document {join_first(unknown)}. Correct the paths.")
    after = before.without(paths, test_set.version + 1)
    if not after.document_count:
        raise InvalidInput(f"Test set '{test_set.id}' would have no document left. Delete the test set instead.")
    return store_version(test_set, after, bucket, test_sets)


def store_version(
    test_set: TestSetRecord, listing: Listing, bucket: TestSetBucket, test_sets: TestSetTable | AttachedTestSets
) -> TestSetRecord:
    """Make a listing the test set's next version, unless it is the one it has. Raises Conflict if it changed since."""
    if listing.fingerprint == test_set.fingerprint:
        return test_set
    bucket.write_model(sealed_key(test_set.id, listing.fingerprint), listing)
    return test_sets.revise(test_set, listing.document_count, listing.fingerprint)


class _Announced(NamedTuple):
    """What a file was announced as, and for which version."""

    md5: str
    version: int


def _announced(test_set_id: str, bucket: TestSetBucket) -> dict[str, _Announced]:
    """Return every announced file by its key; of several announcements the latest counts."""
    keys = [file.key for file in bucket.list(announced_prefix(test_set_id))]
    return {
        f"{test_set_id}/{file.key}": _Announced(file.md5, request.version)
        for request in bucket.read_models(keys, Announcement)
        if request
        for file in request.files
    }


def _require_announced(listing: Listing, md5s: Mapping[str, str]) -> None:
    """Compare the files with the announcements; if there are none, other tools sent the files, and all are taken."""
    if not md5s:
        return
    prefix = f"{listing.test_set_id}/"
    changed = [f.key.removeprefix(prefix) for f in listing.files if md5s.get(f.key, f.etag) != f.etag]
    if changed:
        raise InvalidInput(
            f"Test set '{listing.test_set_id}' is not complete: {len(changed)} of its files in S3 are not the ones "
            f"that were announced: {join_first(changed)}. Upload them again."
        )
    unknown = [f.key.removeprefix(prefix) for f in listing.files if f.key not in md5s]
    if unknown:
        raise InvalidInput(
            f"Test set '{listing.test_set_id}' is not complete: {len(unknown)} of its files in S3 were not announced "
            f"with createTestSetUploads: {join_first(unknown)}. Announce them too, or delete the test set and upload "
            "it again."
        )
