"""One local runtime a session, whose functions are the small ones of fake_lambdas."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from idp_finetuning.deployment import FUNCTIONS
from idp_local.aws.names import function_name
from idp_local.runtime import LocalRuntime

Events = Callable[[str], list[dict[str, Any]]]


@pytest.fixture(scope="session")
def handler_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a `lambdas` package: a module a function."""
    root = tmp_path_factory.mktemp("handlers")
    shutil.copy(Path(__file__).parents[1] / "support/local/fake_lambdas.py", root)
    (root / "lambdas").mkdir()
    (root / "lambdas/__init__.py").touch()
    for spec in FUNCTIONS:
        text = f"from fake_lambdas import handler_of\n\nhandler = handler_of({spec.name!r})\n"
        (root / f"lambdas/{spec.module}.py").write_text(text, encoding="utf-8")
    return root


@pytest.fixture(scope="session")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the session's runtime keeps its files."""
    return tmp_path_factory.mktemp("runtime")


@pytest.fixture(scope="session")
def runtime(directory: Path, handler_root: Path) -> Iterator[LocalRuntime]:
    """The session's runtime."""
    with LocalRuntime(directory, handler_root=handler_root, seconds_per_phase=0.0) as running:
        yield running


@pytest.fixture
def events(directory: Path) -> Events:
    """The events a function got so far, by its name in deployment.FUNCTIONS."""

    def read(name: str) -> list[dict[str, Any]]:
        log = directory / "logs" / f"{function_name(name)}.log"
        lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
        return [json.loads(line)["event"] for line in lines if line.startswith('{"event"')]

    return read
