"""Prompts and their classes as text."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from idp_sdk import DocumentClass


def prompt_lines(system_prompt: str, task_prompt: str, classes: Iterable[DocumentClass]) -> list[str]:
    """Return system prompt, task prompt, and each class with its description."""
    shown = [f"  - {item.name}{': ' * bool(item.description)}{item.description}" for item in classes]
    return [
        "System Prompt:",
        *_indent(system_prompt),
        "",
        "Task Prompt:",
        *_indent(task_prompt),
        "",
        "Classes:" if shown else "Classes: none; the prompt names those of the test set",
        *shown,
    ]


def _indent(text: str) -> list[str]:
    return [f"  {line}" for line in text.splitlines()]
