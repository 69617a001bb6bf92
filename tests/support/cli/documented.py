"""The commands of docs/cli.md with what they are said to print."""

from __future__ import annotations

import re
import shlex
from typing import NamedTuple

from tests.support.docs_pages import page

_BLOCK = re.compile(r"^```bash\n((?:idp|idp-cli) .*?)^```$(?:\n\n^```text\n(.*?)^```$)?", re.MULTILINE | re.DOTALL)


class Example(NamedTuple):
    """The words of a command after its name, and its output; None where the page shows none."""

    words: tuple[str, ...]
    output: str | None

    def __str__(self) -> str:
        return " ".join(word for word in self.words if len(word) < 20)


def examples() -> list[Example]:
    """Every command of the page, in its order."""
    found = []
    for command, output in _BLOCK.findall(page("cli")):
        _, *words = shlex.split(command.replace("\\\n", " "))
        found.append(Example(tuple(words), output or None))
    return found


def find_commands(text: str) -> list[tuple[str, ...]]:
    """The words of every command of ours in a text, in code blocks and in code within sentences."""
    found = re.findall(r"(?:^|[/`])(?:idp|idp-cli) ([^`\n#]+)", text.replace("\\\n", " "), re.MULTILINE)
    return [tuple(shlex.split(words)) for words in found]
