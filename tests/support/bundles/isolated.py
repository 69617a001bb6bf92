"""Runs a bundled function as Lambda does: AWS's runtime interface client, and nothing else of this machine."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Mapping
from importlib.metadata import distribution
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from idp_finetuning.deployment import FunctionSpec
from idp_local.aws.names import PREFIX
from idp_local.environment import ACCOUNT_ID, REGION
from tests.support.bundles.runtime_api import Outcome, RuntimeApi

RUNTIME_CLIENT = "awslambdaric"
START_AND_ANSWER_SECONDS = 60

# -I and -S leave Python nothing but its standard library; both folders stand before that, as in Lambda.
_SERVE = """
import sys
sys.path[:0] = sys.argv[1:3]
from awslambdaric.__main__ import main
main(["awslambdaric", sys.argv[3]])
"""


def link_runtime_client(folder: Path) -> Path:
    """Fills a folder with links to the runtime interface client and its own dependencies, and nothing else."""
    waiting, seen = [RUNTIME_CLIENT], set()
    while waiting:
        package = waiting.pop()
        if package in seen:
            continue
        seen.add(package)
        found = distribution(package)
        for name in {file.parts[0] for file in found.files or ()}:
            if name not in ("..", "__pycache__"):
                (folder / name).symlink_to(Path(str(found.locate_file(name))))
        waiting += [re.split(r"[^\w.-]", needed)[0] for needed in found.requires or () if "extra ==" not in needed]
    return folder


def isolated_python(cache: Path, program: str, *arguments: str) -> list[str]:
    """Command line of a program that sees no installed package; compiled code goes to `cache`, not into bundles."""
    return [sys.executable, "-I", "-S", "-X", f"pycache_prefix={cache}", "-c", program, *arguments]


class BundledFunction:
    """One function in a process of its own that lives from the first event to the end of the `with` block."""

    def __init__(
        self,
        spec: FunctionSpec,
        *,
        bundle: Path,
        client: Path,
        variables: Mapping[str, str],
        folder: Path,
    ) -> None:
        self.spec = spec
        self._arguments = (str(bundle), str(client), spec.handler)
        self._bundle = bundle
        self._variables = variables
        self._cache = folder / "compiled"
        self._log = folder / f"{spec.module}.log"
        self._api = RuntimeApi()

    def __enter__(self) -> Self:
        self._api.__enter__()
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                isolated_python(self._cache, _SERVE, *self._arguments),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self._bundle,
                env={**self._lambdas_own(), **self._variables},
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        self._api.__exit__(kind, error, trace)

    @property
    def log(self) -> str:
        """Return everything that it has written to stdout and stderr."""
        return self._log.read_text(encoding="utf-8")

    def invoke(self, event: Any) -> Outcome:
        """Return the outcome of an event. Raises AssertionError with the log if there is none."""
        deadline = time.monotonic() + START_AND_ANSWER_SECONDS
        outcome = self._api.invoke(event, function_arn=self._arn, timeout_seconds=self.spec.timeout_seconds)
        while outcome is None:
            assert self._process.poll() is None, f"{self.spec.name} ended without an answer:\n{self.log}"
            assert time.monotonic() < deadline, f"{self.spec.name} does not answer:\n{self.log}"
            outcome = self._api.outcome()
        return outcome

    @property
    def _arn(self) -> str:
        return f"arn:aws:lambda:{REGION}:{ACCOUNT_ID}:function:{self.spec.function_name(PREFIX)}"

    def _lambdas_own(self) -> dict[str, str]:
        """Return the variables that Lambda itself sets (Lambda guide, "Defined runtime environment variables")."""
        name = self.spec.function_name(PREFIX)
        return {
            "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(self.spec.memory_mb),
            "AWS_LAMBDA_FUNCTION_NAME": name,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_FORMAT": "JSON",
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{name}",
            "AWS_LAMBDA_LOG_LEVEL": "INFO",
            "AWS_LAMBDA_LOG_STREAM_NAME": "2026/11/22/[$LATEST]0123456789abcdef",
            "AWS_LAMBDA_RUNTIME_API": self._api.address,
            "LAMBDA_RUNTIME_DIR": self._arguments[1],
            "LAMBDA_TASK_ROOT": str(self._bundle),
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            "_HANDLER": self.spec.handler,
        }
