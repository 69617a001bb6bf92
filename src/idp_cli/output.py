"""Data on stdout: lines for people, or one JSON value; remarks on stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from io import TextIOWrapper

import click


def escape_unencodable() -> None:
    """Escape what stdout and stderr cannot encode: a name that cannot be shown must not end a command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def print_lines(lines: Iterable[str]) -> None:
    """Lines of text; what a terminal would obey instead of showing is escaped."""
    for line in lines:
        click.echo(printable(line))


def print_json(value: object) -> None:
    """One JSON value."""
    encoding = (sys.stdout.encoding or "").lower().replace("-", "")
    click.echo(json.dumps(value, indent=2, ensure_ascii=not encoding.startswith("utf")))


def remark(line: str) -> None:
    """A line that is not the command's data, on stderr."""
    click.echo(printable(line), err=True)


def printable(text: str) -> str:
    """The text with control characters and the like as escapes: names come from other people."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode() for character in text
    )


def table(rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> list[str]:
    """Columns as wide as their widest cell, two spaces apart; `right` names the right-aligned ones."""
    shown = [[printable(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in shown
    ]
