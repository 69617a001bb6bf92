"""An evaluation on another test set: drawn once, and nothing of it that the model was trained with."""

from __future__ import annotations

import io
import json
import random
from collections.abc import Mapping
from typing import Any

import pytest
from PIL import Image

from idp_finetuning.adapters.page_looks import page_look
from idp_finetuning.adapters.pages import open_document
from idp_finetuning.adapters.tables.test_sets import TestSetTable
from idp_finetuning.errors import InvalidInput, TestSetInvalid, TestSetNotFound
from idp_finetuning.evaluation.layout import EvaluationLayout
from idp_finetuning.evaluation.report import EvaluationReport
from idp_finetuning.jobs import life
from idp_finetuning.jobs.evaluation import EvaluationRequest, EvaluationRun, EvaluationStatus
from idp_finetuning.jobs.layout import JobLayout
from idp_finetuning.stages.evaluation_records import fail_job_evaluation
from idp_finetuning.test_sets.page_counts import CountedDocument, PageCounts
from idp_finetuning.test_sets.split import Split
from idp_finetuning.training_data.page_notes import PageNotes, image_digest, join_notes
from tests.support.domain.coloured_test_set import BLUE, RED, ColouredTestSet, class_by_colour, reasons, shade
from tests.support.domain.evaluated import without_cost
from tests.support.domain.evaluation_steps import BASE, DEPLOYMENT, ID, Evaluation
from tests.support.domain.fake_converse import image_in
from tests.support.domain.samples import coloured_pdf, ready_test_set

RUN = EvaluationRun(job_id=ID, number=2)
LAYOUT = EvaluationLayout(**dict(RUN))


class Extra(ColouredTestSet):
    """Test set `extra`, and the evaluation of a job on it."""

    def __init__(self, s3: Any, evaluation: Evaluation) -> None:
        super().__init__(s3)
        self.evaluation = evaluation

    def evaluate(self, run: EvaluationRun = RUN) -> EvaluationReport:
        """Evaluate the job on it."""
        self.begin(run)
        return self.evaluation.evaluate(run)

    def begin(self, run: EvaluationRun = RUN) -> None:
        """End the evaluation before and begin this one."""
        number = run.number - 1
        before = EvaluationRun(job_id=ID, number=number)
        running = self.evaluation.jobs.get(ID).evaluation
        assert running
        ended = running.model_copy(update={"status": EvaluationStatus.FAILED, "error_message": "Over."})
        self.evaluation.jobs.update(ID, lambda found: life.end_evaluation(found, before, ended))
        self.evaluation.jobs.update(
            ID, lambda found: life.begin_evaluation(found, run.number, "Again.", EvaluationRequest(test_set_id="extra"))
        )


@pytest.fixture
def extra(s3: Any, evaluation: Evaluation, test_sets: TestSetTable) -> Extra:
    """A test set beside that of a completed job, and a custom model that tells red from blue."""

    def reply(request: Mapping[str, Any]) -> str:
        is_invoice = (class_by_colour(request) == "invoice") == (request["modelId"] == DEPLOYMENT)
        return json.dumps({"class": "invoice" if is_invoice else "letter", "document_boundary": "start"})

    evaluation.model.reply = reply
    test_sets.create(ready_test_set("extra"))
    return Extra(s3, evaluation)


def test_the_models_are_asked_about_its_documents_which_are_drawn_once(extra: Extra) -> None:
    extra.add_usual()
    report = extra.evaluate()
    assert (report.test_set_id, report.documents, report.pages, report.left_out) == ("extra", 8, 16, ())
    accuracy = {item.kind: item.accuracy.value for item in report.contestants if item.accuracy}
    assert accuracy == {"CUSTOM_MODEL": 1.0, "BASE_MODEL": 0.0, "MAJORITY_CLASS": 0.5}
    ended = extra.evaluation.jobs.get(ID).evaluation
    assert ended
    assert (ended.number, ended.status, ended.test_set_id, ended.verdict) == (2, "COMPLETED", "extra", "BETTER")
    asked = len(extra.evaluation.model.requests)
    with pytest.MonkeyPatch.context() as patched:
        # Nothing is drawn again, and no training document read.
        patched.setattr("idp_finetuning.stages.evaluation_pages.open_document", None)
        patched.setattr("idp_finetuning.stages.evaluation_test_set.split_notes", None)
        patched.setattr(extra.evaluation.data, "read_all", None)
        again = extra.evaluate(EvaluationRun(job_id=ID, number=3))
    assert len(extra.evaluation.model.requests) == asked
    assert without_cost(again) == without_cost(report)


