"""Complete a test set: what S3 holds is what was announced, and stays what jobs read.

Upload forms are good for an hour, and the MD5 in them is only what a client said. So the ETags that S3 lists, which are
MD5 sums in a bucket without KMS, are compared with the announcements and recorded; whoever reads the test set asks for
files with these ETags only.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from uuid import uuid4

from idp_finetuning.adapters.attached_test_sets import AttachedTestSets
from idp_finetuning.adapters.buckets import TestSetBucket
from idp_finetuning.adapters.tables.test_sets import TestSetTable
from idp_finetuning.errors import InvalidInput
from idp_finetuning.test_sets.keys import announced_prefix, sealed_key, uploading_marker
from idp_finetuning.test_sets.labels import Listing
from idp_finetuning.test_sets.test_set import TestSetFile, TestSetRecord, TestSetStatus
from idp_finetuning.text import join_first
from idp_finetuning.wire import WireModel


class Announcement(WireModel):
    """The files of one request for upload forms."""

    files: tuple[TestSetFile, ...]


def announce(test_set_id: str, files: Sequence[TestSetFile], bucket: TestSetBucket) -> None:
    """Store what a client is about to upload; of a file that was announced twice, the later one counts."""
    key = f"{announced_prefix(test_set_id)}{time.time_ns():020}-{uuid4().hex[:8]}.json"
    bucket.write_model(key, Announcement(files=tuple(files)))


def seal(test_set: TestSetRecord, bucket: TestSetBucket, test_sets: TestSetTable | AttachedTestSets) -> TestSetRecord:
    """Record what the test set holds, and mark it READY. Idempotent: a complete test set stays as it is.

    Raises InvalidInput if there is no document, or a file is not the one that was announced.
    """
    if test_set.status is not TestSetStatus.READY:
        listing = Listing(test_set_id=test_set.id, files=bucket.listing(test_set.id).uploaded)
        if not listing.document_count:
            raise InvalidInput(f"Test set '{test_set.id}' has no document. Upload documents below input/ first.")
        _require_announced(listing, bucket)
        bucket.write_model(sealed_key(test_set.id, listing.fingerprint), listing)
        test_set = test_sets.mark_ready(test_set.id, listing.document_count, listing.fingerprint)
    bucket.delete(uploading_marker(test_set.id))
    return test_set


def _require_announced(listing: Listing, bucket: TestSetBucket) -> None:
    """Compare the files with the announcements; if there are none, other tools sent the files, and all are taken."""
    keys = [file.key for file in bucket.list(announced_prefix(listing.test_set_id))]
    requests = bucket.read_models(keys, Announcement)
    md5s = {f"{listing.test_set_id}/{file.key}": file.md5 for request in requests if request for file in request.files}
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
