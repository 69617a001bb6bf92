from __future__ import annotations

from datetime import UTC, datetime

from idp_finetuning.classification.classification import ClassificationResult, ClassifiedPage, show_classification
from idp_finetuning.nova.prompt import Boundary
from idp_local.demo.scores import judge
from idp_sdk import LabelledDocument, LabelledSection
from tests.idp_finetuning.classification.test_classification import request


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
