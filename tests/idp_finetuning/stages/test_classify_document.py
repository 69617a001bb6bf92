"""ClassifyDocument: every page to the model as it was trained, and every failure as a sentence on the record."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from PIL import Image

from idp_finetuning.adapters.buckets import DataBucket, TestSetBucket
from idp_finetuning.adapters.converse import Converse
from idp_finetuning.adapters.pages import PageSource
from idp_finetuning.classification.classification import (
    ClassificationProgress,
    ClassificationRequest,
    ClassificationResult,
    ClassificationStarted,
    ClassificationSummary,
    RunningClassification,
    TestSetDocument,
)
from idp_finetuning.classification.layout import ClassificationLayout
from idp_finetuning.nova.prompt import Boundary, DocumentClass, Prompt
from idp_finetuning.stages import classification_run
from idp_finetuning.stages import classify_document as stage
from idp_finetuning.stages.classify_document import MAXIMUM_RUNS, classify_document
from idp_finetuning.stages.end_classification import FailedInvocation, end_classification
from idp_finetuning.test_sets.keys import page_text_key
from tests.idp_finetuning.classification.test_classification import request
from tests.support.domain.fake_converse import FakeConverse, image_in, label, texts_in
from tests.support.domain.samples import coloured_pdf, pdf

ID = "6f1c2b1e-0000-4000-8000-000000000001"
LAYOUT = ClassificationLayout(classification_id=ID)
KEY = "classifications/uploads/sub-1/1/a.pdf"
WITH_TEXT = Prompt(
    task_prompt="{CLASS_NAMES_AND_DESCRIPTIONS}\n<text>{DOCUMENT_TEXT}</text>\n{DOCUMENT_IMAGE}",
    classes=(DocumentClass(name="invoice"),),
)
FIRST = ClassificationStarted(classification_id=ID)
RED, GREEN, BLUE = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)


class Classifier:
    """Runs the stage on what lies in the buckets; `model` is asked."""

    def __init__(self, s3: Any, data: DataBucket, documents: TestSetBucket) -> None:
        self._s3 = s3
        self._data = data
        self._documents = documents
        self.model = FakeConverse()
        self.seconds_left: Callable[[], float] = lambda: 900.0
        self.next_runs: list[ClassificationStarted] = []

    def upload(self, content: bytes) -> None:
        self._s3.put_object(Bucket="data", Key=KEY, Body=content)

    def ask(self, **changes: Any) -> None:
        """Writes the request."""
        self._data.write_model(LAYOUT.request, request(**changes))

    def run(self, event: ClassificationStarted = FIRST) -> ClassificationSummary:
        return classify_document(
            event,
            data=self._data,
            test_set_bucket=self._documents,
            converse=Converse(self.model),
            next_run=self,  # type: ignore[arg-type]
            seconds_left=self.seconds_left,
        )

    def start(self, event: ClassificationStarted) -> None:
        """Stands for the asynchronous invocation of the next run."""
        self.next_runs.append(event)

    def end(self) -> ClassificationSummary:
        """Runs EndClassification, as Lambda does once it gives up."""
        return end_classification(FailedInvocation(request_payload=FIRST), data=self._data)

    def read(self) -> ClassificationResult | None:
        return self._data.read_model(LAYOUT.result, ClassificationResult)

    def progress(self) -> ClassificationProgress:
        found = self._data.read_model(LAYOUT.progress, ClassificationProgress)
        assert found
        return found

    def result(self, content: bytes | None = None, **changes: Any) -> ClassificationResult:
        """Uploads, asks, runs and reads the result."""
        if content is not None:
            self.upload(content)
        self.ask(**changes)
        self.run()
        found = self._data.read_model(LAYOUT.result, ClassificationResult)
        assert found
        return found


@pytest.fixture
def classifier(
    s3: Any, data: DataBucket, documents_bucket: TestSetBucket, monkeypatch: pytest.MonkeyPatch
) -> Classifier:
    monkeypatch.setattr("idp_finetuning.adapters.converse.FIRST_WAIT_SECONDS", 0.001)
    monkeypatch.setattr(classification_run, "LEASE_SECONDS", 0.3)
    monkeypatch.setattr(classification_run, "RENEW_SECONDS", 0.05)
    return Classifier(s3, data, documents_bucket)


def colour(page: bytes) -> tuple[int, ...]:
    """0 or 1 a channel."""
    middle = Image.open(io.BytesIO(page)).resize((1, 1)).getpixel((0, 0))
    assert isinstance(middle, tuple)
    return tuple(round(channel / 255) for channel in middle)


def test_each_page_gets_the_answer_to_its_own_image(classifier: Classifier) -> None:
    names = {RED: "letter", GREEN: "invoice", BLUE: "invoice"}
    classifier.model.reply = lambda asked: label(names[colour(image_in(asked))], Boundary.CONTINUE)  # type: ignore[index]
    classes = (DocumentClass(name="letter"), DocumentClass(name="invoice"))
    result = classifier.result(coloured_pdf(RED, GREEN, BLUE, RED), prompt=Prompt(classes=classes))
    assert [(p.number, p.class_name) for p in result.pages] == [
        (1, "letter"),
        (2, "invoice"),
        (3, "invoice"),
        (4, "letter"),
    ]
    assert result.error_code is None


def test_model_prompt_and_temperature_of_the_request_are_used(classifier: Classifier) -> None:
    arn = "arn:aws:bedrock:us-east-1:123456789012:custom-model-deployment/abcdef012345"
    classifier.result(coloured_pdf(RED), model=arn, temperature=0.5)
    (asked,) = classifier.model.requests
    assert asked["modelId"] == arn
    assert asked["inferenceConfig"]["temperature"] == 0.5
    assert "additionalModelRequestFields" not in asked  # a choice of one would undo the temperature
    assert texts_in(asked)[0] == request().prompt.system_prompt


def test_a_second_run_with_the_same_event_asks_nothing_and_changes_nothing(
    classifier: Classifier, data: DataBucket
) -> None:
    first = classifier.result(coloured_pdf(RED, GREEN))
    asked = len(classifier.model.requests)
    classifier.model.reply = lambda _: "something else"
    classifier.run()
    assert data.read_model(LAYOUT.result, ClassificationResult) == first
    assert len(classifier.model.requests) == asked


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "The file is empty."),
        (b"just text", "The file is neither a PDF nor"),
        (b"%PDF-1.4\nhalf of one", "The PDF ends in the middle."),
        (None, "The file is no longer there."),
    ],
)
def test_a_document_that_cannot_be_opened_fails_with_its_reason(
    classifier: Classifier, content: bytes | None, reason: str
) -> None:
    result = classifier.result(content)
    assert result.error_code == "DocumentRejected"
    assert str(result.error_message).startswith(reason)
    assert classifier.model.requests == []


def test_a_document_of_more_pages_than_allowed_costs_no_call(
    classifier: Classifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("idp_finetuning.adapters.pages.MAXIMUM_PAGES", 3)
    result = classifier.result(coloured_pdf(*[RED] * 4))
    assert "at most 3 are allowed" in str(result.error_message)
    assert classifier.model.requests == []


def test_no_page_is_rendered_before_the_model_is_asked_about_the_last_one(
    classifier: Classifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A document of 500 pages is never in memory as 500 pictures, and a dead run loses one answer at most."""
    rendered: list[int] = []
    ahead: list[int] = []
    draw = PageSource.jpeg

    def counted(source: Any, index: int) -> bytes:
        rendered.append(index)
        ahead.append(len(rendered) - len(classifier.model.requests))
        return draw(source, index)

    monkeypatch.setattr(PageSource, "jpeg", counted)
    result = classifier.result(coloured_pdf(*[RED] * 30, side=20))
    assert len(result.pages) == 30
    assert (max(ahead), classifier.model.most_at_once) == (1, 1)


