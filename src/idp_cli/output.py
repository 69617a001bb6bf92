"""Data on stdout: lines for people, or one JSON value; remarks on stderr."""

from __future__ import annotations

import json
import shutil
import sys
import unicodedata
from collections.abc import Iterable, Sequence
from io import TextIOWrapper

import click


def escape_unencodable() -> None:
    """Escape what stdout and stderr cannot encode: a name that cannot be shown must not end a command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def print_lines(lines: Iterable[str]) -> None:
    """Print lines of text, with control characters escaped."""
    for line in lines:
        click.echo(printable(line))


def _terminal_columns() -> int | None:
    """Return the width of the terminal, or None if the output goes elsewhere: there nothing is cut."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def print_json(value: object) -> None:
    """Print one JSON value; characters that a terminal acts on or does not show are JSON escapes."""
    encoding = (sys.stdout.encoding or "").lower().replace("-", "")
    text = json.dumps(value, indent=2, ensure_ascii=not encoding.startswith("utf"))
    click.echo("".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text))


def remark(line: str) -> None:
    """Print a line on stderr that is not the command's data."""
    click.echo(printable(line), err=True)


def next_step(command: str) -> None:
    """Say on a terminal what usually comes next; a script has no use for it."""
    if sys.stderr.isatty():
        remark(f"Next: {command}")


def printable(text: str) -> str:
    """Return the text with control characters as escapes: names come from other people."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode() for character in text
    )


def table(rows: Sequence[Sequence[str]], right: Sequence[int] = (), columns: int | None = None) -> list[str]:
    """Return lines with columns as wide as their widest cell, two spaces apart; `right` has the right-aligned ones.

    On a terminal the widest columns are cut until a line fits (`columns`, by default the terminal's), ids excepted:
    the first column stays whole.
    """
    shown = [[printable(cell) for cell in row] for row in rows]
    widths = [max(map(_width, column)) for column in zip(*shown, strict=True)]
    available = columns or _terminal_columns()
    if available:
        spaces = 2 * (len(widths) - 1) + 2  # a table may stand two spaces in
        while sum(widths) + spaces > available and max(widths[1:], default=0) > SHORTEST_COLUMN:
            widest = widths.index(max(widths[1:]), 1)
            widths[widest] -= 1
    return [
        "  ".join(
            _fill(_cut(cell, width), width, right=column in right)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in shown
    ]


SHORTEST_COLUMN = 8


def _width(text: str) -> int:
    """Return how many columns of a terminal a text takes (Unicode standard annex 11, "East Asian Width")."""
    return sum(
        0 if unicodedata.combining(character) else 2 if unicodedata.east_asian_width(character) in "WF" else 1
        for character in text
    )


def _cut(text: str, width: int) -> str:
    if _width(text) <= width:
        return text
    while _width(text) > width - 1:
        text = text[:-1]
    return f"{text}…"


def _fill(text: str, width: int, *, right: bool) -> str:
    spaces = " " * (width - _width(text))
    return spaces + text if right else text + spaces
