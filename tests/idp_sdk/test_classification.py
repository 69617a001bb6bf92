from __future__ import annotations

import math
from hashlib import md5
from pathlib import Path
from typing import Any

import httpx
import pytest

from idp_sdk import IDPClient
from idp_sdk.errors import ConnectionFailed, InvalidInput, WaitTimeout
from tests.idp_sdk.conftest import Clock
from tests.support.sdk.answers import DEPLOYMENT_ARN, classification
from tests.support.sdk.deployment import BUCKET_URL, Deployment, Disturbance

DONE = classification(
    "COMPLETED",
    completedAt="2026-11-22T10:01:00Z",
    pageCount=2,
    pages=[
        {"number": 1, "className": "invoice", "boundary": "start"},
        {"number": 2, "className": None, "boundary": None},
    ],
    sections=[
        {"className": "invoice", "startPage": 1, "endPage": 1},
        {"className": None, "startPage": 2, "endPage": 2},
    ],
    warnings=["Page 2: the answer names no class."],
)


@pytest.fixture
def document(tmp_path: Path) -> Path:
    file = tmp_path / "scan.pdf"
    file.write_bytes(b"%PDF-")
    return file


def test_a_file_in_memory_is_sent_under_the_name_it_is_given(
    deployment: Deployment, client: IDPClient, clock: Clock
) -> None:
    upload = {"key": "k", "url": BUCKET_URL, "fields": [{"name": "key", "value": "k"}]}
    deployment.answers = {"createClassificationUpload": upload, "startClassification": DONE}
    client.classify("post/scan.pdf", content=b"%PDF-1")
    assert deployment.objects == {"k": b"%PDF-1"}
    assert deployment.calls_of("createClassificationUpload") == [
        {"input": {"fileName": "scan.pdf", "size": 6, "md5": md5(b"%PDF-1").hexdigest()}}
    ]


def test_a_file_is_sent_and_its_classification_waited_for(
    deployment: Deployment, client: IDPClient, clock: Clock, document: Path
) -> None:
    key = "classifications/uploads/1"
    upload = {"key": key, "url": BUCKET_URL, "fields": [{"name": "key", "value": key}]}
    deployment.answers = {
        "createClassificationUpload": upload,
        "startClassification": classification(),
        "getClassification": [classification(), DONE],
    }
    result = client.classify(document, config_version="v1", page_texts=["one", "two"])
    assert deployment.objects == {key: b"%PDF-"}
    assert deployment.calls_of("createClassificationUpload") == [
        {"input": {"fileName": "scan.pdf", "size": 5, "md5": md5(b"%PDF-").hexdigest()}}
    ]
    assert deployment.calls_of("startClassification") == [
        {"input": {"uploadKey": key, "configVersion": "v1", "pageTexts": ["one", "two"]}}
    ]
    assert clock.slept == [1.0, 1.0]
    assert result.status == "COMPLETED"
    assert [(s.class_name, s.start_page, s.end_page) for s in result.sections] == [("invoice", 1, 1), (None, 2, 2)]
    assert result.pages[0].boundary == "start"
    assert result.warnings == ("Page 2: the answer names no class.",)


def test_a_document_of_a_test_set_is_named(deployment: Deployment, client: IDPClient) -> None:
    deployment.answers["startClassification"] = DONE
    client.classify(test_set_id="docsplit", document_path="invoice/a.pdf", model=DEPLOYMENT_ARN)
    assert deployment.calls == [
        (
            "startClassification",
            {"input": {"testSetId": "docsplit", "documentPath": "invoice/a.pdf", "model": DEPLOYMENT_ARN}},
        )
    ]


def test_a_failed_classification_is_answered(deployment: Deployment, client: IDPClient) -> None:
    failed = classification("FAILED", errorCode="DocumentRejected", errorMessage="encrypted: It has a password.")
    deployment.answers["startClassification"] = failed
    result = client.classify(test_set_id="docsplit", document_path="a.pdf")
    assert (result.status, result.error_message) == ("FAILED", "encrypted: It has a password.")


def test_a_classification_that_does_not_end_is_not_waited_for_any_longer(
    deployment: Deployment, client: IDPClient, clock: Clock
) -> None:
    deployment.answers |= {"startClassification": classification(), "getClassification": classification()}
    with pytest.raises(WaitTimeout, match="did not end within 10 seconds"):
        client.classify(test_set_id="docsplit", document_path="a.pdf", poll_interval=4, timeout=10)
    assert sum(clock.slept) == 10


def test_a_paid_request_is_not_repeated_where_it_may_have_arrived(
    deployment: Deployment, client: IDPClient, clock: Clock
) -> None:
    deployment.answers["startClassification"] = Disturbance(httpx.ReadTimeout("slow"))
    with pytest.raises(ConnectionFailed):
        client.classify(test_set_id="docsplit", document_path="a.pdf")
    assert len(deployment.calls) == 1


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is empty"),
        (b"PK\x03\x04 a Word document", "it is neither a PDF nor a PNG"),
    ],
)
def test_a_file_that_is_no_document_is_not_sent(
    deployment: Deployment, client: IDPClient, tmp_path: Path, content: bytes, reason: str
) -> None:
    file = tmp_path / "letter.docx"
    file.write_bytes(content)
    for given in ({"path": file}, {"path": "letter.docx", "content": content}):
        with pytest.raises(InvalidInput, match=f"letter.docx' is not sent: {reason}"):
            client.classify(**given)
    assert deployment.calls == []


@pytest.mark.parametrize("given", [{"poll_interval": math.nan}, {"poll_interval": -1.0}, {"timeout": math.nan}])
def test_times_that_nobody_can_wait_for_are_refused_before_anything_is_paid(
    deployment: Deployment, client: IDPClient, given: dict[str, Any]
) -> None:
    with pytest.raises(InvalidInput, match="numbers of seconds"):
        client.classify(test_set_id="docsplit", document_path="a.pdf", **given)
    assert deployment.calls == []


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"path": "a.pdf", "test_set_id": "docsplit", "document_path": "a.pdf"},
        {"test_set_id": "docsplit"},
        {"path": "a.pdf", "document_path": "a.pdf"},
        {"path": "nowhere.pdf"},
    ],
)
def test_one_document_has_to_be_named(deployment: Deployment, client: IDPClient, given: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match="Name "):
        client.classify(**given)
    assert deployment.calls == []
