"""Reads the pages in docs/: tables by their heading, fenced blocks by language, commands in code."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = ("deploy", "operations", "security", "cli", "guide", "sdk", "architecture", "bedrock-answers", "decisions")

_FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)


@cache
def page(name: str) -> str:
    """Text of docs/<name>.md."""
    return (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")


def table(name: str, first_column: str) -> dict[str, list[str]]:
    """Rows of the page's tables whose first column is headed so: first cell to the others, without code marks.

    A first cell of several names, separated by commas, makes a row for each.
    """
    rows: dict[str, list[str]] = {}
    inside = False
    for line in page(name).splitlines():
        first, *others = (cell.strip(" `") for cell in line.removeprefix("|").removesuffix("|").split("|"))
        inside = line.startswith("|") and (inside or first == first_column)
        if inside and first != first_column and set(first) != {"-"}:
            rows |= {key.strip(" `"): others for key in first.split(", ")}
    return rows


def blocks(name: str, language: str) -> list[str]:
    """Fenced blocks of a language."""
    return [content for found, content in _FENCE.findall(page(name)) if found == language]


def shell(name: str) -> str:
    """All shell blocks and all code within sentences, continued lines joined."""
    inline = re.findall(r"`([^`\n]+)`", _FENCE.sub("", page(name)))
    return re.sub(r"\\\n\s*", " ", "\n".join([*blocks(name, "bash"), *inline]))


def aws_commands(name: str) -> list[tuple[str, str, set[str]]]:
    """Every AWS CLI command: service, operation and the options it names."""
    found = []
    for match in re.finditer(r"(?:^|[\s($\"])aws ([a-z0-9-]+) ([a-z0-9-]+)([^\n]*(?:\n {4}[^\n]*)*)", shell(name)):
        own = re.split(r"\$\(aws|\n *aws", match[3])[0]
        found.append((match[1], match[2], set(re.findall(r"(?<=\s)--([a-z0-9-]+)", own))))
    return found
