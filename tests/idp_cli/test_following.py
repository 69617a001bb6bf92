"""A job is followed line by line away from a terminal, and in place on one."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest

from idp_cli.main import main
from idp_cli.session import Session
from tests.idp_cli.conftest import Run, configure
from tests.support.cli import samples
from tests.support.cli.deployment import Deployment

WATCH = ("finetuning", "status", "--job-id", samples.JOB_ID, "--watch", "--interval", "0.1")


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def moving(*jobs: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The job at each look at it; the last for ever."""
    yield from jobs
    while True:
        yield jobs[-1]


@pytest.fixture
def course(deployment: Deployment) -> None:
    """A job that is seen twice in TRAINING and has ended then."""
    begun = samples.job(trainingMetrics=None, documents=None, updatedAt="2024-01-15T10:05:01.000Z")
    jobs = moving(begun, begun, samples.job(), samples.completed_job())
    deployment.fields["getFinetuningJob"] = lambda given: next(jobs)


def test_away_from_a_terminal_there_is_a_line_for_each_change(run: Run, course: None) -> None:
    ran = run(*WATCH)
    assert ran.code == 0
    documents = "150 found, 135 to train, 15 held out, 0 rejected"
    assert ran.err.splitlines() == [
        "0:05:01  TRAINING",
        f"0:07:30  TRAINING         training 0.05, validation 0.08  {documents}",
        f"1:15:00  COMPLETED        training 0.05, validation 0.08  {documents}",
    ]
    assert ran.out.startswith("Fine-Tuning Job Status:")
    assert "\x1b" not in ran.out + ran.err


def test_on_a_terminal_the_picture_is_drawn_in_place_and_taken_away(
    run: Run, course: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    assert run(*WATCH).code == 0
    drawn = terminal.getvalue()
    assert "\x1b[1A" in drawn  # back to the line above
    for part in ("my-classifier", "[TRAINING]", "Elapsed", "150 found", "training 0.05, validation 0.08"):
        assert part in drawn


def test_with_json_only_the_ended_job_is_on_stdout(run: Run, course: None) -> None:
    ran = run("finetuning", "create", "--test-set", "s", "--base-model", "m", "--name", "n", "--wait", "--json")
    assert ran.code == 0
    assert json.loads(ran.out)["status"] == "COMPLETED"
    assert ran.err.startswith(f"Job ID: {samples.JOB_ID}\n")


@pytest.mark.parametrize("status", ["FAILED", "STOPPED"])
def test_a_watched_job_that_is_not_completed_is_exit_code_1(run: Run, deployment: Deployment, status: str) -> None:
    job = samples.job(status=status, errorStage="TRAINING", errorMessage="Training failed: no quota.")
    deployment.fields["getFinetuningJob"] = lambda given: job
    assert run(*WATCH).code == 1
    ran = run(*WATCH[:4])
    assert ran.code == 0
    assert "  Error in TRAINING: Training failed: no quota.\n" in ran.out


def test_a_wait_is_told(run: Run, deployment: Deployment) -> None:
    jobs = moving(samples.job(status="DEPLOYING", waitingFor="a quota"), samples.completed_job())
    deployment.fields["getFinetuningJob"] = lambda given: next(jobs)
    assert "waiting for a quota" in run(*WATCH).err
    deployment.fields["getFinetuningJob"] = lambda given: samples.job(status="DEPLOYING", waitingFor="a quota")
    assert "  Waiting For: a quota\n" in run(*WATCH[:4]).out


def test_a_loss_that_the_model_does_not_report_is_said_once_the_job_has_ended(run: Run, deployment: Deployment) -> None:
    metrics = {"trainingLoss": 0.123456, "validationLoss": None}
    deployment.fields["getFinetuningJob"] = lambda given: samples.job(trainingMetrics=metrics)
    running = run(*WATCH[:4]).out
    assert "Training Loss: 0.1235\n" in running
    assert "Validation" not in running
    deployment.fields["getFinetuningJob"] = lambda given: samples.completed_job(trainingMetrics=metrics)
    assert "Validation Loss: not reported\n" in run(*WATCH[:4]).out


def test_losses_of_a_local_runtime_come_with_what_they_are_not(
    deployment: Deployment, config: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(config)
    words = ("finetuning", "status", "--job-id", samples.JOB_ID)
    assert main(words, Session(http_client=deployment.client())) == 0
    assert capsys.readouterr().err == ""
    profiles = json.loads((config / "config.json").read_text())
    profiles["profiles"]["default"]["cognitoEndpointUrl"] = "http://127.0.0.1:4566"
    (config / "config.json").write_text(json.dumps(profiles))
    assert main(words, Session(http_client=deployment.client())) == 0
    captured = capsys.readouterr()
    assert captured.err == "(local stand-in: shows that the pipeline works, says nothing about Nova)\n"
    assert "stand-in" not in captured.out
