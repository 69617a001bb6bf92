"""The demo's voice: sections, lines, and one line that is refreshed in place on a terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from io import TextIOWrapper
from typing import TextIO


class Console:
    """Writes to a stream; on anything but a terminal `live` prints nothing."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout
        if isinstance(self._stream, TextIOWrapper):
            self._stream.reconfigure(errors="replace")  # a file name must not end the demo
        self._live = False
        self.is_terminal = self._stream.isatty()

    def section(self, title: str) -> None:
        """A heading after an empty line."""
        self.say(f"\n{title}")

    def say(self, line: str = "") -> None:
        """One line for good."""
        self._write(f"{line}\n")

    def list(self, lines: Iterable[str]) -> None:
        """Lines below a heading, indented."""
        for line in lines:
            self.say(f"  {line}" if line else "")

    def live(self, line: str) -> None:
        """A line that the next one replaces; for terminals only."""
        if self.is_terminal:
            self._write(line)
            self._live = True

    def _write(self, text: str) -> None:
        if self._live:
            self._stream.write("\r\x1b[2K")
            self._live = False
        self._stream.write(text)
        self._stream.flush()
