"""The data flow of a state machine: its payloads, with handlers that return what they declare."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib import import_module
from inspect import unwrap
from types import NoneType
from typing import Any, Literal, NamedTuple, get_args, get_origin, get_type_hints

from idp_finetuning.deployment import FUNCTIONS
from idp_finetuning.wire import WireModel
from tests.support.statemachines.definitions import Level, State, levels

DOCUMENTS = 20_000  # the most records a customization job takes; a document has at least one
LIMIT = 262_144  # bytes of a state's input, result or output (Step Functions quotas)
LONGEST_TEXT = 2_048  # the longest text a handler returns: S3 keys have 1,024 bytes, failure messages 2,000 characters

Payload = dict[str, Any]


class Contract(NamedTuple):
    """The models of a function's event and result."""

    event: type[WireModel]
    answer: type[WireModel] | None


def contract(function: str) -> Contract:
    """The models in the annotations of a function's handler."""
    module = next(spec.module for spec in FUNCTIONS if spec.name == function)
    hints = get_type_hints(unwrap(import_module(f"lambdas.{module}").handler))
    answer = hints["return"]
    return Contract(hints["event"], None if answer is NoneType else answer)


def largest(model: type[WireModel]) -> Payload:
    """Return the longest payload of a model of texts, numbers and literals. Raises TypeError for anything else."""
    sent = {name: field for name, field in model.model_fields.items() if not field.exclude}
    return {field.alias or name: _longest(field.annotation) for name, field in sent.items()}


def _longest(annotation: Any) -> Any:
    if annotation is str:
        return "x" * LONGEST_TEXT
    if annotation is int:
        return 10**9
    if get_origin(annotation) is Literal:
        return max(get_args(annotation), key=len)
    if isinstance(annotation, type) and issubclass(annotation, WireModel):
        return largest(annotation)
    raise TypeError(f"{annotation} has no longest value")


def caught_error() -> Payload:
    """The longest `$.error`: Step Functions keeps 256 characters of the name and 32,768 of the cause (botocore,
    stepfunctions, SensitiveError and SensitiveCause), which for Lambda is JSON in a string."""
    frames = [f'  File "/var/task/idp_finetuning/stages/prepare.py", line {n}, in work\n' for n in range(1_000)]
    cause = json.dumps({"errorMessage": "x" * 2_000, "errorType": "ValueError", "stackTrace": frames})
    return {"Error": "E" * 256, "Cause": cause[:32_768]}


def size(payload: Any) -> int:
    """Bytes of a payload as Step Functions counts them: JSON in UTF-8."""
    return len(json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode())


class Step(NamedTuple):
    """One visit of a state: the payload it got, what its function got, and the payload it left (None: it failed)."""

    name: str
    level: Level
    given: Payload
    sent: Payload
    left: Payload | None


def walk(machine: State, given: Payload, item: Any = None) -> Iterator[Step]:
    """Yield every step that an execution can make, each Task also with an error; a Map runs one child, for `item`."""
    level = next(levels(machine, is_map=item is None and "ProcessorConfig" in machine))
    yield from _walk(level, given, item)


def _walk(level: Level, given: Payload, item: Any) -> Iterator[Step]:
    seen: set[tuple[str, str]] = set()
    waiting = [(level.start, given)]
    while waiting:
        name, payload = waiting.pop()
        visit = (name, json.dumps(payload, sort_keys=True))
        if visit in seen:
            continue
        seen.add(visit)
        state = level.states[name]
        sent = payload
        if state["Type"] == "Task":
            sent = _select(state["Parameters"], payload)
        elif state["Type"] == "Map":
            sent = _select(state["ItemReader"]["Parameters"], payload)
            yield from walk(state["ItemProcessor"], _select(state["ItemSelector"], payload, item))
        left = None if state["Type"] == "Fail" else _output(name, state, payload)
        yield Step(name, level, payload, sent, left)
        for catcher in state.get("Catch", []):
            waiting.append((catcher["Next"], _placed(payload, catcher["ResultPath"], caught_error())))
        following = [state.get("Next"), state.get("Default"), *(c["Next"] for c in state.get("Choices", []))]
        if left is not None:
            waiting.extend((target, left) for target in following if target)


def _output(name: str, state: State, payload: Payload) -> Payload:
    if state["Type"] == "Task":
        answer = contract(name).answer
        payload = _placed(payload, state.get("ResultPath", "$"), largest(answer) if answer else {})
    elif state["Type"] == "Map":
        payload = _placed(payload, state.get("ResultPath", "$"), [{}] * DOCUMENTS)
    return payload if state.get("OutputPath", "$") == "$" else {}


def _placed(payload: Payload, path: str | None, result: Any) -> Payload:
    if path is None:
        return payload
    return result if path == "$" else {**payload, path.removeprefix("$."): result}


def _select(template: Payload, payload: Payload, item: Any = None) -> Payload:
    """A payload template whose members are paths of names; raises KeyError for a path without a value."""
    selected: Payload = {}
    for name, path in template.items():
        if not name.endswith(".$"):
            selected[name] = path
        elif path == "$$.Map.Item.Value":
            selected[name.removesuffix(".$")] = item
        else:
            selected[name.removesuffix(".$")] = at(payload, path)
    return selected


def at(payload: Payload, path: str) -> Any:
    """The value a reference path such as `$.training.status` names. Raises KeyError."""
    value: Any = payload
    for name in path.split(".")[1:]:
        value = value[name]
    return value