def test_a_document_whose_content_changed_is_drawn_and_asked_about_again(extra: Extra) -> None:
    extra.add_usual()
    extra.evaluate()
    asked = extra.evaluation.asked(BASE)
    extra.add("0.pdf", coloured_pdf(shade("invoice", 90)), {"invoice": [0]})
    report = extra.evaluate(EvaluationRun(job_id=ID, number=3))
    assert report.pages == 15
    assert extra.evaluation.asked(BASE) == asked + 1


def test_training_documents_are_left_out_by_their_bytes_or_by_the_look_of_every_page(extra: Extra) -> None:
    extra.add_usual()
    same = coloured_pdf(shade("letter", 70))
    etag = extra.add("same bytes.pdf", same, {"letter": [0]})
    looks = coloured_pdf(shade("invoice", 71), shade("invoice", 72))
    extra.add("saved again.pdf", looks + b"% saved again", {"invoice": [0, 1]})
    extra.add("one page of it.pdf", coloured_pdf(shade("invoice", 71), shade("invoice", 73)), {"invoice": [0, 1]})
    layout = JobLayout(job_id=ID)
    manifest = json.loads(extra.evaluation.data.read(layout.manifest))
    trained = [item for item in manifest if item["split"] == "train"]
    trained[0]["etag"] = etag
    extra.evaluation.data.write(layout.manifest, json.dumps(manifest).encode())
    with open_document(looks) as source:
        digests = tuple(image_digest(source.jpeg(index)) for index in range(2))
    notes = PageNotes(digests=digests, missing_glyphs=(0, 0))
    extra.evaluation.data.write(layout.example(Split.TRAIN, trained[1]["documentId"]), join_notes(notes, b"{}\n"))
    report = extra.evaluate()
    paths = [item["key"].removeprefix("docsplit/input/") for item in trained]
    assert reasons(report) == {
        "same bytes.pdf": f"It is the training document '{paths[0]}'.",
        "saved again.pdf": f"Every page looks exactly like one of the training documents, as '{paths[1]}'.",
    }
    assert report.documents == 9
    assert next(item.reason for item in report.contestants if item.kind == "CUSTOM_MODEL") is None


def test_documents_that_cannot_be_used_are_left_out_and_named(extra: Extra) -> None:
    extra.add_usual()
    extra.add("unlabelled.pdf", coloured_pdf(RED), None)
    extra.add("memo.pdf", coloured_pdf(RED), {"memo": [0]})
    extra.add("broken.pdf", b"%PDF-1.4 broken", {"letter": [0]})
    extra.add("longer.pdf", coloured_pdf(RED, RED), {"letter": [0]})
    extra.add("notes.docx", b"PK", {"letter": [0]})
    extra.add("book.pdf", coloured_pdf(*[BLUE] * 11), {"letter": None})
    report = extra.evaluate()
    found = reasons(report)
    assert sorted(found) == ["book.pdf", "broken.pdf", "longer.pdf", "memo.pdf", "notes.docx", "unlabelled.pdf"]
    assert found["unlabelled.pdf"] == "It has no baseline. Correct the labels."
    assert found["memo.pdf"] == "The model was not trained with its class 'memo'."
    assert "labels have 1 pages, the document has 2" in found["longer.pdf"]
    assert found["book.pdf"].startswith("It has 11 pages. Without pages in the labels")
    assert report.documents == 8


def test_pages_come_from_the_labels_or_the_drawing(extra: Extra) -> None:
    extra.add("drawn.pdf", coloured_pdf(RED, RED, RED), {"invoice": None})
    extra.add("labelled.pdf", coloured_pdf(BLUE, BLUE), {"letter": [0, 1]})
    report = extra.evaluate()
    assert (report.documents, report.pages) == (2, 5)


