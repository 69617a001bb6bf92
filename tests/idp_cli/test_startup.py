"""The command line starts quickly: nothing heavy is imported before it is needed."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

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


@pytest.mark.parametrize(
    ("script", "package", "words", "said"),
    [
        ("idp_cli.entry", "click", ["--help"], "The command line needs the package click."),
        ("idp_local.entry", "graphql", ["up"], "The local runtime needs the package graphql."),
    ],
)
def test_a_script_without_its_packages_says_which_to_install(
    tmp_path: Path, script: str, package: str, words: list[str], said: str
) -> None:
    """As after `pip install ".[sdk]"`, which brings the library alone."""
    program = f"import sys; sys.modules[{package!r}] = None; import {script} as entry; sys.exit(entry.main())"
    ran = subprocess.run(
        [sys.executable, "-c", program, *words], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr.startswith(said)