@pytest.mark.parametrize("code", ["ThrottlingException", "ModelNotReadyException", "ServiceUnavailableException"])
def test_what_passes_is_waited_out(classifier: Classifier, code: str) -> None:
    classifier.model.failures = [code] * 7
    result = classifier.result(coloured_pdf(RED, GREEN))
    assert [page.class_name for page in result.pages] == ["invoice", "invoice"]
    assert len(classifier.model.requests) == 9


@pytest.mark.parametrize(
    ("code", "error", "said"),
    [
        ("ThrottlingException", "TransientError", "Bedrock throttled the model"),
        ("ResourceNotFoundException", "AwsCallRefused", "Choose another model."),
        ("AccessDeniedException", "AwsCallRefused", "Ask its operator"),
        ("ValidationException", "AwsCallRefused", "Bedrock's own words."),
    ],
)
def test_a_refusal_of_bedrock_becomes_a_sentence(classifier: Classifier, code: str, error: str, said: str) -> None:
    classifier.upload(coloured_pdf(RED))
    classifier.ask()
    for number in range(1, MAXIMUM_RUNS + 1):
        left = iter([900.0, 900.0, 900.0])
        classifier.seconds_left = lambda left=left: next(left, stage.SPARE_SECONDS)  # type: ignore[misc]
        classifier.model.failures = [code] * 50
        classifier.run(FIRST.model_copy(update={"run": number}))
    result = classifier.read()
    assert result
    assert result.error_code == error
    assert said in str(result.error_message)
    assert result.pages == ()
    assert len(classifier.next_runs) == (MAXIMUM_RUNS - 1 if error == "TransientError" else 0)


