"""A page is shown to a model as it was in training, byte for byte; with texts, where the prompt wants them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from idp_finetuning.adapters.buckets import DataBucket, TestSetBucket
from idp_finetuning.adapters.converse import Converse
from idp_finetuning.adapters.functions import BackgroundFunction
from idp_finetuning.adapters.tables.jobs import JobTable
from idp_finetuning.adapters.tables.test_sets import TestSetTable
from idp_finetuning.classification.classification import ClassificationStarted, TestSetDocument
from idp_finetuning.classification.layout import ClassificationLayout
from idp_finetuning.errors import DocumentRejected, TestSetInvalid
from idp_finetuning.jobs.job import JobConfiguration, JobStatus
from idp_finetuning.jobs.layout import JobLayout
from idp_finetuning.nova.prompt import DocumentClass, Prompt
from idp_finetuning.stages.classify_document import classify_document
from idp_finetuning.test_sets.keys import page_text_key
from idp_finetuning.test_sets.labels import Listing, StoredFile
from idp_finetuning.test_sets.page_limit import MAXIMUM_PAGES
from idp_finetuning.test_sets.page_texts import ETAG_LENGTH, text_etags
from idp_finetuning.test_sets.split import Split
from idp_finetuning.training_data.page_notes import split_notes
from tests.idp_finetuning.classification.test_classification import request
from tests.idp_finetuning.conftest import client
from tests.support.domain.fake_converse import FakeConverse, image_in, texts_in
from tests.support.domain.pipeline import Pipeline
from tests.support.domain.samples import coloured_pdf, image_bytes, job, ready_test_set, upload_test_set

PLAIN = "Which?\n{CLASS_NAMES_AND_DESCRIPTIONS}\n{DOCUMENT_IMAGE}\nOf {CLASS_NAMES_AND_DESCRIPTIONS} one."
WITH_TEXT = "{CLASS_NAMES_AND_DESCRIPTIONS}\n{DOCUMENT_IMAGE}\n<text>\n{DOCUMENT_TEXT}\n</text>"
DESCRIBED = (DocumentClass(name="invoice", description="Asks {DOCUMENT_TEXT} for money – 請求書."),)
LAYOUT = JobLayout(job_id=job().id)
PATH = "sub 0/doc 0.pdf"

Start = Callable[[str], dict[str, Any]]


@pytest.fixture
def start(jobs: JobTable, test_sets: TestSetTable, s3: Any) -> Start:
    """Starts a job with a task prompt of a configuration version on twelve documents of two pages."""
    upload_test_set(s3)
    test_sets.create(ready_test_set())

    def started(task_prompt: str) -> dict[str, Any]:
        configuration = JobConfiguration(
            config_version="v1", revision=1, system_prompt="Sort post.", task_prompt=task_prompt, classes=DESCRIBED
        )
        return jobs.create(job(config_version="v1"), None, "", configuration).current_run.to_wire()

    return started


def put_text(s3: Any, text: object, *, path: str = PATH, page: int = 1) -> None:
    body = text if isinstance(text, bytes) else json.dumps({"text": text}).encode()
    s3.put_object(Bucket="documents", Key=page_text_key("docsplit", path, page), Body=body)


def put_texts(s3: Any, documents: int = 12) -> None:
    """A text for every page of the test set."""
    for number in range(documents):
        for page in (1, 2):
            text = f"page {page} of {number} – ü {{DOCUMENT_IMAGE}} {{CLASS_NAMES_AND_DESCRIPTIONS}}"
            put_text(s3, text, path=f"sub {number % 2}/doc {number}.pdf", page=page)


def first_document(pipeline: Pipeline, s3: Any, event: dict[str, Any]) -> dict[str, Any]:
    """The event of GenerateExample for document PATH."""
    pipeline.run("ValidateTestSet", event)
    manifest = json.loads(s3.get_object(Bucket="data", Key=LAYOUT.manifest)["Body"].read())
    return event | {"document": next(d for d in manifest if d["key"].endswith(PATH))}


def example_records(s3: Any, child: dict[str, Any]) -> list[dict[str, Any]]:
    """The records of the example that GenerateExample made of this event's document."""
    key = LAYOUT.example(Split(child["document"]["split"]), child["document"]["documentId"])
    _, records = split_notes(s3.get_object(Bucket="data", Key=key)["Body"].read())
    return [json.loads(line) for line in records.splitlines()]


