"""Reads the state machines as the stack deploys them: placeholders filled in, Map levels laid open."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[3]
DEFINITIONS = {path.name.removesuffix(".asl.json"): path for path in sorted(ROOT.glob("statemachines/*.asl.json"))}

# The only placeholders whose value is a number and therefore stands without quotes, with their values in AWS.
NUMBERS = {"RetryIntervalSeconds": "2", "MapConcurrency": "40"}

_PLACEHOLDER = re.compile(r"\$\{(\w+)\}")

State = dict[str, Any]


class Level(NamedTuple):
    """States that follow one another: a whole machine, or what a Map runs for each item."""

    start: str
    states: dict[str, State]
    is_map: bool


def text(machine: str) -> str:
    """The file as it stands in the repository."""
    return DEFINITIONS[machine].read_text(encoding="utf-8")


def placeholders(machine: str) -> set[str]:
    """Names of all placeholders in the file."""
    return set(_PLACEHOLDER.findall(text(machine)))


def definition(machine: str) -> State:
    """The parsed definition; placeholders that are not numbers keep their text."""
    return dict(json.loads(_PLACEHOLDER.sub(lambda match: NUMBERS.get(match[1], match[0]), text(machine))))


def levels(machine: State, *, is_map: bool = False) -> Iterator[Level]:
    """The level itself, then those inside its Maps."""
    yield Level(machine["StartAt"], machine["States"], is_map)
    for state in machine["States"].values():
        if state["Type"] == "Map":
            yield from levels(state["ItemProcessor"], is_map=True)


def tasks(machine: State) -> Iterator[tuple[str, State]]:
    """Every Task with its name, those inside Maps included."""
    for level in levels(machine):
        yield from ((name, state) for name, state in level.states.items() if state["Type"] == "Task")


def targets(state: State) -> list[str]:
    """Where a state may go: Next, each choice, Default and each Catch, in this order."""
    named = [state.get("Next"), *(choice["Next"] for choice in state.get("Choices", [])), state.get("Default")]
    named.extend(catcher["Next"] for catcher in state.get("Catch", []))
    return [name for name in named if name is not None]


def is_terminal(state: State) -> bool:
    """Whether an execution may end well in this state."""
    return state.get("End", False) is True or state["Type"] == "Succeed"
