"""Output is data for people or programs, and nothing in it is obeyed by a terminal."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from idp_cli.output import next_step, print_json, printable, table
from idp_cli.times import format_elapsed
from tests.idp_cli.conftest import Run
from tests.support.cli import samples
from tests.support.cli.deployment import Deployment, Refused


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Мой job 🙂", "Мой job 🙂"),
        ("a\x1b[2Jb", "a\\x1b[2Jb"),
        ("a\nb", "a\\nb"),
        ("a\u202eb", "a\\u202eb"),
    ],
)
def test_what_a_terminal_would_obey_is_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_a_job_whose_name_would_clear_the_screen_does_not(run: Run, deployment: Deployment) -> None:
    deployment.fields["getFinetuningJob"] = lambda given: samples.job(jobName="a\x1b[2Jb")
    deployment.fields["listFinetuningJobs"] = lambda given: {
        "items": [samples.job(jobName="a\x1b[2Jb")],
        "nextToken": None,
    }
    for words in (("finetuning", "status", "--job-id", "j"), ("finetuning", "list"), ("finetuning", "list", "--json")):
        assert "\x1b" not in run(*words).out


def test_columns_are_as_wide_as_their_widest_cell() -> None:
    assert table([("A", "B"), ("long", "1"), ("x", "22")], right=(1,)) == ["A      B", "long   1", "x     22"]


def test_json_is_plain_ascii_where_the_stream_takes_no_more(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    print_json({"name": "ü"})
    assert '"ü"' in capsys.readouterr().out
    written = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(written, encoding="ascii"))
    print_json({"name": "ü"})
    assert b'"\\u00fc"' in written.getvalue()


def test_json_names_the_members_as_the_api_does(run: Run) -> None:
    found = json.loads(run("--json", "finetuning", "status", "--job-id", "j").out)
    assert found["jobName"] == "my-classifier"
    assert found["trainingMetrics"] == {"trainingLoss": 0.05, "validationLoss": 0.08}


def test_a_list_that_is_longer_than_its_limit_says_so(run: Run, deployment: Deployment) -> None:
    deployment.fields["listFinetuningJobs"] = lambda given: {"items": [samples.job()] * 3, "nextToken": None}
    ran = run("finetuning", "list", "--limit", "2")
    assert len(ran.out.splitlines()) == 3
    assert ran.err == "There are more; --limit 4 shows more of them.\n"
    assert run("finetuning", "list", "--limit", "3").err == ""


def test_a_list_of_jobs_shows_those_that_fit(run: Run, deployment: Deployment) -> None:
    asked: list[dict[str, object]] = []

    def answer(given: dict[str, object]) -> dict[str, object]:
        asked.append(given)
        return {"items": [], "nextToken": None}

    deployment.fields["listFinetuningJobs"] = answer
    words = ("--status", "failed", "--base-model", "m", "--test-set", "t", "--name", "Inv")
    assert run("finetuning", "list", *words).out == "No fine-tuning jobs match.\n"
    assert asked == [
        {"status": "FAILED", "baseModel": "m", "testSetId": "t", "namePrefix": "Inv", "limit": 51, "nextToken": None}
    ]
    ran = run("finetuning", "list", "--status", "broken")
    assert ran.code == 2
    assert "'broken' is no status of a job; there are VALIDATING, GENERATING_DATA" in ran.err


def test_nothing_to_list_is_a_sentence(run: Run, deployment: Deployment) -> None:
    nothing: dict[str, object] = {"items": [], "nextToken": None}
    for field in ("listFinetuningJobs", "listTestSets", "listConfigVersions", "listFinetuningJobEvents"):
        deployment.fields[field] = lambda given: nothing
    assert run("finetuning", "list").out == "No fine-tuning jobs yet.\n"
    assert "testset upload" in run("testset", "list").out
    assert run("config-version", "list").out == "No configuration version is in your scope.\n"
    assert run("finetuning", "events", "--job-id", "j").out == "No events.\n"
    assert json.loads(run("finetuning", "list", "--json").out) == []


def test_a_test_set_that_is_not_valid_is_exit_code_1_with_its_errors(run: Run, deployment: Deployment) -> None:
    verdict = samples.validation(isValid=False, errors=["Insufficient documents: 3 found, at least 10 needed."])
    deployment.fields["validateTestSetForFinetuning"] = lambda given: verdict
    ran = run("finetuning", "validate", "--test-set", "docsplit")
    assert ran.code == 1
    assert "  Valid: No\n" in ran.out
    assert ran.out.endswith("\nErrors:\n  - Insufficient documents: 3 found, at least 10 needed.\n")


def test_a_report_adds_up_and_names_classes_of_one_side_and_each_rejected_document(
    run: Run, deployment: Deployment
) -> None:
    statements = {"name": "bank_statement", "documents": 1, "pages": 10}
    found = samples.report()
    train = {"documents": 2, "pages": 12, "classes": [statements, {"name": "w2", "documents": 1, "pages": 2}]}
    held_out = {"documents": 1, "pages": 1, "classes": [{"name": "w2", "documents": 1, "pages": 1}]}
    counts = {"found": 4, "accepted": 3, "rejected": 1, "warnings": []}
    deployment.fields["getDatasetReport"] = lambda given: {**found, **counts, "train": train, "validation": held_out}
    assert run("finetuning", "report", "--job-id", "j").out.splitlines() == [
        "Data Set Report:",
        "  Documents: 4 found = 3 accepted + 1 rejected",
        "  To Train: 2 documents, 12 pages",
        "  Held Out: 1 documents, 1 pages",
        "",
        "Pages by Class:",
        "  CLASS           TO TRAIN  HELD OUT",
        "  bank_statement        10         0",
        "  w2                     2         1",
        "",
        "Held-Out Documents:",
        "  - w2/3.pdf",
        "",
        "Rejected:",
        "  - docsplit/input/w2/7.pdf: The PDF is encrypted.",
    ]


def test_a_report_names_held_out_documents_the_first_ten(run: Run, deployment: Deployment) -> None:
    shown = run("finetuning", "report", "--job-id", "j").out
    assert "\nHeld-Out Documents:\n  - w2/3.pdf\n  - and 14 more; --csv FILE has all of them\n\nRejected:\n" in shown
    held_out = samples.dataset_documents()[0]
    many = [held_out | {"path": f"w2/{n}.pdf"} for n in range(11)]
    deployment.fields["listDatasetDocuments"] = lambda given: {"items": many[: given["limit"]], "nextToken": None}
    shown = run("finetuning", "report", "--job-id", "j").out
    assert "  - w2/9.pdf\n  - and 5 more; --csv FILE has all of them\n" in shown


def test_a_report_without_a_list_of_documents_is_shown_without_it(run: Run, deployment: Deployment) -> None:
    def refuse(given: dict[str, Any]) -> Any:
        raise Refused("Conflict", "There is no list.")

    deployment.fields["listDatasetDocuments"] = refuse
    assert "Held-Out Documents" not in run("finetuning", "report", "--job-id", "j").out
    ran = run("finetuning", "report", "--job-id", "j", "--csv", "unused.csv")
    assert (ran.code, ran.out) == (1, "")


def test_a_report_as_csv_has_every_document(run: Run, deployment: Deployment, tmp_path: Path) -> None:
    packet = {"path": "ä, b.pdf", "side": "train", "classes": ["w2", "memo"], "pages": 3, "code": None, "reason": None}
    listed = [*samples.dataset_documents(), packet]
    deployment.fields["listDatasetDocuments"] = lambda given: {"items": listed, "nextToken": None}
    file = tmp_path / "documents.csv"
    ran = run("finetuning", "report", "--job-id", "j", "--csv", str(file))
    assert ran.err == f"4 documents are in {file}.\n"
    assert ran.out.startswith("Data Set Report:\n")
    with file.open(encoding="utf-8", newline="") as stream:
        assert list(csv.reader(stream)) == [
            ["document", "side", "classes", "pages", "rejected", "reason"],
            ["w2/3.pdf", "validation", "w2", "2", "", ""],
            ["w2/1.pdf", "train", "w2", "2", "", ""],
            ["w2/7.pdf", "train", "w2", "", "encrypted", "The PDF is encrypted."],
            ["ä, b.pdf", "train", "w2\nmemo", "3", "", ""],
        ]
    ran = run("finetuning", "report", "--job-id", "j", "--csv", str(tmp_path / "absent" / "a.csv"))
    assert "cannot be written: No such file or directory" in ran.err


def test_a_report_shows_repeated_pages_and_what_bedrock_counted(run: Run, deployment: Deployment) -> None:
    counted = {"fileName": "train.jsonl", "total": 500, "accepted": 497, "partiallyAccepted": 1, "rejected": 2}
    found = samples.report() | {"repeat": 2, "bedrockRecords": [counted], "rejectedDocuments": [], "warnings": []}
    deployment.fields["getDatasetReport"] = lambda given: found
    shown = run("finetuning", "report", "--job-id", "j").out
    assert "  To Train: 134 documents, 250 pages, each 2 times\n" in shown
    assert shown.endswith(
        "\nRecords by Bedrock's Count:\n"
        "  FILE         RECORDS  ACCEPTED  IN PART  REJECTED\n"
        "  train.jsonl      500       497        1         2\n"
    )


def test_a_classification_that_failed_is_exit_code_1_with_its_error(run: Run, deployment: Deployment) -> None:
    failed = samples.classification(status="FAILED", pages=[], sections=[], errorMessage="The PDF is encrypted.")
    deployment.fields["startClassification"] = lambda given: failed
    ran = run("classify", "--test-set", "docsplit", "--document", "1.pdf")
    assert ran.code == 1
    assert "Error: The PDF is encrypted.\n" in ran.out


def test_a_model_the_account_is_not_offered_is_a_remark(run: Run, deployment: Deployment) -> None:
    models = samples.models()
    models["baseModels"][1]["offered"] = False
    deployment.fields["listAvailableModels"] = lambda given: models | {"customModels": []}
    ran = run("models", "list")
    assert (
        ran.err == "This account is not offered us.amazon.nova-2-pro-v1:0 for fine-tuning. Choose another base model.\n"
    )
    assert ran.out.endswith("Custom Models:\n  (none)\n")


def test_a_model_near_its_end_of_life_is_a_remark(run: Run, deployment: Deployment) -> None:
    models = samples.models()
    models["baseModels"][2]["lifecycle"] = {"status": "LEGACY", "endOfLife": None}
    before = run("models", "list")
    deployment.fields["listAvailableModels"] = lambda given: models
    ran = run("models", "list")
    assert ran.err.startswith("Nova Lite v1 is LEGACY in Bedrock.")
    assert (before.err, ran.out) == ("", before.out)


def test_times_are_hours_minutes_and_seconds() -> None:
    from datetime import UTC, datetime, timedelta

    begun = datetime(2024, 1, 15, 10, tzinfo=UTC)
    assert format_elapsed(begun, begun + timedelta(hours=30, minutes=5, seconds=7.9)) == "30:05:07"
    assert format_elapsed(begun, begun - timedelta(seconds=1)) == "0:00:00"


def test_json_has_no_character_that_a_terminal_obeys_and_means_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    value = {"name": "Мой 🙂 \u202e\x7f\u0085\u2028 \x1b[2J"}
    print_json(value)
    printed = capsys.readouterr().out
    assert json.loads(printed) == value
    assert "Мой 🙂" in printed
    assert all(character.isprintable() or character == "\n" for character in printed)


def test_on_a_terminal_the_widest_columns_are_cut_and_the_first_is_whole() -> None:
    rows = [("ID", "NAME", "STATUS"), ("6f1c2b1e-0000-4000-8000-000000000001", "a long name " * 10, "COMPLETED")]
    lines = table(rows, columns=80)
    assert max(map(len, lines)) <= 80
    assert lines[1].startswith(rows[1][0])
    assert "…  COMPLETED" in lines[1]
    assert table(rows) == table(rows, columns=1000)  # what is piped is not cut


def test_wide_characters_take_two_columns() -> None:
    lines = table([("請求書", "x"), ("ab", "y")])
    assert lines == ["請求書  x", "ab      y"]


def test_the_next_step_is_for_people_at_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    next_step("idp-cli models list")
    assert capsys.readouterr() == ("", "")
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    next_step("idp-cli models list")
    assert capsys.readouterr() == ("", "Next: idp-cli models list\n")
