"""Options of the fine-tuning commands reach the API under its names."""

from __future__ import annotations

import io
import json

import click
import pytest

from idp_cli.api_names import OPTION_OF
from idp_cli.commands.finetuning import create
from idp_finetuning.nova.base_models import base_models
from tests.idp_cli.conftest import Run
from tests.support.cli import samples
from tests.support.cli.deployment import Deployment


def test_only_what_is_given_is_sent(run: Run, deployment: Deployment) -> None:
    assert run("finetuning", "create", "--test-set", "s", "--base-model", "m", "--name", "n").code == 0
    sent = deployment.called("createFinetuningJob")["input"]
    assert sent.pop("clientToken")
    assert sent == {"testSetId": "s", "baseModel": "m", "jobName": "n"}


def test_every_option_of_create_is_sent(run: Run, deployment: Deployment) -> None:
    hyper_parameters = "--epochs 3 --batch-size 1 --learning-rate 2e-5 --warmup-steps 0"
    options = f"--train-split 0.8 --config-version v --repeat 2 {hyper_parameters}"
    words = ("finetuning", "create", "--test-set", "s", "--base-model", "m", "--name", "n", *options.split())
    assert run(*words).code == 0
    sent = deployment.called("createFinetuningJob")["input"]
    assert (sent["trainSplit"], sent["configVersion"], sent["repeat"]) == (0.8, "v", 2)
    assert sent["hyperParameters"] == {
        "epochCount": 3,
        "batchSize": 1,
        "learningRate": 2e-5,
        "learningRateWarmupSteps": 0,
    }


def test_help_of_create_shows_the_ranges_and_defaults_of_the_catalogue() -> None:
    options = {name: option for option in create.params for name in option.opts}
    for model in base_models():
        for item in model.hyper_parameters:
            option = options[OPTION_OF[item.name]]
            assert isinstance(option, click.Option)
            text = option.help or ""
            assert f"{item.range} (default: {item.default:g}" in text
            assert "All models." in text or f"{model.short_name.rpartition(' ')[0]}." in text
            assert item.sent or "only sent if given" in text


def test_warnings_of_a_new_job_are_on_stderr(run: Run, deployment: Deployment) -> None:
    warning = "Nova Lite v1 is LEGACY in Bedrock."
    deployment.fields["createFinetuningJob"] = lambda given: samples.job(status="VALIDATING", warnings=[warning])
    ran = run("finetuning", "create", "--test-set", "s", "--base-model", "m", "--name", "n")
    assert ran.err == f"Warning: {warning}\n"
    assert warning not in ran.out


@pytest.mark.parametrize("word", ["nan", "inf"])
def test_numbers_that_are_none_are_refused_before_anything_is_sent(run: Run, deployment: Deployment, word: str) -> None:
    ran = run(
        "finetuning", "create", "--test-set", "a", "--base-model", "b", "--name", "c", "--wait", "--interval", word
    )
    assert (ran.code, "give a number of seconds" in ran.err) == (2, True)
    ran = run("finetuning", "validate", "--test-set", "a", "--train-split", word)
    assert ran.code == 2
    assert ran.err.startswith("Error: --train-split is ")
    assert deployment.calls == []


def test_a_validation_names_model_and_split(run: Run, deployment: Deployment) -> None:
    assert run("finetuning", "validate", "--test-set", "s", "--base-model", "m", "--train-split", "0.8").code == 0
    assert deployment.called("validateTestSetForFinetuning") == {
        "testSetId": "s",
        "baseModel": "m",
        "trainSplit": 0.8,
        "repeat": None,
    }


def test_the_status_of_a_job_with_many_warnings_fits_on_a_screen(run: Run, deployment: Deployment) -> None:
    deployment.fields["getFinetuningJob"] = lambda given: samples.completed_job(warnings=[f"w{n}." for n in range(99)])
    words = ("finetuning", "status", "--job-id", samples.JOB_ID)
    assert run(*words).out.endswith("    - w9.\n    - and 89 more; --json shows all of them\n")
    assert len(json.loads(run("--json", *words).out)["warnings"]) == 99


def test_shared_options_may_stand_before_and_after_the_command(run: Run) -> None:
    assert run("--json", "finetuning", "list").out == run("finetuning", "list", "--json").out
    before, after = run("--profile", "x", "whoami"), run("whoami", "--profile", "x")
    assert before == after
    assert "profile 'x'" in before.err


@pytest.mark.parametrize(
    ("status", "answer", "words", "code", "deleted"),
    [
        ("COMPLETED", "y\n", (), 0, True),
        ("COMPLETED", "n\n", (), 0, False),
        ("COMPLETED", "", ("--yes",), 0, True),
        ("FAILED", "", (), 0, True),
    ],
)
def test_a_completed_job_is_deleted_on_a_terminal_once_that_is_confirmed(
    run: Run,
    deployment: Deployment,
    monkeypatch: pytest.MonkeyPatch,
    status: str,
    answer: str,
    words: tuple[str, ...],
    code: int,
    deleted: bool,
) -> None:
    deployment.fields["getFinetuningJob"] = lambda given: samples.job(status=status)
    terminal = io.StringIO(answer)
    monkeypatch.setattr(terminal, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("sys.stdin", terminal)
    ran = run("finetuning", "delete", "--job-id", samples.JOB_ID, *words)
    assert ran.code == code
    assert ("deleteFinetuningJob" in [field for field, _ in deployment.calls]) is deleted
    assert ("Its model was paid for" in ran.err) is bool(answer)
    assert ("Nothing was removed." in ran.err) is not deleted


def test_a_script_deletes_without_a_question(run: Run, deployment: Deployment) -> None:
    """As the guide's command line does."""
    assert run("finetuning", "delete", "--job-id", samples.JOB_ID).code == 0
