"""The guide's command line, block by block: its lines in its order, ids, names, times and losses substituted."""

from __future__ import annotations

import json
import re
import shlex
import time
from pathlib import Path

import pytest

from idp_cli.main import main
from idp_cli.session import STAND_IN
from tests.support.pipeline.driver import Finished, Pipeline
from tests.support.pipeline.guide import command_line

pytestmark = pytest.mark.xdist_group("pipeline")

GUIDES_JOB = "abc123-def456-..."
VARIABLE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d|(?<=Loss: )[\d.e-]+")


class CommandLine:
    """Runs the guide's commands as author@example.com."""

    def __init__(self, capture: pytest.CaptureFixture[str]) -> None:
        self.capture = capture
        self.job_id = GUIDES_JOB
        self.errors = ""

    def run(self, command: str) -> str:
        """What a command prints; it has to end well."""
        _, *words = shlex.split(command.replace(GUIDES_JOB, self.job_id))
        code = main(words)
        captured = self.capture.readouterr()
        assert code == 0, captured.err
        self.errors = captured.err
        return captured.out

    def status(self, command: str) -> str:
        """What the command prints while the job is TRAINING and both losses are there."""
        for _ in range(1200):
            output = self.run(command)
            if "Status: TRAINING" in output and "Validation Loss" in output:
                return output
            assert "Status: COMPLETED" not in output, "the losses were never seen in TRAINING"
            time.sleep(0.1)
        pytest.fail("the job did not come to TRAINING")


@pytest.fixture
def idp(
    pipeline: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> CommandLine:
    """The command line, configured and signed in."""
    connection = tmp_path / "connection.json"
    connection.write_text(json.dumps(pipeline.connection.model_dump(mode="json", by_alias=True)))
    monkeypatch.setenv("IDP_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.setenv("IDP_PASSWORD", pipeline.connection.user("author@example.com").password)
    line = CommandLine(capsys)
    line.run(f"idp-cli configure {connection}")
    line.run("idp-cli login --username author@example.com")
    return line


def test_the_guides_commands_print_the_guides_lines(
    pipeline: Pipeline, guide_set: str, packets: Finished, idp: CommandLine
) -> None:
    validate, create, status, list_jobs, delete, models = command_line()
    assert guide_set == "docsplit"
    assert idp.run(validate[0]) == validate[1]

    # A test set of ten documents is as good here as the guide's, and much quicker.
    created = idp.run(create[0].replace("docsplit", packets.test_set_id))
    idp.job_id = created.split("Job ID: ")[1].split("\n")[0]
    assert created == str(create[1]).replace(GUIDES_JOB, idp.job_id)

    shown = idp.status(status[0])
    assert STAND_IN in idp.errors
    assert VARIABLE.sub("…", shown) == VARIABLE.sub("…", str(status[1])).replace(GUIDES_JOB, idp.job_id)

    assert re.search(rf"^{idp.job_id}  .*  my-classifier$", idp.run(list_jobs[0]), re.MULTILINE)

    # The guide deletes before it lists: here the job is needed for the list.
    idp.run(f"idp-cli finetuning status --watch --interval 0.2 --job-id {GUIDES_JOB}")
    expected = str(models[1]).replace("docsplit-v2 (Nova Lite)", f"{'x' * 200} (Nova Pro)").splitlines()
    printed = idp.run(models[0]).splitlines()
    assert [line for line in printed if line in expected] == expected

    assert idp.run(delete[0]) == f"Job {idp.job_id} is being deleted, with its deployment, model and data.\n"
