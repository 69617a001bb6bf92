from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from idp_local.demo.command import add_arguments, run


def parsed(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return parser.parse_args(arguments)


def test_a_folder_that_cannot_be_used_fails_with_a_sentence_before_anything_starts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    directory = tmp_path / "runtime"
    assert run(parsed("--docs", str(tmp_path / "nothing"), "--directory", str(directory))) == 1
    assert "The demo failed: '" in capsys.readouterr().out
    assert not directory.exists()


def test_the_demo_needs_no_option() -> None:
    assert parsed().docs is None
