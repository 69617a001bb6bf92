"""Operations on test sets through the schema: made, uploaded, completed."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

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


def test_a_complete_test_set_takes_no_more_files(s3: Any) -> None:
    call("createTestSet", input={"name": "a"})
    s3.put_object(Bucket="documents", Key="a/input/1.pdf", Body=b"1")
    call("completeTestSet", testSetId="a")
    with pytest.raises(ApiError, match="Conflict: Test set 'a' is complete"):
        call("createTestSetUploads", testSetId="a", files=[announced("input/2.pdf")])


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
    for name in ("my set", "my-set", "  My Set "):
        with pytest.raises(ApiError, match="Conflict"):
            call("createTestSet", input={"name": name})


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
