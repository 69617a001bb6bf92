"""A document of one's own is uploaded, one of a test set is named; texts of pages go with it in order."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from tests.idp_cli.conftest import Run
from tests.support.cli.deployment import Deployment, Refused


def test_a_document_is_uploaded_and_classified_with_the_texts_of_its_pages(run: Run, deployment: Deployment) -> None:
    Path("scan.pdf").write_text("%PDF-1.7 content")
    for page in ("1", "2"):
        Path(f"{page}.txt").write_text(f"page {page}")
    assert (
        run("classify", "scan.pdf", "--model", "us.amazon.m:0", "--page-text", "1.txt", "--page-text", "2.txt").code
        == 0
    )
    assert deployment.called("createClassificationUpload")["input"]["fileName"] == "scan.pdf"
    assert deployment.called("startClassification")["input"] == {
        "uploadKey": "classifications/uploads/1",
        "model": "us.amazon.m:0",
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


@pytest.fixture
def folder() -> Path:
    root = Path("post")
    (root / "march").mkdir(parents=True)
    for name in ("a.pdf", "march/=b.pdf"):
        (root / name).write_bytes(b"%PDF-1.7 content")
    (root / "notes.txt").write_text("no document")
    (root / ".DS_Store").write_bytes(b"x")
    return root


def test_the_documents_of_a_folder_are_classified_and_what_is_none_is_named(
    run: Run, deployment: Deployment, folder: Path
) -> None:
    ran = run("classify", "post")
    assert ran.code == 0
    assert [line.split() for line in ran.out.splitlines()] == [
        ["post/a.pdf", "1-2", "invoice"],
        ["post/a.pdf", "3", "letter"],
        ["post/march/=b.pdf", "1-2", "invoice"],
        ["post/march/=b.pdf", "3", "letter"],
    ]
    assert "Not classified: post/notes.txt" in ran.err
    assert ran.err.endswith("2 of 2 documents were classified, 0 failed.\n")


def test_results_go_to_csv_and_json_lines_as_they_come(run: Run, deployment: Deployment, folder: Path) -> None:
    ran = run("classify", "post/a.pdf", "post/march/=b.pdf", "--csv", "out.csv", "--jsonl", "-")
    assert ran.code == 0
    lines = [json.loads(line) for line in ran.out.splitlines()]
    assert [(line["path"], line["status"], len(line["pages"])) for line in lines] == [
        ("post/a.pdf", "COMPLETED", 3),
        ("post/march/=b.pdf", "COMPLETED", 3),
    ]
    rows = list(csv.DictReader(Path("out.csv").read_text(encoding="utf-8").splitlines()))
    assert [(row["document"], row["class"], row["start_page"], row["end_page"]) for row in rows] == [
        ("post/a.pdf", "invoice", "1", "2"),
        ("post/a.pdf", "letter", "3", "3"),
        ("post/march/=b.pdf", "invoice", "1", "2"),
        ("post/march/=b.pdf", "letter", "3", "3"),
    ]


def test_one_that_fails_does_not_end_the_rest_and_the_command_fails(
    run: Run, deployment: Deployment, folder: Path
) -> None:
    answer = deployment.fields["getClassification"]({})
    failed = answer | {"status": "FAILED", "pages": [], "sections": [], "errorMessage": "The PDF is encrypted."}
    answers = iter([failed, answer])
    deployment.fields["getClassification"] = lambda given: next(answers)
    Path("empty.pdf").write_bytes(b"")
    ran = run("classify", "empty.pdf", "post", "--csv", "-")
    assert ran.code == 1
    rows = list(csv.DictReader(ran.out.splitlines()))
    assert [(row["document"], row["status"]) for row in rows] == [
        ("empty.pdf", "FAILED"),
        ("post/a.pdf", "FAILED"),
        ("post/march/=b.pdf", "COMPLETED"),
        ("post/march/=b.pdf", "COMPLETED"),
    ]
    assert rows[1]["error"] == "The PDF is encrypted."
    assert "post/a.pdf: The PDF is encrypted." in ran.err
    assert "1 of 3 documents were classified, 2 failed." in ran.err


def test_what_concerns_all_documents_ends_the_command_and_says_how_many_are_left(
    run: Run, deployment: Deployment, folder: Path
) -> None:
    def refuse(_: object) -> object:
        raise Refused("ConfigVersionNotFound", "There is no such version.")

    deployment.fields["startClassification"] = refuse
    ran = run("classify", "post", "--csv", "out.csv", "--config-version", "none")
    assert ran.code != 0
    assert "2 documents are left. Name them again to go on." in ran.err
    assert Path("out.csv").read_text(encoding="utf-8").count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("classify",), "Give either PATH"),
        (("classify", "post", "--page-text", "notes.txt"), "--page-text is for one document alone"),
        (("classify", "post", "--csv", "-", "--jsonl", "-"), "Only one of --json, --csv and --jsonl"),
        (("classify", "post", "--json", "--csv", "-"), "Only one of --json, --csv and --jsonl"),
        (("classify", "nowhere.pdf", "post"), "'nowhere.pdf' is neither a file nor a folder"),
    ],
)
def test_wrong_combinations_are_named(
    run: Run, deployment: Deployment, folder: Path, arguments: tuple[str, ...], said: str
) -> None:
    ran = run(*arguments)
    assert ran.code in (1, 2)
    assert said in ran.err


def test_what_was_written_stays_if_the_command_is_interrupted(run: Run, deployment: Deployment, folder: Path) -> None:
    start = deployment.fields["startClassification"]
    started: list[object] = []

    def interrupt_the_second(given: dict[str, Any]) -> object:
        started.append(given)
        if len(started) == 2:
            raise KeyboardInterrupt
        return start(given)

    deployment.fields["startClassification"] = interrupt_the_second
    ran = run("classify", "post", "--csv", "out.csv")
    assert ran.code == 130
    rows = list(csv.DictReader(Path("out.csv").read_text(encoding="utf-8").splitlines()))
    assert [row["document"] for row in rows] == ["post/a.pdf", "post/a.pdf"]
    assert "Interrupted: 1 of 2 documents were classified." in ran.err
