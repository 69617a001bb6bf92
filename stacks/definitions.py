"""The definitions of the state machines, and what they call."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from idp_finetuning.deployment import FUNCTIONS, STATE_MACHINES, placeholders

_FOLDER = Path(__file__).resolve().parent.parent / "statemachines"


def read_definition(name: str) -> str:
    """Return the definition of a state machine as it is in the repository, with placeholders."""
    return (_FOLDER / f"{name}.asl.json").read_text(encoding="utf-8")


def called_functions() -> tuple[str, ...]:
    """Return the names of the functions that a state machine calls."""
    named = {placeholder for name in STATE_MACHINES for placeholder in placeholders(read_definition(name))}
    return tuple(spec.name for spec in FUNCTIONS if f"{spec.name}Arn" in named)


def distributed_maps(states: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the Distributed Maps among these states and inside their Maps."""
    for state in states.values():
        processor = state.get("ItemProcessor", {})
        if processor.get("ProcessorConfig", {}).get("Mode") == "DISTRIBUTED":
            yield state
        yield from distributed_maps(processor.get("States", {}))