def test_counted_pages_decide_before_anything_is_drawn(extra: Extra, monkeypatch: pytest.MonkeyPatch) -> None:
    extra.add("long.pdf", coloured_pdf(*[shade("letter", n) for n in range(12)]), {"letter": None})
    extra.add("secret.pdf", coloured_pdf(RED), {"invoice": None})
    counted = (CountedDocument(path="long.pdf", pages=12), CountedDocument(path="secret.pdf", rejection="encrypted"))
    monkeypatch.setattr(
        "idp_finetuning.stages.evaluation_test_set.read_page_counts", lambda *_: PageCounts(documents=counted)
    )
    report = extra.evaluate()
    assert (report.documents, report.pages) == (1, 12)
    assert reasons(report) == {"secret.pdf": "It cannot be opened (encrypted)."}


@pytest.mark.parametrize(
    ("contents", "words"),
    [
        ((), "No document of test set 'extra' can be used for the evaluation (0 left out). The first: It has no doc"),
        (("memo",), "(1 left out). The first: The model was not trained with its class 'memo'."),
    ],
)
def test_a_test_set_without_a_usable_document_fails_with_the_first_reason(
    extra: Extra, contents: tuple[str, ...], words: str
) -> None:
    for name in contents:
        extra.add(f"{name}.pdf", coloured_pdf(RED), {name: [0]})
    extra.begin()
    with pytest.raises(InvalidInput) as refused:
        extra.evaluation.prepare(RUN)
    assert words in refused.value.message


def test_if_every_document_turns_out_to_be_unusable_the_first_reason_is_said(extra: Extra) -> None:
    extra.add("longer.pdf", coloured_pdf(RED, RED), {"letter": [0]})
    with pytest.raises(InvalidInput, match=r"No document could be used \(1 left out\). The first: The labels have 1"):
        extra.evaluate()


def test_a_test_set_that_is_gone_or_not_complete_is_refused(extra: Extra, test_sets: TestSetTable) -> None:
    extra.begin()
    test_sets.close("extra")
    with pytest.raises(TestSetInvalid, match="being deleted"):
        extra.evaluation.prepare(RUN)
    test_sets.delete("extra", test_sets.get("extra").created_at)
    with pytest.raises(TestSetNotFound):
        extra.evaluation.prepare(RUN)


def test_a_document_that_takes_too_long_to_draw_is_left_out(extra: Extra) -> None:
    extra.add_usual()
    extra.begin()
    documents = extra.evaluation.prepare(RUN)
    extra.evaluation.seconds_left = lambda: 59.0
    assert extra.evaluation.ask(documents[0], RUN) == "Finished"
    extra.evaluation.seconds_left = lambda: 900.0
    for document in documents[1:]:
        extra.evaluation.ask(document, RUN)
    report = extra.evaluation.score(RUN)
    assert reasons(report) == {"0.pdf": "Rendering took too long: 0 of 2 pages were done. Split it."}
    assert report.documents == 7


def test_documents_of_no_class_show_how_often_one_is_named_all_the_same(
    extra: Extra, s3: Any, test_sets: TestSetTable
) -> None:
    test_sets.create(ready_test_set("foreign"))
    foreign = ColouredTestSet(s3, "foreign")
    for number in range(6):
        foreign.add(f"{number}.pdf", coloured_pdf(shade("invoice", 10 * number)), {"poem": None})
    foreign.add("two.pdf", coloured_pdf(shade("letter", 70), shade("letter", 80)), {"poem": [0, 1]})
    foreign.add("known.pdf", coloured_pdf(shade("letter", 90)), {"letter": None})
    foreign.add("broken.pdf", b"%PDF-1.4 nothing", {"poem": None})
    reply = extra.evaluation.model.reply

    def unsure(request: dict[str, Any]) -> str:
        _, green, _ = Image.open(io.BytesIO(image_in(request))).convert("RGB").getpixel((5, 5))  # type: ignore[misc]
        is_third = 40 < green < 60
        return "I do not know." if is_third and request["modelId"] == DEPLOYMENT else reply(request)

    extra.evaluation.model.reply = unsure
    extra.add_usual()
    fail_job_evaluation(EvaluationRun(job_id=ID, number=1), "Over.", jobs=extra.evaluation.jobs)
    request = EvaluationRequest(test_set_id="extra", out_of_scope_test_set_id="foreign")
    extra.evaluation.jobs.update(ID, lambda found: life.begin_evaluation(found, 2, "Again.", request))
    report = extra.evaluation.evaluate(RUN)
    assert (report.documents, report.pages) == (8, 16)  # those of no class are not scored
    custom, base, majority = report.contestants
    assert custom.out_of_scope
    assert (custom.out_of_scope.documents, custom.out_of_scope.pages) == (7, 8)
    assert custom.out_of_scope.named.value == pytest.approx(7 / 8)
    assert 0 < custom.out_of_scope.named.lower < 7 / 8 < custom.out_of_scope.named.upper <= 1
    assert [(item.name, item.pages) for item in custom.out_of_scope.classes] == [("invoice", 5), ("letter", 2)]
    assert base.out_of_scope
    assert base.out_of_scope.named.value == 1
    assert majority.out_of_scope is None
    assert reasons(report) == {
        "known.pdf": "Its class 'letter' is one that the model was trained with.",
        "broken.pdf": reasons(report)["broken.pdf"],
    }
    assert "PDF ends" in reasons(report)["broken.pdf"]
    with_text = json.loads(extra.evaluation.data.read(LAYOUT.pages).splitlines()[0])
    assert "poem" not in json.dumps(with_text)


