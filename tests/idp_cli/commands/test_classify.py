"""A document of one's own is uploaded, one of a test set is named; texts of pages go with it in order."""

from __future__ import annotations

from pathlib import Path

from tests.idp_cli.conftest import Run
from tests.support.cli.deployment import Deployment


def test_a_document_is_uploaded_and_classified_with_the_texts_of_its_pages(run: Run, deployment: Deployment) -> None:
    Path("scan.pdf").write_text("%PDF-1.7 content")
    for page in ("1", "2"):
        Path(f"{page}.txt").write_text(f"page {page}")
    assert run("classify", "scan.pdf", "--model", "m", "--page-text", "1.txt", "--page-text", "2.txt").code == 0
    assert deployment.called("createClassificationUpload")["input"]["fileName"] == "scan.pdf"
    assert deployment.called("startClassification")["input"] == {
        "uploadKey": "classifications/uploads/1",
        "model": "m",
        "pageTexts": ["page 1", "page 2"],
    }


def test_a_document_of_a_test_set_is_only_named(run: Run, deployment: Deployment) -> None:
    assert run("classify", "--test-set", "docsplit", "--document", "w2/7.pdf").code == 0
    assert deployment.called("startClassification")["input"] == {"testSetId": "docsplit", "documentPath": "w2/7.pdf"}


def test_a_page_that_got_no_class_is_shown_as_a_dash(run: Run, deployment: Deployment) -> None:
    unusable = {"number": 1, "className": None, "boundary": None}
    answer = deployment.fields["getClassification"]({})
    changed = {"pages": [unusable], "sections": [], "warnings": ["Page 1: no usable answer."]}
    deployment.fields["getClassification"] = lambda given: answer | changed
    ran = run("classify", "--test-set", "docsplit", "--document", "w2/7.pdf")
    assert ran.code == 0
    assert ran.out.splitlines()[-1].split() == ["1", "-", "-"]
    assert ran.err == "Warning: Page 1: no usable answer.\n"