def test_a_run_without_time_hands_over_and_the_last_one_says_how_far_it_came(classifier: Classifier) -> None:
    classifier.upload(coloured_pdf(*[RED] * 20, side=20))
    classifier.ask()
    event = FIRST
    for number in range(1, MAXIMUM_RUNS + 1):
        asked = len(classifier.model.requests)
        classifier.seconds_left = lambda asked=asked: 900.0 if len(classifier.model.requests) < asked + 2 else 0.0  # type: ignore[misc]
        summary = classifier.run(event)
        assert summary.pages == len(classifier.model.requests) == 2 * number
        assert (classifier.progress().pages_done, classifier.progress().page_count) == (2 * number, 20)
        if number < MAXIMUM_RUNS:
            assert summary.continued
            assert classifier.read() is None
            event = classifier.next_runs[-1]
    result = classifier.read()
    assert result
    assert "took too long: 16 pages were done" in str(result.error_message)


def test_runs_that_hand_over_answer_every_page_once(classifier: Classifier) -> None:
    classifier.model.reply = lambda asked: label("invoice" if colour(image_in(asked)) == RED else "letter")
    colours = [RED, GREEN] * 10
    classifier.upload(coloured_pdf(*colours, side=20))
    classes = (DocumentClass(name="letter"), DocumentClass(name="invoice"))
    classifier.ask(prompt=Prompt(classes=classes))
    left = iter([900.0] * 14)
    classifier.seconds_left = lambda: next(left, 0.0)
    assert classifier.run().continued
    classifier.seconds_left = lambda: 900.0
    assert classifier.run(classifier.next_runs[0]).pages == 20
    result = classifier.read()
    assert result
    assert [page.class_name for page in result.pages] == ["invoice", "letter"] * 10
    assert [page.number for page in result.pages] == list(range(1, 21))
    assert len(classifier.model.requests) == 20


