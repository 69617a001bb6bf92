"""Prompts with their classes in words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from idp_sdk import DocumentClass


def prompt_lines(system_prompt: str, task_prompt: str, classes: Iterable[DocumentClass]) -> list[str]:
    """System prompt, task prompt, and each class with its description."""
    shown = [f"  - {item.name}{': ' * bool(item.description)}{item.description}" for item in classes]
    return [
        "System Prompt:",
        *_indented(system_prompt),
        "",
        "Task Prompt:",
        *_indented(task_prompt),
        "",
        "Classes:" if shown else "Classes: none; the prompt names those of the test set",
        *shown,
    ]


def _indented(text: str) -> list[str]:
    return [f"  {line}" for line in text.splitlines()]
