"""`finetuning evaluation`, `evaluate` and `gate`: files, exit codes, and what is said of each end."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from idp_cli.evaluation_page import evaluation_page
from idp_finetuning.evaluation.gate import judge_gate
from tests.idp_cli.conftest import Run
from tests.support.cli import samples
from tests.support.cli.deployment import Deployment
from tests.support.cli.samples import LOSSES
from tests.support.domain.evaluated import evaluation_report

JOB = ("--job-id", samples.JOB_ID)


def test_every_page_goes_into_the_csv_and_the_report_into_a_page(run: Run, tmp_path: Path) -> None:
    table, page = tmp_path / "pages.csv", tmp_path / "report.html"
    ran = run("finetuning", "evaluation", *JOB, "--csv", str(table), "--html", str(page))
    assert ran.code == 0, ran.err
    header, first, *others = csv.reader(table.open(encoding="utf-8"))
    assert header[:6] == ["document", "page", "label", "label, boundary", "custom model", "custom model, boundary"]
    assert first[:7] == ["invoice/0.pdf", "1", "invoice", "start", "letter", "start", "invoice"]
    assert len(others) == 11
    assert page.read_text("utf-8") == evaluation_page(evaluation_report(), losses=LOSSES)


def test_every_page_is_a_line_of_json_with_all_answers(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "pages.jsonl"
    ran = run("finetuning", "evaluation", *JOB, "--jsonl", str(file))
    assert ran.code == 0, ran.err
    first, *others = map(json.loads, file.read_text("utf-8").splitlines())
    assert (first["path"], first["page"], first["label"]) == ("invoice/0.pdf", 1, "invoice")
    assert first["answers"][0] == {
        "kind": "CUSTOM_MODEL",
        "name": "the custom model",
        "className": "letter",
        "boundary": "start",
    }
    assert len(others) == 11


def test_pages_on_stdout_come_without_the_report(run: Run) -> None:
    lines = run("finetuning", "evaluation", *JOB, "--jsonl", "-").out.splitlines()
    assert json.loads(lines[0])["path"] == "invoice/0.pdf"
    assert len(lines) == 12
    rows = list(csv.reader(run("finetuning", "evaluation", *JOB, "--csv", "-").out.splitlines()))
    assert len(rows) == 13


@pytest.mark.parametrize("others", [("--csv", "-"), ("--json",)])
def test_stdout_is_for_one_of_them(run: Run, others: tuple[str, ...]) -> None:
    ran = run("finetuning", "evaluation", *JOB, "--jsonl", "-", *others)
    assert ran.code == 2
    assert "Only one of --json, --csv and --jsonl" in ran.err


@pytest.mark.parametrize("option", ["--csv", "--jsonl", "--html"])
def test_a_file_that_cannot_be_written_is_named(run: Run, tmp_path: Path, option: str) -> None:
    ran = run("finetuning", "evaluation", *JOB, option, str(tmp_path / "no folder" / "file"))
    assert ran.code == 1
    assert "cannot be written" in ran.err


@pytest.mark.parametrize(("status", "code"), [("COMPLETED", 0), ("FAILED", 1)])
def test_waiting_ends_with_the_evaluation(run: Run, deployment: Deployment, status: str, code: int) -> None:
    running = samples.completed_job(evaluation=samples.evaluation(status="RUNNING"))
    failed = {"sentence": None, "errorMessage": "The model is gone."} if status == "FAILED" else {}
    ended = samples.completed_job(evaluation=samples.evaluation(status=status, **failed))
    states = iter([running, running])
    deployment.fields["getFinetuningJob"] = lambda given: next(states, ended)
    ran = run("finetuning", "evaluate", *JOB, "--wait", "--interval", "0.1")
    assert ran.code == code
    assert ran.out.splitlines()[0] == f"Evaluation 1 of job {samples.JOB_ID} is {status}."
    assert ran.out.splitlines()[1] == ("It failed: The model is gone." if code else evaluation_report().sentence)


@pytest.mark.parametrize(("gain", "code"), [("20", 0), ("21", 1)])
def test_the_gate_is_an_exit_code_and_names_what_it_could_not_judge(run: Run, gain: str, code: int) -> None:
    ran = run("finetuning", "gate", *JOB, "--minimum-gain", gain, "--maximum-loss-per-class", "0")
    assert ran.code == code, ran.err
    assert ran.out.startswith("Passed: No" if code else "Passed: Yes")
    assert ran.out.endswith("Not judged, with fewer than ten held-out pages: invoice, letter\n")
    expected = judge_gate(evaluation_report(), minimum_gain=int(gain) / 100, maximum_loss_per_class=0)
    assert expected.passed == (code == 0)


def test_a_validation_for_a_base_model_says_what_can_be_proven(run: Run) -> None:
    words = "What the Held-Out Documents Can Prove:"
    ran = run("finetuning", "validate", "--test-set", "docsplit", "--base-model", "us.amazon.nova-pro-v1:0")
    assert words in ran.out
    assert "  With 15: a gain of 48 points or more\n  For 10 points: 149 documents; for 5: 620\n" in ran.out
    assert words not in run("finetuning", "validate", "--test-set", "docsplit").out
