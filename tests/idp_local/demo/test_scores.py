from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from moto import mock_aws

from idp_finetuning.classification.classification import ClassificationResult, ClassifiedPage, show_classification
from idp_finetuning.jobs.layout import JobLayout
from idp_finetuning.nova.prompt import Boundary, DocumentClass, PageLabel, Prompt
from idp_finetuning.test_sets.sections import Section
from idp_finetuning.test_sets.split import Split
from idp_finetuning.training_data.examples import ManifestDocument, training_record
from idp_local.demo.held_out import HeldOutDocument, JobData
from idp_local.demo.scores import answer_always, ask, judge, majority_class
from idp_sdk import ClassReport, LabelledDocument, LabelledSection, SplitReport
from tests.idp_finetuning.classification.test_classification import request

PROMPT = Prompt(classes=tuple(DocumentClass(name=name) for name in ("invoice", "letter")))


def label(name: str, boundary: Boundary = Boundary.START) -> PageLabel:
    return PageLabel(class_name=name, boundary=boundary)


DOCUMENTS = [
    HeldOutDocument(path="a.pdf", group="a", sections=(Section(class_name="invoice"),), images=(b"jpeg 1", b"jpeg 2")),
    HeldOutDocument(
        path="b.pdf",
        group="b",
        sections=(Section(class_name="letter", page_indices=(0,)), Section(class_name="letter", page_indices=(1,))),
        images=(b"jpeg 3", b"jpeg 4"),
    ),
]


class Answering:
    """A bedrock-runtime client that says what it is told about each page."""

    def __init__(self, texts: dict[bytes, str]) -> None:
        self.texts = texts
        self.asked: set[str] = set()

    def converse(self, **request: Any) -> dict[str, Any]:
        self.asked.add(request["modelId"])
        blocks = request["messages"][0]["content"]
        image = next(block["image"]["source"]["bytes"] for block in blocks if "image" in block)
        return {"output": {"message": {"content": [{"text": self.texts[image]}]}}}


def test_each_page_is_asked_about_and_class_and_boundary_are_judged_apart() -> None:
    client = Answering(
        {
            b"jpeg 1": label("invoice").to_answer(),
            b"jpeg 2": label("invoice", Boundary.START).to_answer(),
            b"jpeg 3": label("invoice").to_answer(),
            b"jpeg 4": "I cannot tell.",
        }
    )
    judged = ask(client, PROMPT, "a-model", DOCUMENTS)
    assert [(page.class_right, page.boundary_right) for document in judged for page in document.pages] == [
        (True, True),
        (True, False),
        (False, True),
        (False, False),
    ]
    assert [(document.path, document.group) for document in judged] == [("a.pdf", "a"), ("b.pdf", "b")]
    assert client.asked == {"a-model"}


def test_the_majority_is_that_of_the_training_pages_not_of_the_documents() -> None:
    train = SplitReport(
        documents=12,
        pages=30,
        classes=(
            ClassReport(name="invoice", documents=10, pages=10),
            ClassReport(name="letter", documents=2, pages=20),
        ),
    )
    assert majority_class(train) == "letter"
    judged = answer_always("letter", DOCUMENTS)
    assert [page.class_right for document in judged for page in document.pages] == [False, False, True, True]


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Any:
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    with mock_aws():
        client = boto3.client("s3", "us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
        client.create_bucket(Bucket="data")
        yield client


def test_held_out_documents_are_the_accepted_ones_with_their_pages_and_labels(s3: Any) -> None:
    layout = JobLayout(job_id="job-1")
    documents = [
        ManifestDocument(
            document_id=name * 20,
            key=f"demo/input/{name} 1.pdf",
            etag=f"etag of {name}",
            split=split,
            sections=(Section(class_name="letter"),),
        )
        for name, split in (("a", Split.VALIDATION), ("b", Split.VALIDATION), ("c", Split.TRAIN))
    ]

    def put(key: str, body: bytes) -> None:
        s3.put_object(Bucket="data", Key=key, Body=body)

    put(layout.prompt, PROMPT.model_dump_json(by_alias=True).encode())
    put(layout.manifest, b"[" + b",".join(d.model_dump_json(by_alias=True).encode() for d in documents) + b"]")
    truths = [label("letter"), label("letter", Boundary.CONTINUE)]
    for document in (documents[0], documents[2]):  # the second was rejected
        records = b""
        for number, truth in enumerate(truths, start=1):
            key = layout.page(document.document_id, number)
            put(key, f"{document.key} {number}".encode())
            records += training_record(PROMPT, f"s3://data/{key}", truth)
        put(layout.example(document.split, document.document_id), records)
    assert JobData(s3, "data", "job-1").held_out_documents() == (
        HeldOutDocument(
            path="a 1.pdf",
            group="etag of a",
            sections=(Section(class_name="letter"),),
            images=(b"demo/input/a 1.pdf 1", b"demo/input/a 1.pdf 2"),
        ),
    )


def test_what_a_classification_said_stands_against_the_labels_of_the_document() -> None:
    packet = LabelledDocument(
        path="packets/new.pdf",
        content=b"",
        sections=(
            LabelledSection(class_name="invoice", page_indices=(0, 1)),
            LabelledSection(class_name="letter", page_indices=(2,)),
        ),
    )
    said = (("invoice", Boundary.START), ("letter", Boundary.CONTINUE), (None, Boundary.START))
    pages = tuple(ClassifiedPage(number=n, class_name=name, boundary=kind) for n, (name, kind) in enumerate(said, 1))
    result = ClassificationResult(completed_at=datetime(2026, 11, 22, 10, tzinfo=UTC), pages=pages)
    judged = judge(packet, show_classification(request(), result))
    assert [(page.class_right, page.boundary_right) for page in judged.pages] == [
        (True, True),
        (False, True),
        (False, False),
    ]
    assert [page.truth.class_name for page in judged.pages] == ["invoice", "invoice", "letter"]
