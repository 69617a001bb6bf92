"""Configuration versions from files; what is wrong with a file is said before anything is sent."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.idp_cli.conftest import Run
from tests.support.cli import samples
from tests.support.cli.deployment import Deployment


def test_prompts_and_classes_come_from_files(run: Run, deployment: Deployment) -> None:
    Path("task.txt").write_text("Über {DOCUMENT_IMAGE}\n", encoding="utf-8")
    Path("classes.json").write_text(json.dumps([{"name": "a", "description": "A."}, {"name": "b"}]))
    words: tuple[str, ...] = ("--task-prompt", "task.txt", "--classes", "classes.json", "--temperature", "0.5")
    words += ("--model", "my-classifier")
    assert run("config-version", "create", "invoices", "--from-job", "j", *words).code == 0
    sent = deployment.called("createConfigVersion")["input"]
    assert sent == {
        "name": "invoices",
        "fromJob": "j",
        "classification": {
            "model": "arn:my-classifier",
            "taskPrompt": "Über {DOCUMENT_IMAGE}\n",
            "temperature": 0.5,
            "classes": [{"name": "a", "description": "A."}, {"name": "b", "description": ""}],
        },
    }


def test_an_update_sends_what_is_given_and_the_present_revision(run: Run, deployment: Deployment) -> None:
    assert run("config-version", "update", "invoices", "--description", "new").code == 0
    sent = deployment.called("updateConfigVersion")["input"]
    assert sent == {"name": "invoices", "revision": 1, "description": "new"}


def test_an_empty_list_of_classes_removes_them(run: Run, deployment: Deployment) -> None:
    Path("classes.json").write_text("[]")
    assert run("config-version", "update", "invoices", "--classes", "classes.json").code == 0
    assert deployment.called("updateConfigVersion")["input"]["classification"] == {"classes": []}


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{}",
        '["a"]',
        '[{"description": "no name"}]',
        '[{"name": 1}]',
        '[{"name": NaN}]',
        "[" * 5000,
        "[" + "9" * 5000 + "]",
    ],
)
def test_a_file_of_classes_that_is_none_is_named(run: Run, deployment: Deployment, content: str) -> None:
    Path("classes.json").write_text(content)
    ran = run("config-version", "update", "invoices", "--classes", "classes.json")
    assert ran.code == 1
    assert ran.err.startswith("Error: 'classes.json' is not a JSON list of classes.")
    assert deployment.calls == []


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_files_of_notepad_and_powershell_are_read(run: Run, deployment: Deployment, encoding: str) -> None:
    Path("task.txt").write_text("Über {DOCUMENT_IMAGE}\r\n", encoding=encoding, newline="")
    Path("classes.json").write_text('[{"name": "Größe"}]', encoding=encoding)
    assert run("config-version", "create", "v", "--task-prompt", "task.txt", "--classes", "classes.json").code == 0
    assert deployment.called("createConfigVersion")["input"]["classification"] == {
        "taskPrompt": "Über {DOCUMENT_IMAGE}\n",
        "classes": [{"name": "Größe", "description": ""}],
    }


def test_an_unknown_member_of_a_class_is_named_with_the_one_that_was_meant(run: Run, deployment: Deployment) -> None:
    Path("classes.json").write_text('[{"name": "a"}, {"name": "b", "desc": "B."}]')
    ran = run("config-version", "create", "v", "--classes", "classes.json")
    assert ran.code == 1
    assert ran.err == "Error: In entry 2 of 'classes.json', a class has no 'desc'. Did you mean 'description'?\n"
    assert deployment.calls == []


@pytest.mark.parametrize("word", ["\\ud800", "\\udfff"])
def test_half_a_character_in_a_file_is_named(run: Run, deployment: Deployment, word: str) -> None:
    Path("classes.json").write_text(f'[{{"name": "{word}"}}]')
    ran = run("config-version", "create", "v", "--classes", "classes.json")
    assert ran.err == "Error: --classes.0.name has characters that are not UTF-8. Correct it.\n"
    assert deployment.calls == []


def test_a_prompt_that_cannot_be_read_is_named(run: Run, deployment: Deployment) -> None:
    Path("binary").write_bytes(b"\xff\xfe\x00")
    Path("folder").mkdir()
    for file, reason in (("missing", "No such file"), ("binary", "not text in UTF-8"), ("folder", "Is a directory")):
        ran = run("config-version", "create", "invoices", "--system-prompt", file)
        assert ran.code == 2
        assert f"'{file}'" in ran.err
        assert reason in ran.err
    assert deployment.calls == []


def test_warnings_of_a_change_are_told_on_stderr(run: Run, deployment: Deployment) -> None:
    warned = samples.config_version(warnings=["The task prompt is not the one the model was trained with."])
    deployment.fields["updateConfigVersion"] = lambda given: warned
    ran = run("config-version", "update", "invoices", "--temperature", "0")
    assert ran.err == "Warning: The task prompt is not the one the model was trained with.\n"


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("nobody", "there is no model 'nobody'. `idp-cli models list` shows those there are."),
        ("twice", "2 models have the name 'twice'. Give the id of one: arn:1, arn:2."),
    ],
)
def test_a_model_that_is_not_the_only_one_of_its_name_is_wrong_usage(
    run: Run, deployment: Deployment, model: str, said: str
) -> None:
    found = samples.models()
    found["customModels"] = [{**found["customModels"][0], "id": f"arn:{n}", "name": "twice"} for n in (1, 2)]
    deployment.fields["listAvailableModels"] = lambda given: found
    ran = run("config-version", "create", "v", "--model", model)
    assert ran.code == 2
    assert said in ran.err
    assert "createConfigVersion" not in [field for field, _ in deployment.calls]


@pytest.mark.parametrize(
    ("given", "sent"), [("Nova Pro v1", "us.amazon.nova-pro-v1:0"), ("docsplit-v2", "arn:docsplit-v2")]
)
def test_a_model_is_named_as_the_list_shows_it(run: Run, deployment: Deployment, given: str, sent: str) -> None:
    assert run("config-version", "create", "v", "--model", given).code == 0
    assert deployment.called("createConfigVersion")["input"]["classification"]["model"] == sent
