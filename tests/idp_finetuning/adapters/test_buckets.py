"""Buckets: uploads for exactly one file, reading in order, streaming, removal."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from idp_finetuning.adapters.buckets import PART_BYTES, DataBucket, TestSetBucket, Unreadable
from idp_finetuning.errors import DocumentRejected
from idp_finetuning.test_sets.labels import StoredFile
from idp_finetuning.test_sets.test_set import TestSetFile, TestSetUpload
from tests.support.domain.samples import labels


def file(key: str, content: bytes) -> TestSetFile:
    """The file as a client announces it."""
    return TestSetFile(key=key, size=len(content), md5=hashlib.md5(content).hexdigest())


def upload(bucket: TestSetBucket, announced: TestSetFile) -> TestSetUpload:
    """The answer for one file of test set docsplit."""
    (answer,) = bucket.uploads("docsplit", [announced])
    return answer


@pytest.mark.parametrize(
    "key",
    ["input/a.pdf", "input/sub dir/Überweisung 請求書.pdf", "input/at 5.00\u202fPM.png", "baseline/a.pdf/sections/1/r"],
)
def test_a_presigned_post_takes_exactly_this_key_and_size(documents_bucket: TestSetBucket, key: str) -> None:
    answer = upload(documents_bucket, file(key, b"12345"))
    assert (answer.key, answer.present) == (key, False)
    fields = {field.name: field.value for field in answer.fields}
    policy = json.loads(base64.b64decode(fields["policy"]))["conditions"]
    assert {"key": f"docsplit/{key}"} in policy
    assert {"bucket": "documents"} in policy
    assert ["content-length-range", 5, 5] in policy
    assert {"x-amz-meta-md5": hashlib.md5(b"12345").hexdigest()} in policy
    assert fields["key"] == f"docsplit/{key}"
    assert not [c for c in policy if isinstance(c, list) and c[0] == "starts-with"]
    assert fields["x-amz-algorithm"] == "AWS4-HMAC-SHA256"
    assert answer.url is not None
    assert "documents" in answer.url


def test_a_file_is_present_only_with_this_very_content(documents_bucket: TestSetBucket, s3: Any) -> None:
    content, same_size = b"12345", b"54321"
    assert not upload(documents_bucket, file("input/a.pdf", content)).present
    s3.put_object(Bucket="documents", Key="docsplit/input/a.pdf", Body=content)
    present = upload(documents_bucket, file("input/a.pdf", content))
    assert (present.present, present.url, present.fields) == (True, None, ())
    assert not upload(documents_bucket, file("input/a.pdf", same_size)).present
    assert not upload(documents_bucket, file("input/a.pdf", b"123456")).present
    assert not upload(documents_bucket, file("input/b.pdf", content)).present


def test_a_file_is_not_present_because_its_metadata_says_so(documents_bucket: TestSetBucket, s3: Any) -> None:
    announced = file("input/a.pdf", b"12345")
    s3.put_object(Bucket="documents", Key="docsplit/input/a.pdf", Body=b"54321", Metadata={"md5": announced.md5})
    assert not upload(documents_bucket, announced).present


def test_a_file_cut_short_is_not_present_though_its_metadata_says_so(documents_bucket: TestSetBucket, s3: Any) -> None:
    announced = file("input/a.pdf", b"12345")
    s3.put_object(Bucket="documents", Key="docsplit/input/a.pdf", Body=b"123", Metadata={"md5": announced.md5})
    assert not upload(documents_bucket, announced).present


@pytest.mark.parametrize("step", [1, 37])
def test_what_is_there_is_found_with_few_requests_whatever_else_is_between(
    documents_bucket: TestSetBucket, s3: Any, step: int
) -> None:
    files = [file(f"{part}/{n:03}.pdf", b"12345") for n in range(0, 100 * step, step) for part in ("input", "baseline")]
    there = {f"{part}/{n:03}.pdf" for part in ("input", "baseline") for n in range(0, 50 * step, 2)}
    for key in sorted(there):
        s3.put_object(Bucket="documents", Key=f"docsplit/{key}", Body=b"12345")
    requests: list[str] = []

    def count(model: Any, **_: object) -> None:
        requests.append(model.name)

    s3.meta.events.register("before-call.s3", count)
    try:
        found = {upload.key for upload in documents_bucket.uploads("docsplit", files[:100]) if upload.present}
    finally:
        s3.meta.events.unregister("before-call.s3", count)
    assert found == {item.key for item in files[:100]} & there
    if step == 1:
        assert sorted(requests) == ["HeadObject", "HeadObject", "ListObjectsV2", "ListObjectsV2"]


def test_uploads_are_answered_in_the_order_they_were_asked(documents_bucket: TestSetBucket) -> None:
    files = [file(f"input/{n}.pdf", bytes(n)) for n in range(100)]
    assert [a.key for a in documents_bucket.uploads("docsplit", files)] == [f.key for f in files]


@pytest.mark.parametrize(
    "key",
    [
        "a.pdf",
        "input",
        "input/",
        "output/a.pdf",
        "input/../../other/input/a.pdf",
        "input/./a.pdf",
        "input//a.pdf",
        "/input/a.pdf",
        "input/${filename}",
        "input/a\nb.pdf",
        "input/a\x00.pdf",
        "input/\ufffe.pdf",
        "input/" + "x" * 895,
        "input/" + "界" * 299,
    ],
)
def test_a_key_that_leaves_the_test_set_or_cannot_be_stored_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match="a key"):
        TestSetFile(key=key, size=1, md5="0" * 32)


def test_a_listing_holds_every_object_of_this_test_set_only(documents_bucket: TestSetBucket, s3: Any) -> None:
    for key in (
        "docsplit/input/ä b.pdf",
        "docsplit/.uploading",
        "docsplit-2/input/x.pdf",
        "docs/input/y.pdf",
        "docsplit/.announced/1.json",
    ):
        s3.put_object(Bucket="documents", Key=key, Body=b"12345")
    listing = documents_bucket.listing("docsplit")
    assert [f.key for f in listing.files] == ["docsplit/.uploading", "docsplit/input/ä b.pdf"]
    assert {(f.size, f.etag) for f in listing.files} == {(5, hashlib.md5(b"12345").hexdigest())}


def test_contents_are_read_in_the_order_asked_for_and_only_so_far_ahead(data: DataBucket) -> None:
    keys = [f"{n:03}" for n in range(200)]
    for key in keys:
        data.write(key, key.encode())
    asked: list[str] = []

    def wanted() -> Iterator[str]:
        for key in keys:
            asked.append(key)
            yield key

    reading = data.read_all(wanted())
    assert next(reading) == b"000"
    assert len(asked) < 100
    assert [b"000", *reading] == [key.encode() for key in keys]


def test_a_document_that_is_gone_is_rejected(documents_bucket: TestSetBucket) -> None:
    with pytest.raises(DocumentRejected, match="missing: "):
        documents_bucket.read_document("docsplit/input/gone.pdf")


def test_a_document_over_the_limit_is_rejected_unread(
    documents_bucket: TestSetBucket, s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("idp_finetuning.adapters.buckets.MAXIMUM_DOCUMENT_BYTES", 4)
    s3.put_object(Bucket="documents", Key="large", Body=b"12345")
    with pytest.raises(DocumentRejected, match="too_large: "):
        documents_bucket.read_document("large")
    s3.put_object(Bucket="documents", Key="small", Body=b"1234")
    assert documents_bucket.read_document("small") == b"1234"


def test_a_model_is_stored_and_found_and_missing_is_none(data: DataBucket) -> None:
    value = labels(orphans=("ä",))
    data.write_model("k", value)
    assert data.read_model("k", type(value)) == value
    assert data.read_model("other", type(value)) is None


@pytest.mark.parametrize("size", [0, 10, PART_BYTES, 2 * PART_BYTES + 17])
def test_a_stream_becomes_one_object_whatever_its_size(data: DataBucket, s3: Any, size: int) -> None:
    chunk = b"x" * 999_999 + b"\n"
    whole = (chunk * (size // len(chunk) + 1))[:size]
    written = data.write_stream("stream", (whole[n : n + len(chunk)] for n in range(0, size, len(chunk))))
    assert written == size
    assert data.read("stream") == whole
    assert "Uploads" not in s3.list_multipart_uploads(Bucket="data")


def test_a_stream_that_breaks_leaves_neither_object_nor_parts(data: DataBucket, s3: Any) -> None:
    def broken() -> Iterator[bytes]:
        yield bytes(PART_BYTES + 1)
        raise KeyError("broken")

    with pytest.raises(KeyError):
        data.write_stream("stream", broken())
    assert list(data.list("")) == []
    assert "Uploads" not in s3.list_multipart_uploads(Bucket="data")


def test_objects_are_written_while_the_next_are_made_and_few_wait(data: DataBucket) -> None:
    data.write_all(((f"k/{n:02}", bytes(n)) for n in range(30)), "image/jpeg")
    assert [f.size for f in data.list("k/")] == list(range(30))


def test_a_failure_while_making_objects_surfaces(data: DataBucket) -> None:
    def broken() -> Iterator[tuple[str, bytes]]:
        yield "k/1", b""
        raise DocumentRejected("damaged", "broken")

    with pytest.raises(DocumentRejected):
        data.write_all(broken(), "image/jpeg")


def test_removing_a_prefix_removes_its_versions_and_markers_and_nothing_else(data: DataBucket, s3: Any) -> None:
    for key in ("jobs/1/a", "jobs/1/a", "jobs/1/b/c", "jobs/10/a"):
        data.write(key, b"x")
    s3.delete_object(Bucket="data", Key="jobs/1/b/c")
    assert data.delete_prefix("jobs/1/") == 4
    left = s3.list_object_versions(Bucket="data")
    assert [v["Key"] for v in [*left["Versions"], *left.get("DeleteMarkers", [])]] == ["jobs/10/a"]
    assert data.delete_prefix("jobs/1/") == 0


def test_removing_a_prefix_goes_on_after_a_thousand_objects(data: DataBucket) -> None:
    data.write_all(((f"jobs/1/{n}", b"") for n in range(1_100)), "image/jpeg")
    assert data.delete_prefix("jobs/1/") == 1_100
    assert list(data.list("jobs/1/")) == []


def test_of_several_that_write_once_at_the_same_time_one_does(data: DataBucket) -> None:
    values = [StoredFile(key="k", size=n, etag="e") for n in range(8)]
    with ThreadPoolExecutor(8) as threads:
        written = list(threads.map(lambda value: data.write_once("claim.json", value), values))
    assert sum(written) == 1
    assert data.read_model("claim.json", StoredFile) == values[written.index(True)]


def test_what_is_not_there_is_read_as_nothing_and_in_order(data: DataBucket) -> None:
    data.write("a", b"1")
    data.write("c", b"3")
    files = [("a", None), ("b", None), ("c", None)]
    assert list(data.read_files(files)) == [b"1", Unreadable.MISSING, b"3"]


def test_a_file_is_read_only_as_the_one_that_was_listed(data: DataBucket) -> None:
    data.write("a", b"1")
    etag = data.find_etag("a")
    assert list(data.read_files([("a", etag)])) == [b"1"]
    data.write("a", b"2")
    assert list(data.read_files([("a", etag)])) == [Unreadable.CHANGED]
    with pytest.raises(DocumentRejected, match=r"changed: The file is no longer the one that was chosen\."):
        data.read_document("a", etag)


def test_of_several_that_replace_one_object_one_does(data: DataBucket) -> None:
    data.write("k", b"{}")
    etag = data.find_etag("k")
    assert etag
    values = [StoredFile(key="k", size=n, etag="e") for n in range(8)]
    replaced = [data.replace("k", value, etag) for value in values]
    assert replaced == [True] + [False] * 7
    assert not data.replace("gone", values[0], etag)
    assert data.find_etag("gone") is None


def test_reading_and_listing_end_with_their_time(data: DataBucket) -> None:
    data.write("a", b"1")
    with pytest.raises(TimeoutError):
        list(data.read_files([("a", None)], within_seconds=-1))
    with pytest.raises(TimeoutError):
        list(data.list("", within_seconds=-1))


def test_nothing_is_deleted_once_that_is_no_longer_allowed(data: DataBucket) -> None:
    data.write("a", b"1")
    assert data.delete_prefix("", still_allowed=lambda: False) == 0
    assert data.read("a") == b"1"
