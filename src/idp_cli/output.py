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
    """Print lines of text, with control characters escaped."""
    for line in lines:
        click.echo(printable(line))


def print_json(value: object) -> None:
    """Print one JSON value; characters that a terminal acts on or does not show are JSON escapes."""
    encoding = (sys.stdout.encoding or "").lower().replace("-", "")
    text = json.dumps(value, indent=2, ensure_ascii=not encoding.startswith("utf"))
    click.echo("".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text))


def remark(line: str) -> None:
    """Print a line on stderr that is not the command's data."""
    click.echo(printable(line), err=True)


def printable(text: str) -> str:
    """Return the text with control characters as escapes: names come from other people."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode() for character in text
    )


def table(rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> list[str]:
    """Return lines with columns as wide as their widest cell, two spaces apart; `right` has the right-aligned ones."""
    shown = [[printable(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in shown
    ]
