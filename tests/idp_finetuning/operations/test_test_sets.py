"""Operations on test sets through the schema: made, uploaded, completed."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from idp_finetuning.adapters.buckets import DataBucket
from idp_finetuning.adapters.tables.test_sets import TestSetTable
from tests.support.domain.api import ApiError, call

pytestmark = pytest.mark.usefixtures("environment")


def announced(key: str, content: bytes = b"12345") -> dict[str, Any]:
    """A file as a client announces it."""
    return {"key": key, "size": len(content), "md5": hashlib.md5(content).hexdigest()}


def test_a_test_set_is_made_uploaded_and_completed(s3: Any) -> None:
    made = call("createTestSet", input={"name": "My Set_1", "description": None})
    assert (made["id"], made["name"], made["description"]) == ("my-set_1", "My Set_1", "")
    assert (made["status"], made["fileCount"]) == ("UPLOADING", 0)
    assert not call("validateTestSetForFinetuning", testSetId="my-set_1")["isValid"]

    files = [announced("input/a b.pdf"), announced("baseline/a b.pdf/sections/1/result.json")]
    uploads = call("createTestSetUploads", testSetId="my-set_1", files=files)
    assert [(u["key"], u["present"], bool(u["fields"])) for u in uploads] == [(f["key"], False, True) for f in files]
    for upload in uploads:
        fields = {field["name"]: field["value"] for field in upload["fields"]}
        s3.put_object(Bucket="documents", Key=fields["key"], Body=b"12345", Metadata={"md5": fields["x-amz-meta-md5"]})
    again = call("createTestSetUploads", testSetId="my-set_1", files=files)
    assert [(u["present"], u["url"], u["fields"]) for u in again] == [(True, None, [])] * 2

    ready = call("completeTestSet", testSetId="my-set_1")
    assert (ready["status"], ready["fileCount"]) == ("READY", 1)
    assert call("completeTestSet", testSetId="my-set_1") == ready == call("getTestSet", testSetId="my-set_1")
    assert [item["id"] for item in call("listTestSets")["items"]] == ["my-set_1"]
    keys = [entry["Key"] for entry in s3.list_objects_v2(Bucket="documents")["Contents"]]
    assert "my-set_1/.uploading" not in keys


def send(s3: Any, test_set_id: str, *keys: str, content: bytes = b"12345") -> None:
    """Announces and sends files, as a client does."""
    files = [announced(key, content) for key in keys]
    for upload in call("createTestSetUploads", testSetId=test_set_id, files=files):
        s3.put_object(Bucket="documents", Key=f"{test_set_id}/{upload['key']}", Body=content)


def labels(path: str) -> str:
    return f"baseline/{path}/sections/1/result.json"


@pytest.fixture
def complete(s3: Any) -> dict[str, Any]:
    """Test set a with two documents, version 1."""
    call("createTestSet", input={"name": "a"})
    send(s3, "a", "input/1.pdf", "input/2.pdf", labels("1.pdf"), labels("2.pdf"))
    ready: dict[str, Any] = call("completeTestSet", testSetId="a")
    assert (ready["version"], ready["fileCount"]) == (1, 2)
    return ready


def listed(s3: Any, test_sets: TestSetTable, version: str | None = None) -> list[str]:
    """Paths of the documents of a version of test set a, by its fingerprint; by default the one it has."""
    fingerprint = version or test_sets.get("a").fingerprint
    stored = s3.get_object(Bucket="documents", Key=f"a/.complete/{fingerprint}.json")["Body"].read()
    keys = [file["key"] for file in json.loads(stored)["files"]]
    return [key.removeprefix("a/input/") for key in keys if key.startswith("a/input/")]


def test_documents_are_added_as_the_next_version_and_the_last_one_stays_readable(
    s3: Any, test_sets: TestSetTable, complete: dict[str, Any]
) -> None:
    before = test_sets.get("a").fingerprint
    send(s3, "a", "input/3.pdf", labels("3.pdf"))
    assert call("getTestSet", testSetId="a") == complete  # until the addition is complete
    revised = call("completeTestSet", testSetId="a")
    assert (revised["version"], revised["fileCount"], revised["status"]) == (2, 3, "READY")
    assert call("completeTestSet", testSetId="a") == revised
    assert listed(s3, test_sets) == ["1.pdf", "2.pdf", "3.pdf"]
    assert listed(s3, test_sets, before) == ["1.pdf", "2.pdf"]


def test_documents_are_removed_from_the_next_version_and_do_not_come_back_with_an_addition(
    s3: Any, test_sets: TestSetTable, complete: dict[str, Any]
) -> None:
    before = test_sets.get("a").fingerprint
    revised = call("removeTestSetDocuments", testSetId="a", paths=["1.pdf"])
    assert (revised["version"], revised["fileCount"]) == (2, 1)
    send(s3, "a", "input/3.pdf", labels("3.pdf"))
    assert call("completeTestSet", testSetId="a")["version"] == 3
    assert listed(s3, test_sets) == ["2.pdf", "3.pdf"]
    assert listed(s3, test_sets, before) == ["1.pdf", "2.pdf"]
    send(s3, "a", "input/1.pdf", labels("1.pdf"))  # the same again
    assert call("completeTestSet", testSetId="a")["fileCount"] == 3


def upload_forms(test_set_id: str, *keys: str) -> None:
    """Announces files that are sent later, or never."""
    call("createTestSetUploads", testSetId=test_set_id, files=[announced(key) for key in keys])


def put(s3: Any, *keys: str) -> None:
    """Sends announced files of test set a."""
    for key in keys:
        s3.put_object(Bucket="documents", Key=f"a/{key}", Body=b"12345")


def test_two_uploads_at_the_same_time_lose_no_document(
    s3: Any, test_sets: TestSetTable, complete: dict[str, Any]
) -> None:
    upload_forms("a", "input/3.pdf", labels("3.pdf"))
    send(s3, "a", "input/4.pdf", labels("4.pdf"))
    assert call("completeTestSet", testSetId="a")["version"] == 2
    put(s3, "input/3.pdf", labels("3.pdf"))
    assert call("completeTestSet", testSetId="a")["version"] == 3
    assert listed(s3, test_sets) == ["1.pdf", "2.pdf", "3.pdf", "4.pdf"]


def test_a_document_is_added_with_its_labels_or_not_at_all(
    s3: Any, test_sets: TestSetTable, complete: dict[str, Any]
) -> None:
    upload_forms("a", "input/3.pdf", labels("3.pdf"))
    put(s3, "input/3.pdf")  # and then its upload is given up
    send(s3, "a", "input/4.pdf", labels("4.pdf"))
    call("completeTestSet", testSetId="a")
    assert listed(s3, test_sets) == ["1.pdf", "2.pdf", "4.pdf"]
    send(s3, "a", "input/3.pdf", labels("3.pdf"))
    call("completeTestSet", testSetId="a")
    assert listed(s3, test_sets) == ["1.pdf", "2.pdf", "3.pdf", "4.pdf"]


@pytest.mark.parametrize("folder", ["sections", "pages", "a/sections/pages"])
def test_a_document_in_a_folder_named_as_parts_of_labels_are_is_a_document(
    s3: Any, test_sets: TestSetTable, complete: dict[str, Any], folder: str
) -> None:
    path = f"x/{folder}/3.pdf"
    text = f"baseline/{path}/pages/1/result.json"
    upload_forms("a", f"input/{path}", text)
    put(s3, f"input/{path}")
    call("completeTestSet", testSetId="a")
    assert listed(s3, test_sets) == ["1.pdf", "2.pdf"]  # its text is missing
    put(s3, text)
    call("completeTestSet", testSetId="a")
    assert listed(s3, test_sets) == ["1.pdf", "2.pdf", path]
    send(s3, "a", labels(path))
    assert call("completeTestSet", testSetId="a")["version"] == 3


def test_a_document_without_labels_gets_them_in_the_next_version(s3: Any, complete: dict[str, Any]) -> None:
    send(s3, "a", "input/3.pdf")
    assert call("completeTestSet", testSetId="a")["version"] == 2
    send(s3, "a", labels("3.pdf"))
    assert call("completeTestSet", testSetId="a")["version"] == 3


def test_what_was_announced_before_a_removal_does_not_come_back_and_later_versions_remember_it(
    s3: Any, test_sets: TestSetTable, complete: dict[str, Any]
) -> None:
    call("removeTestSetDocuments", testSetId="a", paths=["1.pdf"])
    for path in ("3.pdf", "4.pdf"):
        send(s3, "a", f"input/{path}", labels(path))
        call("completeTestSet", testSetId="a")
    assert listed(s3, test_sets) == ["2.pdf", "3.pdf", "4.pdf"]


def test_a_repeated_write_of_a_version_is_its_own(test_sets: TestSetTable, complete: dict[str, Any]) -> None:
    before = test_sets.get("a")
    written = test_sets.revise(before, 3, "0" * 40)
    assert test_sets.revise(before, 3, "0" * 40) == written


def test_a_creation_that_died_half_way_is_completed_by_its_repetition(s3: Any) -> None:
    call("createTestSet", input={"name": "a"})
    s3.delete_object(Bucket="documents", Key="a/.uploading")
    call("createTestSet", input={"name": "a"})
    assert s3.head_object(Bucket="documents", Key="a/.uploading")


@pytest.mark.parametrize("key", ["input/1.pdf", labels("1.pdf"), "baseline/1.pdf/sections/2/result.json"])
def test_what_a_test_set_has_is_not_changed_by_an_addition(s3: Any, complete: dict[str, Any], key: str) -> None:
    with pytest.raises(ApiError, match="Conflict: Test set 'a' has other documents or labels under the same paths"):
        send(s3, "a", key, content=b"other")
    assert call("completeTestSet", testSetId="a") == complete


def test_what_an_earlier_version_has_is_not_replaced(s3: Any, complete: dict[str, Any]) -> None:
    call("removeTestSetDocuments", testSetId="a", paths=["1.pdf"])
    with pytest.raises(ApiError, match="Conflict: Earlier versions of test set 'a' have other files"):
        send(s3, "a", "input/1.pdf", content=b"other")


@pytest.mark.parametrize(
    ("paths", "said"), [(["3.pdf"], "no document '?3.pdf"), (["1.pdf", "2.pdf"], "would have no document left")]
)
def test_a_removal_that_cannot_be_is_refused(complete: dict[str, Any], paths: list[str], said: str) -> None:
    with pytest.raises(ApiError, match=rf"InvalidInput: .*{said}"):
        call("removeTestSetDocuments", testSetId="a", paths=paths)
    assert call("getTestSet", testSetId="a") == complete


@pytest.mark.parametrize("key", [None, "a/input/", "a/baseline/1.pdf/sections/1/result.json", "ab/input/1.pdf"])
def test_a_test_set_without_documents_is_not_completed(s3: Any, key: str | None) -> None:
    call("createTestSet", input={"name": "a"})
    if key:
        s3.put_object(Bucket="documents", Key=key, Body=b"")
    with pytest.raises(ApiError, match="InvalidInput: Test set 'a' has no document"):
        call("completeTestSet", testSetId="a")
    assert call("getTestSet", testSetId="a")["status"] == "UPLOADING"


def test_names_of_one_id_do_not_share_a_test_set() -> None:
    call("createTestSet", input={"name": "My Set"})
    for name in ("my set", "my-set"):
        with pytest.raises(ApiError, match="Conflict"):
            call("createTestSet", input={"name": name})


def test_a_repeated_call_returns_the_test_set_that_it_made_with_what_it_has(s3: Any) -> None:
    made = call("createTestSet", input={"name": "My Set", "description": "Scans"})
    s3.put_object(Bucket="documents", Key="my-set/input/a.pdf", Body=b"%PDF-1.7")
    assert call("createTestSet", input={"name": " My Set ", "description": "Scans"}) == made
    assert "Contents" in s3.list_objects_v2(Bucket="documents", Prefix="my-set/input/")
    with pytest.raises(ApiError, match="Conflict: A test set 'my-set' exists already"):
        call("createTestSet", input={"name": "My Set", "description": "Others"})
    call("completeTestSet", testSetId="my-set")
    with pytest.raises(ApiError, match="Conflict: A test set 'my-set' exists already"):
        call("createTestSet", input={"name": "My Set", "description": "Scans"})


@pytest.mark.parametrize("name", ["", "   ", "a/b", "ä", "a.b", "a\tb"])
def test_a_name_the_accelerator_would_refuse_is_refused(name: str) -> None:
    with pytest.raises(ApiError, match="InvalidInput"):
        call("createTestSet", input={"name": name})
    assert call("listTestSets")["items"] == []


def test_an_unknown_test_set_is_not_found() -> None:
    for field in ("getTestSet", "completeTestSet", "validateTestSetForFinetuning"):
        with pytest.raises(ApiError, match="TestSetNotFound"):
            call(field, testSetId="unknown")
    with pytest.raises(ApiError, match="TestSetNotFound"):
        call("createTestSetUploads", testSetId="unknown", files=[announced("input/a.pdf")])


@pytest.fixture
def uploading(s3: Any) -> dict[str, Any]:
    """Test set a with two files as they were announced."""
    call("createTestSet", input={"name": "a"})
    files = [announced("input/1.pdf"), announced("baseline/1.pdf/sections/1/result.json")]
    call("createTestSetUploads", testSetId="a", files=files)
    for file in files:
        s3.put_object(Bucket="documents", Key=f"a/{file['key']}", Body=b"12345")
    return files[0]


def test_a_file_that_is_not_the_announced_one_keeps_the_test_set_from_being_completed(
    s3: Any, uploading: dict[str, Any]
) -> None:
    s3.put_object(Bucket="documents", Key="a/input/1.pdf", Body=b"54321", Metadata={"md5": uploading["md5"]})
    with pytest.raises(ApiError, match=r"InvalidInput: Test set 'a' is not complete: 1 of .* announced: input/1\.pdf"):
        call("completeTestSet", testSetId="a")
    assert call("getTestSet", testSetId="a")["status"] == "UPLOADING"
    (again,) = call("createTestSetUploads", testSetId="a", files=[uploading])
    assert not again["present"]
    s3.put_object(Bucket="documents", Key="a/input/1.pdf", Body=b"12345")
    assert call("completeTestSet", testSetId="a")["status"] == "READY"


def test_of_two_announcements_of_a_file_the_later_one_counts(s3: Any, uploading: dict[str, Any]) -> None:
    corrected = announced("input/1.pdf", b"corrected")
    call("createTestSetUploads", testSetId="a", files=[corrected])
    with pytest.raises(ApiError, match="InvalidInput"):
        call("completeTestSet", testSetId="a")
    s3.put_object(Bucket="documents", Key="a/input/1.pdf", Body=b"corrected")
    assert call("completeTestSet", testSetId="a")["status"] == "READY"


def test_a_file_nobody_announced_keeps_the_test_set_from_being_completed(s3: Any, uploading: dict[str, Any]) -> None:
    s3.put_object(Bucket="documents", Key="a/input/other.pdf", Body=b"1")
    with pytest.raises(ApiError, match=r"InvalidInput: .* were not announced .*: input/other\.pdf\. Announce them too"):
        call("completeTestSet", testSetId="a")


def test_a_complete_test_set_stays_what_it_was_whatever_an_old_form_brings(
    s3: Any, uploading: dict[str, Any], test_sets: TestSetTable, data: DataBucket
) -> None:
    ready = call("completeTestSet", testSetId="a")
    sealed = test_sets.get("a").fingerprint
    for key in ("a/input/1.pdf", "a/input/2.pdf"):
        s3.put_object(Bucket="documents", Key=key, Body=b"late")
    s3.put_object(Bucket="documents", Key="a/baseline/1.pdf/sections/1/result.json", Body=b"{}")
    assert call("completeTestSet", testSetId="a") == ready
    assert test_sets.get("a").fingerprint == sealed
    found = call("validateTestSetForFinetuning", testSetId="a")
    assert found["documentCount"] == 1
    assert [error for error in found["errors"] if "1.pdf" in error] == [
        "1 document has a baseline that was changed or removed after the test set was listed: 1.pdf. Upload a new test "
        "set."
    ]