def pattern(seed: int) -> Image.Image:
    """A page with dark fields, others for each seed."""
    shown = Image.new("RGB", (620, 877), "white")
    draw = random.Random(seed)
    for _ in range(40):
        left, top = draw.randrange(0, 560), draw.randrange(0, 800)
        shown.paste((40, 40, 40), (left, top, left + draw.randrange(20, 60), top + draw.randrange(10, 40)))
    return shown


def saved(page: Image.Image, quality: int) -> bytes:
    """The page as a JPEG."""
    file = io.BytesIO()
    page.save(file, "JPEG", quality=quality)
    return file.getvalue()


def leave_training_pages(extra: Extra, pages: list[bytes]) -> list[str]:
    """What the job's workflow leaves of the first training document; the answer is the paths of all of them."""
    data, layout = extra.evaluation.data, JobLayout(job_id=ID)
    trained = [item for item in json.loads(data.read(layout.manifest)) if item["split"] == "train"]
    document = trained[0]["documentId"]
    for number, content in enumerate(pages, 1):
        data.write(layout.page(document, number), content)
    notes = PageNotes(
        digests=tuple(image_digest(content) for content in pages),
        missing_glyphs=(0,) * len(pages),
        looks=tuple(page_look(content) for content in pages),
    )
    data.write(layout.example(Split.TRAIN, document), join_notes(notes, b"{}\n"))
    return [item["key"].removeprefix("docsplit/input/") for item in trained]


def test_a_training_document_saved_in_another_quality_is_left_out(extra: Extra) -> None:
    extra.add_usual()
    original, *_ = leave_training_pages(extra, [saved(pattern(1), 90)])
    extra.add("again.jpg", saved(pattern(1), 40), {"invoice": None})
    extra.add("other.jpg", saved(pattern(2), 90), {"invoice": None})
    report = extra.evaluate()
    assert reasons(report) == {
        "again.jpg": f"Every page looks nearly like one of the training documents, as '{original}'."
    }
    assert report.documents == 9


def test_the_nearest_training_page_answers_without_a_model(extra: Extra) -> None:
    blank = Image.new("RGB", (620, 877), "white")
    leave_training_pages(extra, [saved(pattern(1), 90), saved(pattern(2), 90)])
    extra.add("like.jpg", saved(pattern(3), 90), {"invoice": None})
    extra.add("unlike.jpg", saved(pattern(4), 90), {"letter": None})
    extra.add("blank.jpg", saved(blank, 90), {"letter": None})
    report = extra.evaluate()
    nearest = next(item for item in report.contestants if item.kind == "NEAREST_PAGE")
    assert nearest.accuracy
    assert (nearest.documents, nearest.accuracy.value, nearest.model, nearest.usage.calls) == (3, 1 / 3, None, 0)
    assert nearest.name in {item.name for item in report.comparisons}
    before = len(extra.evaluation.model.requests)
    again = extra.evaluate(EvaluationRun(job_id=ID, number=3))
    assert without_cost(again) == without_cost(report)
    assert len(extra.evaluation.model.requests) == before
