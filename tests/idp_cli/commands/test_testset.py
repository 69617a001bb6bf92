"""A folder becomes a test set, and one sees how far it is and what was left out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.idp_cli.conftest import Run
from tests.idp_cli.test_following import Terminal
from tests.support.cli import samples
from tests.support.cli.deployment import Deployment

UPLOAD = ("testset", "upload", "documents", "--name", "docsplit")


@pytest.fixture(autouse=True)
def folder(config: Path, deployment: Deployment) -> Path:
    """Twenty invoices, and two files that are none."""
    root = Path("documents")
    (root / "invoice").mkdir(parents=True)
    for number in range(20):
        (root / "invoice" / f"{number}.pdf").write_text("%PDF-1.7 content")
    (root / "stray.pdf").write_text("%PDF-1.7 content")
    (root / ".hidden").write_text("%PDF-1.7 content")
    deployment.fields["completeTestSet"] = lambda given: samples.test_set(fileCount=20)
    return root


def test_files_that_are_left_out_are_named_with_their_reasons(run: Run) -> None:
    ran = run(*UPLOAD)
    assert ran.code == 0
    told = [line for line in ran.err.splitlines() if line.startswith("Not uploaded:")]
    assert sorted(told) == ["Not uploaded: .hidden (hidden)", "Not uploaded: stray.pdf (outside a class folder)"]


def test_litter_beside_documents_is_named_and_not_sent(run: Run, deployment: Deployment) -> None:
    for name in ("Thumbs.db", "notes.txt"):
        (Path("documents") / "invoice" / name).write_text("x")
    ran = run(*UPLOAD)
    assert ran.code == 0
    assert "Not uploaded: invoice/Thumbs.db (written by Windows)\n" in ran.err
    assert "Not uploaded: invoice/notes.txt (neither a PDF nor a PNG" in ran.err
    asked = [file["key"] for field, given in deployment.calls if "Uploads" in field for file in given["files"]]
    assert len(asked) == 40
    assert not [key for key in asked if "notes" in key or "Thumbs" in key]


def test_away_from_a_terminal_a_line_is_told_for_each_tenth(run: Run) -> None:
    told = [line for line in run(*UPLOAD).err.splitlines() if line.startswith("Uploaded")]
    assert 10 <= len(told) <= 11
    assert told[-1].startswith("Uploaded 40 of 40 files, ")


def test_on_a_terminal_there_is_a_bar(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    assert run(*UPLOAD).code == 0
    drawn = terminal.getvalue()
    assert "40/40 files" in drawn
    assert "━" in drawn
    assert drawn.index("Not uploaded") < drawn.index("━")


def test_ctrl_c_says_how_to_go_on(run: Run, deployment: Deployment) -> None:
    def interrupted(given: object) -> object:
        raise KeyboardInterrupt

    deployment.fields["createTestSetUploads"] = interrupted
    ran = run(*UPLOAD)
    assert ran.code == 130
    assert ran.err.endswith("Run the same command again: only what is missing is sent.\n")
    assert "completeTestSet" not in [name for name, _ in deployment.calls]


def test_a_connection_that_breaks_says_how_to_go_on_too(
    run: Run, deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("random.uniform", lambda lowest, highest: 0.0)
    begun = deployment.fields["createTestSet"]

    def last_answer(given: dict[str, Any]) -> object:
        deployment.down = True
        return begun(given)

    deployment.fields["createTestSet"] = last_answer
    ran = run(*UPLOAD)
    assert ran.code == 1
    assert "Run the same command again: only what is missing is sent.\nError: https://api.example.com" in ran.err


def test_the_description_is_sent(run: Run, deployment: Deployment) -> None:
    assert run(*UPLOAD, "--description", "of January").code == 0
    assert deployment.called("createTestSet") == {"input": {"name": "docsplit", "description": "of January"}}


def test_what_is_left_out_of_an_addition_is_named_and_the_version_shown(run: Run, deployment: Deployment) -> None:
    ran = run("testset", "add", "docsplit", "documents")
    assert ran.code == 0
    assert ran.out == "Test set 'docsplit' is version 1, with 20 documents.\n"
    assert "Not uploaded: stray.pdf (outside a class folder)" in ran.err
    assert "createTestSet" not in [field for field, _ in deployment.calls]


def test_removed_documents_are_named_by_their_paths(run: Run, deployment: Deployment) -> None:
    assert run("testset", "remove", "docsplit", "a/1.pdf", "b/2.pdf").code == 0
    assert deployment.called("removeTestSetDocuments") == {"testSetId": "docsplit", "paths": ["a/1.pdf", "b/2.pdf"]}
