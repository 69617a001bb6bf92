"""Compiles the Lambda bundles with a Python of Lambda's version, if the machine has one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

COMPILER_VARIABLE = "LAMBDA_PYTHON"  # may name an interpreter
_LAMBDA_ROOT = "/var/task"  # where Lambda unpacks a bundle
_VERSION = "import sys; print(sys.version.replace(chr(10), ' '))"


@dataclass(frozen=True)
class Compiler:
    """A Python interpreter, and what its `sys.version` says."""

    interpreter: str
    version: str

    def compile(self, folder: Path, bundle: Path) -> None:
        """Write the bytecode of all modules in a folder of the bundle.

        It is never checked against the source: CDK dates all files of a zip 1980, so a time stamp would always be
        wrong, and to check a hash Python reads the source. The code names its files as they are in Lambda: equal
        sources make equal bytecode on every machine.
        """
        subprocess.run(
            [
                *(self.interpreter, "-m", "compileall", "-q", "-f", "--invalidation-mode", "unchecked-hash"),
                *("-s", str(bundle), "-p", _LAMBDA_ROOT, str(folder)),
            ],
            check=True,
            env={**os.environ, "PYTHONHASHSEED": "0"},
        )


def find_compiler(version: str) -> Compiler | None:
    """Return a Python of this version, for example 3.13, or None if there is none."""
    for candidate in _candidates(version):
        try:
            asked = subprocess.run([candidate, "-c", _VERSION], capture_output=True, text=True, check=True)
        except (OSError, subprocess.CalledProcessError):
            continue  # for example a shim of a version that is not selected
        if asked.stdout.startswith(f"{version}."):
            return Compiler(candidate, asked.stdout.strip())
    return None


def _candidates(version: str) -> Iterator[str]:
    if named := os.environ.get(COMPILER_VARIABLE):
        yield named
        return
    yield sys.executable
    if found := shutil.which(f"python{version}"):
        yield found
    home = Path.home()
    for pattern in (f".pyenv/versions/{version}*/bin/python", f".local/share/uv/python/cpython-{version}*/bin/python3"):
        yield from map(str, sorted(home.glob(pattern), reverse=True))
