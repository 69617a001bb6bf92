from __future__ import annotations

import csv
from pathlib import Path

import pytest

from idp_cli.files import write_csv


@pytest.mark.parametrize("text", ["=1+1", "+1", "-cmd", "@SUM(A1)", "\t=1", "\r=1"])
def test_text_that_a_spreadsheet_would_run_is_written_as_text(tmp_path: Path, text: str) -> None:
    file = tmp_path / "report.csv"
    write_csv(file, [("path", "pages"), (text, -3)])
    with file.open(newline="") as stream:
        assert list(csv.reader(stream)) == [["path", "pages"], [f"'{text}", "-3"]]
