"""What keeps a deployment from AWS is said before anything is built."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import boto3
import pytest

from stacks.credentials import NONE, find_problem

ROOT = Path(__file__).resolve().parents[2]


def test_credentials_that_are_there_are_no_problem() -> None:
    session = boto3.Session(aws_access_key_id="AKIAEXAMPLE", aws_secret_access_key="x")
    assert find_problem(session) is None


@pytest.mark.parametrize(
    ("variables", "said"),
    [({}, NONE), ({"AWS_PROFILE": "nobody"}, "The AWS credentials cannot be used: The config profile (nobody)")],
)
def test_without_them_the_command_ends_with_a_sentence(tmp_path: Path, variables: dict[str, str], said: str) -> None:
    nothing = str(tmp_path / "none")
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
        **{"AWS_CONFIG_FILE": nothing, "AWS_SHARED_CREDENTIALS_FILE": nothing, "AWS_EC2_METADATA_DISABLED": "true"},
        **variables,
    }
    ran = subprocess.run(
        [sys.executable, "-m", "stacks.credentials"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 1
    assert ran.stderr.startswith(said)
