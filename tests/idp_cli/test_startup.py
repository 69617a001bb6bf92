"""The command line starts quickly: nothing heavy is imported before it is needed."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import version

import pytest

PROGRAM = """
import json, sys
from idp_cli.main import main
code = main(json.loads(sys.argv[1]))
print(json.dumps([code, sorted({name.split(".")[0] for name in sys.modules})]), file=sys.stderr)
"""


def loaded(*words: str) -> set[str]:
    """Packages that a command loads in a process of its own."""
    ran = subprocess.run([sys.executable, "-c", PROGRAM, json.dumps(words)], capture_output=True, text=True, check=True)
    code, names = json.loads(ran.stderr.splitlines()[-1])
    assert code == 0
    return set(names)


@pytest.mark.parametrize("words", [("--help",), ("-h",), ("completion", "zsh")])
def test_help_imports_no_client_library(words: tuple[str, ...]) -> None:
    assert loaded(*words).isdisjoint({"httpx", "pydantic", "rich", "idp_sdk", "idp_finetuning", "boto3"})


@pytest.mark.parametrize(
    "words", [("finetuning", "--help"), ("testset", "upload", "--help"), ("login", "--help"), ("classify", "--help")]
)
def test_help_of_a_command_imports_no_client_library_either(words: tuple[str, ...]) -> None:
    assert loaded(*words).isdisjoint({"httpx", "pydantic", "rich", "boto3"})


def test_the_version_is_that_of_the_distribution() -> None:
    ran = subprocess.run([sys.executable, "-m", "idp_cli", "--version"], capture_output=True, text=True, check=True)
    assert ran.stdout == f"idp-cli {version('idp-finetuning')}\n"
