"""Reads the state machines as the stack renders them, level by level."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from idp_finetuning.deployment import render_definition

ROOT = Path(__file__).resolve().parents[3]
DEFINITIONS = {path.name.removesuffix(".asl.json"): path for path in sorted(ROOT.glob("statemachines/*.asl.json"))}

State = dict[str, Any]


class Level(NamedTuple):
    """States that follow one another: a whole machine, or what a Map runs for each item."""

    start: str
    states: dict[str, State]
    is_map: bool


def source(machine: str) -> str:
    """The text of the file in the repository."""
    return DEFINITIONS[machine].read_text(encoding="utf-8")


def rendered(machine: str) -> str:
    """The text as AWS gets it, but for the names within strings, which CloudFormation fills in."""
    return render_definition(source(machine))


def definition(machine: str) -> State:
    """The parsed definition; names keep their placeholders."""
    return dict(json.loads(rendered(machine)))


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
    """Return the states that may come next: Next, each choice, Default and each Catch, in this order."""
    named = [state.get("Next"), *(choice["Next"] for choice in state.get("Choices", [])), state.get("Default")]
    named.extend(catcher["Next"] for catcher in state.get("Catch", []))
    return [name for name in named if name is not None]


def is_terminal(state: State) -> bool:
    """Return whether an execution may succeed in this state."""
    return state.get("End", False) is True or state["Type"] == "Succeed"
