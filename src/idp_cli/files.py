"""Files that options name."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

import click


def read_text(file: Path) -> str:
    """Return the file's text without its byte order mark. Raises ClickException if it is not UTF-8, or UTF-16 with one.

    Notepad and PowerShell write both.
    """
    from idp_sdk.text_files import decode_text

    try:
        return decode_text(file.read_bytes())
    except UnicodeDecodeError:
        raise click.ClickException(f"'{file}' is not text in UTF-8. Save it as UTF-8.") from None
    except OSError as error:
        raise click.ClickException(f"'{file}' cannot be read: {error.strerror}.") from None


# Names of files and classes come from others, and a spreadsheet runs a cell that begins so (OWASP, "CSV Injection").
_FORMULA_BEGINS = ("=", "+", "-", "@", "\t", "\r")


def _disarm(cell: object) -> object:
    """Return text with an apostrophe before what would be a formula; numbers stay numbers."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA_BEGINS) else cell


def write_csv(file: Path, rows: Iterable[Sequence[object]]) -> None:
    """Write rows as CSV in UTF-8, safe to open in a spreadsheet. Raises ClickException if it cannot be written."""
    try:
        with file.open("w", encoding="utf-8", errors="backslashreplace", newline="") as stream:
            csv.writer(stream).writerows([_disarm(cell) for cell in row] for row in rows)
    except OSError as error:
        raise click.ClickException(f"'{file}' cannot be written: {error.strerror}.") from None