class Killed(BaseException):
    """Stands for the end of the process: nothing catches it."""


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_run_that_dies_at_page_30_of_50_is_continued_and_at_most_one_call_is_made_twice(
    classifier: Classifier, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    add = classification_run.ClassificationRun.add

    def die(run: classification_run.ClassificationRun, page: Any) -> None:
        if when == "after":
            add(run, page)
        if page.number == 30:
            raise Killed
        if when == "before":
            add(run, page)

    classifier.upload(coloured_pdf(*[RED] * 50, side=20))
    classifier.ask()
    with monkeypatch.context() as patched:
        patched.setattr(classification_run.ClassificationRun, "add", die)
        with pytest.raises(Killed):
            classifier.run()
    assert classifier.read() is None
    began = time.monotonic()
    assert classifier.run().pages == 50
    assert time.monotonic() - began < 5  # it waits until the lease of the dead run has ended
    assert len(classifier.model.requests) == (51 if when == "before" else 50)


def test_between_two_runs_an_old_classification_is_still_running(classifier: Classifier) -> None:
    classifier.upload(coloured_pdf(*[RED] * 10, side=20))
    classifier.ask()
    classifier.seconds_left = lambda: 900.0 if len(classifier.model.requests) < 2 else 0.0
    assert classifier.run().continued
    began = datetime.now(UTC) - timedelta(hours=1)
    assert not RunningClassification(classification_id=ID, since=began).has_stopped(classifier.progress())


def test_a_renewal_that_was_written_and_then_refused_on_its_repetition_keeps_the_lease(
    classifier: Classifier, data: DataBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    exchange = DataBucket.exchange

    def refuse_what_was_written(bucket: DataBucket, key: str, model: Any, etag: str | None) -> str | None:
        exchange(bucket, key, model, etag)
        return None

    monkeypatch.setattr(DataBucket, "exchange", refuse_what_was_written)
    classifier.upload(coloured_pdf(*[RED] * 3, side=20))
    classifier.ask()
    assert classifier.run().pages == 3
    assert classifier.read()


def test_of_two_runs_at_once_one_works(classifier: Classifier) -> None:
    classifier.model.seconds_each = 0.02
    classifier.upload(coloured_pdf(*[RED] * 30, side=20))
    classifier.ask()
    with ThreadPoolExecutor(2) as threads:
        summaries = [run.result() for run in [threads.submit(classifier.run) for _ in range(2)]]
    assert sorted((summary.repeated, summary.pages) for summary in summaries) == [(False, 30), (True, 0)]
    assert len(classifier.model.requests) == 30


def test_a_run_that_was_taken_over_asks_nothing_more_and_writes_no_result(classifier: Classifier) -> None:
    classifier.upload(coloured_pdf(*[RED] * 10, side=20))
    classifier.ask()

    def reply(_: dict[str, Any]) -> str:
        if len(classifier.model.requests) == 3:
            other = classifier.progress().model_copy(update={"run_id": "another"})
            classifier._data.write_model(LAYOUT.progress, other)
            time.sleep(0.2)
        return label("invoice")

    classifier.model.reply = reply
    assert classifier.run().repeated
    assert (len(classifier.model.requests), classifier.read()) == (3, None)


def test_what_lambda_gives_up_has_failed_and_says_how_far_it_came(
    classifier: Classifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object) -> bytes:
        raise Killed

    classifier.upload(coloured_pdf(*[RED] * 3, side=20))
    classifier.ask()
    with monkeypatch.context() as patched:
        patched.setattr(PageSource, "jpeg", die)
        with pytest.raises(Killed):
            classifier.run()
    assert classifier.end().error_code == "InternalError"
    result = classifier.read()
    assert result
    assert "0 of its pages have an answer" in str(result.error_message)


def test_a_result_stays_though_lambda_gives_up_another_run(classifier: Classifier) -> None:
    before = classifier.result(coloured_pdf(RED))
    assert classifier.end().repeated
    assert classifier.read() == before


def test_an_unexpected_failure_is_on_the_record_without_its_words(classifier: Classifier, data: DataBucket) -> None:
    def reply(_: dict[str, Any]) -> str:
        raise KeyError("the text of a document")

    classifier.model.reply = reply
    classifier.upload(coloured_pdf(RED))
    classifier.ask()
    with pytest.raises(KeyError):
        classifier.run()
    result = data.read_model(LAYOUT.result, ClassificationResult)
    assert result
    assert result.error_code == "InternalError"
    assert "the text" not in str(result.error_message)


@pytest.mark.parametrize("said", ["", "I cannot see an invoice.", '{"class": "other"}', "[" * 100_000])
def test_an_answer_that_cannot_be_used_leaves_the_page_without_a_class(classifier: Classifier, said: str) -> None:
    classifier.model.reply = lambda _: said
    (page,) = classifier.result(coloured_pdf(RED)).pages
    assert (page.class_name, page.boundary) == (None, None)


def test_half_an_answer_keeps_what_can_be_used(classifier: Classifier) -> None:
    classifier.model.reply = lambda _: '{"class": "invoice", "document_boundary": "middle"}'
    (page,) = classifier.result(coloured_pdf(RED)).pages
    assert (page.class_name, page.boundary) == ("invoice", None)


def test_texts_of_the_request_go_to_their_pages(classifier: Classifier) -> None:
    texts = ("one {DOCUMENT_IMAGE}", "two {CLASS_NAMES_AND_DESCRIPTIONS}")
    classifier.result(coloured_pdf(RED, GREEN), prompt=WITH_TEXT, page_texts=texts)
    by_colour = {colour(image_in(asked)): texts_in(asked)[1] for asked in classifier.model.requests}
    assert by_colour == {  # a placeholder within a text is a text
        RED: f"invoice  \t[  ]\n<text>{texts[0]}</text>\n",
        GREEN: f"invoice  \t[  ]\n<text>{texts[1]}</text>\n",
    }


def test_texts_of_another_number_than_pages_are_refused(classifier: Classifier) -> None:
    result = classifier.result(coloured_pdf(RED, GREEN), prompt=WITH_TEXT, page_texts=("one",))
    assert result.error_code == "InvalidInput"
    assert "holds 1 texts, but the document has 2 pages" in str(result.error_message)
    assert classifier.model.requests == []


@pytest.mark.parametrize("texts", [2, 1])
def test_a_document_of_a_test_set_brings_its_texts(classifier: Classifier, s3: Any, texts: int) -> None:
    s3.put_object(Bucket="documents", Key="docsplit/input/sub/a.pdf", Body=coloured_pdf(RED, GREEN))
    for page in range(1, texts + 1):
        body = json.dumps({"text": f"text {page}"})
        s3.put_object(Bucket="documents", Key=page_text_key("docsplit", "sub/a.pdf", page), Body=body)
    document = TestSetDocument(test_set_id="docsplit", path="sub/a.pdf")
    result = classifier.result(prompt=WITH_TEXT, upload_key=None, test_set_document=document)
    if texts == 2:
        assert {texts_in(asked)[1].partition("<text>")[2] for asked in classifier.model.requests} == {
            "text 1</text>\n",
            "text 2</text>\n",
        }
    else:
        assert result.error_code == "InvalidInput"
        assert "has none of page 2" in str(result.error_message)


def test_a_page_that_cannot_be_drawn_ends_it(classifier: Classifier) -> None:
    result = classifier.result(pdf((40, 40, ""), (40, 40_000_000, "")))
    assert result.error_code == "DocumentRejected"
    assert "times as long as wide" in str(result.error_message)


def test_the_request_is_all_the_function_needs(data: DataBucket) -> None:
    asked = request(page_texts=("a",), test_set_document=None)
    data.write_model(LAYOUT.request, asked)
    assert data.read_model(LAYOUT.request, ClassificationRequest) == asked
