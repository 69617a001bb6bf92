"""Files that options name."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import click

STDOUT = Path("-")


def read_text(file: Path) -> str:
    """Return the file's text without its byte order mark. Raises BadParameter if it is not UTF-8, or UTF-16 with one.

    Notepad and PowerShell write both.
    """
    from idp_sdk.text_files import decode_text

    try:
        return decode_text(file.read_bytes())
    except UnicodeDecodeError:
        raise click.BadParameter(f"'{file}' is not text in UTF-8. Save it as UTF-8.") from None
    except OSError as error:
        raise click.BadParameter(f"'{file}' cannot be read: {error.strerror}.") from None


# Names of files and classes come from others, and a spreadsheet runs a cell that begins so (OWASP, "CSV Injection").
_FORMULA_BEGINS = ("=", "+", "-", "@", "\t", "\r")


def _disarm(cell: object) -> object:
    """Return text with an apostrophe before what would be a formula; numbers stay numbers."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA_BEGINS) else cell


def write_csv(file: Path, rows: Iterable[Sequence[object]]) -> None:
    """Write rows as CSV in UTF-8, safe to open in a spreadsheet. Raises ClickException if it cannot be written."""
    with rows_of(file) as out:
        out.csv(rows)


def write_text(file: Path, text: str) -> None:
    """Write text in UTF-8. Raises ClickException if it cannot be written."""
    try:
        file.write_text(text, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise click.ClickException(f"'{file}' cannot be written: {error.strerror}.") from None


class Rows:
    """Writes rows one after the other; those that are written stay if the command is interrupted."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def csv(self, rows: Iterable[Sequence[object]]) -> None:
        """Add rows of CSV, safe to open in a spreadsheet."""
        csv.writer(self._stream).writerows([_disarm(cell) for cell in row] for row in rows)
        self._stream.flush()

    def json_line(self, value: object) -> None:
        """Add a line of JSON, in ASCII: it can be written anywhere and shows no control characters."""
        self._stream.write(json.dumps(value) + "\n")
        self._stream.flush()


@contextmanager
def rows_of(file: Path) -> Iterator[Rows]:
    """Open a file, or stdout if it is `-`, to write rows in UTF-8. Raises ClickException if it cannot be written."""
    try:
        if file == STDOUT:
            yield Rows(sys.stdout)
        else:
            with file.open("w", encoding="utf-8", errors="backslashreplace", newline="") as stream:
                yield Rows(stream)
    except OSError as error:
        if isinstance(error, BrokenPipeError) or error.filename not in (None, str(file)):
            raise
        raise click.ClickException(f"'{file}' cannot be written: {error.strerror}.") from None