@pytest.mark.parametrize("task_prompt", [PLAIN, WITH_TEXT])
@pytest.mark.parametrize("content", ["pdf", "tiff"])
def test_the_bytes_sent_to_converse_are_those_of_the_pages_training_example(
    pipeline: Pipeline,
    s3: Any,
    start: Start,
    data: DataBucket,
    documents_bucket: TestSetBucket,
    task_prompt: str,
    content: str,
) -> None:
    if content == "tiff":
        from PIL import Image

        pages = [Image.new("L", (300, 200), shade) for shade in (30, 200)]
        body = image_bytes(pages[0], "TIFF", save_all=True, append_images=pages[1:])
        s3.put_object(Bucket="documents", Key=f"docsplit/input/{PATH}", Body=body)
    put_texts(s3)
    child = first_document(pipeline, s3, start(task_prompt))
    pipeline.run("GenerateExample", child)
    document = child["document"]["documentId"]
    records = example_records(s3, child)
    prompt = data.read_model(LAYOUT.prompt, Prompt)
    model = FakeConverse()
    place = TestSetDocument(test_set_id="docsplit", path=PATH)
    asked = request(prompt=prompt, upload_key=None, test_set_document=place)
    data.write_model(ClassificationLayout(classification_id=asked.id).request, asked)
    classify_document(
        ClassificationStarted(classification_id=asked.id),
        data=data,
        test_set_bucket=documents_bucket,
        converse=Converse(model),
        next_run=BackgroundFunction(client("lambda"), "none"),
        seconds_left=lambda: 900,
    )
    pictures = [s3.get_object(Bucket="data", Key=LAYOUT.page(document, n))["Body"].read() for n in (1, 2)]
    assert pictures[0] != pictures[1]
    by_picture = {image_in(sent): sent for sent in model.requests}
    assert by_picture.keys() == set(pictures)
    for picture, record in zip(pictures, records, strict=True):
        sent = by_picture[picture]
        assert sent["system"] == record["system"]
        assert texts_in(sent) == texts_in(record)
        shape = [next(iter(block)) for block in sent["messages"][0]["content"]]
        assert shape == [next(iter(block)) for block in record["messages"][0]["content"]]
    words = texts_in(records[1])
    assert ("page 2 of 0 – ü {DOCUMENT_IMAGE} {CLASS_NAMES_AND_DESCRIPTIONS}" in words[-1]) == (
        task_prompt == WITH_TEXT
    )
    assert "Asks {DOCUMENT_TEXT} for money – 請求書." in words[1]


def test_a_prompt_with_text_is_refused_where_pages_have_none(
    pipeline: Pipeline, s3: Any, start: Start, jobs: JobTable
) -> None:
    event = start(WITH_TEXT)
    put_text(s3, "the second is missing")
    with pytest.raises(TestSetInvalid) as refused:
        pipeline.run("ValidateTestSet", event)
    said = str(refused.value)
    assert "{DOCUMENT_TEXT}, but 12 documents lack the text of a page" in said
    assert "sub 0/doc 0.pdf, sub 0/doc 10.pdf" in said
    assert "and 2 more" in said
    assert jobs.get(job().id).status is JobStatus.VALIDATING
    assert s3.list_objects_v2(Bucket="data", Prefix="jobs/")["KeyCount"] == 0


def test_a_prompt_without_text_wants_none(pipeline: Pipeline, s3: Any, start: Start) -> None:
    child = first_document(pipeline, s3, start(PLAIN))
    pipeline.run("GenerateExample", child)


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("To the end User: nothing", "reserved_word", "The text of page 2 contains 'user:'"),
        ("x" * 40_000, "text_too_long", "With the text of page 2"),
        (b"no json", "text_unreadable", "pages/2/result.json"),
        (7, "text_unreadable", "pages/2/result.json"),
        (b'["text"]', "text_unreadable", "pages/2/result.json"),
        (None, "text_missing", "no pages/2/result.json"),
    ],
)
def test_a_document_whose_text_cannot_be_trained_on_is_rejected_by_name(
    pipeline: Pipeline, s3: Any, start: Start, text: object, code: str, said: str
) -> None:
    put_texts(s3)
    if text is not None:
        put_text(s3, text, page=2)
    child = first_document(pipeline, s3, start(WITH_TEXT))
    if text is None:
        s3.delete_object(Bucket="documents", Key=page_text_key("docsplit", PATH, 2))
    with pytest.raises(DocumentRejected, match=said) as rejected:
        pipeline.run("GenerateExample", child)
    assert rejected.value.reason_code == code
    assert s3.list_objects_v2(Bucket="data", Prefix=f"{LAYOUT.prefix}pages/")["KeyCount"] == 0


def test_a_document_whose_text_was_changed_after_validation_is_rejected(
    pipeline: Pipeline, s3: Any, start: Start
) -> None:
    put_texts(s3)
    child = first_document(pipeline, s3, start(WITH_TEXT))
    put_text(s3, "another", page=2)
    with pytest.raises(DocumentRejected, match=r"pages/2/result\.json was changed after validation") as rejected:
        pipeline.run("GenerateExample", child)
    assert rejected.value.reason_code == "changed"
    assert s3.list_objects_v2(Bucket="data", Prefix=f"{LAYOUT.prefix}pages/")["KeyCount"] == 0


def test_of_texts_no_more_etags_are_carried_than_a_document_may_have_pages() -> None:
    keys = ["set/input/a.pdf", *(page_text_key("set", "a.pdf", page) for page in range(1, MAXIMUM_PAGES + 100))]
    files = tuple(StoredFile(key=key, size=1, etag=f"{number:032x}") for number, key in enumerate(keys))
    (etags,) = text_etags(Listing(test_set_id="set", files=files)).values()
    assert len(etags) == MAXIMUM_PAGES
    assert {len(etag) for etag in etags} == {ETAG_LENGTH}


def test_an_empty_text_is_a_text(pipeline: Pipeline, s3: Any, start: Start) -> None:
    put_texts(s3)
    put_text(s3, "", page=1)
    s3.put_object(Bucket="documents", Key=f"docsplit/input/{PATH}", Body=coloured_pdf((0.5, 0, 0), (0, 0.5, 0)))
    child = first_document(pipeline, s3, start("{CLASS_NAMES_AND_DESCRIPTIONS}{DOCUMENT_IMAGE}{DOCUMENT_TEXT}"))
    pipeline.run("GenerateExample", child)
    first, second = example_records(s3, child)
    assert [list(block) for block in first["messages"][0]["content"]] == [["text"], ["image"]]  # none may be blank
    assert [list(block) for block in second["messages"][0]["content"]] == [["text"], ["image"], ["text"]]
