"""Values under a botocore shape: checked, and converted from JSON to Python and back."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import cache
from typing import Any, cast

import re2
from botocore.model import ListShape, MapShape, Shape, StringShape, StructureShape

# Numbers that JSON carries as numbers; bool is an int in Python and is kept out by hand.
_INTEGERS = ("integer", "long")
_FLOATS = ("float", "double")
_PYTHON_TYPE: dict[str, Any] = {
    "structure": dict,
    "map": dict,
    "list": list,
    "string": str,
    "boolean": bool,
    "blob": bytes,
    "timestamp": datetime,
    "integer": int,
    "long": int,
    "float": (int, float),
    "double": (int, float),
}


@cache
def compile_pattern(pattern: str) -> Any:
    r"""Compile a pattern with RE2: in `re`, JobName's backtracks without end and \p{L} is unknown."""
    options = re2.Options()
    options.log_errors = False
    return re2.compile(pattern, options)


class UnlistedStatus(str):
    """A status that the service has and botocore's enum does not."""

    __slots__ = ()


def violations(shape: Shape, value: Any, path: str = "") -> Iterator[str]:
    """Yield what is wrong with a Python value (bytes, datetime, dict…) under a shape, in AWS's words."""
    if _is_document(shape):
        return
    kind = shape.type_name
    expected = _PYTHON_TYPE[kind]
    if not isinstance(value, expected) or (isinstance(value, bool) and kind != "boolean"):
        yield _violation(path, f"Member must be of type {kind}")
    elif isinstance(shape, StructureShape):
        yield from _structure(shape, value, path)
    elif isinstance(shape, ListShape):
        yield from _range(shape, len(value), path, "have length")
        for index, item in enumerate(value, start=1):
            yield from violations(shape.member, item, f"{path}.{index}.member")
    elif isinstance(shape, MapShape):
        yield from _range(shape, len(value), path, "have length")
        for key, item in value.items():
            yield from violations(shape.key, key, f"{path}.{key}.key")
            yield from violations(shape.value, item, f"{path}.{key}.member")
    elif kind in _INTEGERS or kind in _FLOATS:
        yield from _range(shape, value, path, "have value")
    elif kind == "blob":
        yield from _range(shape, len(value), path, "have length")
    elif kind == "string":
        yield from _string(cast(StringShape, shape), value, path)


def from_json(shape: Shape, value: Any) -> Any:
    """Convert a JSON value to Python; what does not fit stays as it is, for `violations` to name."""
    return _convert(shape, value, _scalar_from_json)


def to_json(shape: Shape, value: Any) -> Any:
    """Convert a Python value to JSON without members that are None; timestamps as the shape says."""
    return _convert(shape, value, _scalar_to_json)


def from_text(shape: Shape, text: str) -> Any:
    """Convert the text of a URI, query string or header; it stays a string if it does not fit."""
    if shape.type_name == "boolean":
        return {"true": True, "false": False}.get(text, text)
    try:
        if shape.type_name in _INTEGERS:
            return int(text)
        if shape.type_name in _FLOATS:
            return float(text)
    except ValueError:
        return text
    return _scalar_from_json(shape, text)


def _structure(shape: StructureShape, value: dict[str, Any], path: str) -> Iterator[str]:
    prefix = f"{path}." if path else ""
    for name in shape.required_members:
        if value.get(name) is None:
            yield _violation(prefix + name, "Member must not be null")
    for name, item in value.items():
        if name not in shape.members:
            yield _violation(prefix + name, "Member is unknown")
        elif item is not None:
            yield from violations(shape.members[name], item, prefix + name)
    if shape.metadata.get("union") and sum(item is not None for item in value.values()) != 1:
        yield _violation(path, "Exactly one member of the union must be set")


def _string(shape: StringShape, value: str, path: str) -> Iterator[str]:
    yield from _range(shape, len(value), path, "have length")
    if shape.enum and value not in shape.enum and not isinstance(value, UnlistedStatus):
        yield _violation(path, f"Member must satisfy enum value set: [{', '.join(shape.enum)}]")
    pattern = shape.metadata.get("pattern")
    if pattern and not compile_pattern(pattern).fullmatch(value):
        yield _violation(path, f"Member must satisfy regular expression pattern: {pattern}")


def _range(shape: Shape, size: float, path: str, verb: str) -> Iterator[str]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is not None and size < least:
        yield _violation(path, f"Member must {verb} greater than or equal to {least}")
    if most is not None and size > most:
        yield _violation(path, f"Member must {verb} less than or equal to {most}")


def _violation(path: str, constraint: str) -> str:
    # AWS repeats the value here; it may be document content, so it is left out.
    return f"Value at '{path}' failed to satisfy constraint: {constraint}"


def _is_document(shape: Shape) -> bool:
    return bool(getattr(shape, "is_document_type", False))


def _convert(shape: Shape, value: Any, scalar: Callable[[Shape, Any], Any]) -> Any:
    if _is_document(shape):
        return value
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        return {
            name: _convert(shape.members[name], item, scalar) if name in shape.members else item
            for name, item in value.items()
            if item is not None
        }
    if isinstance(shape, ListShape) and isinstance(value, list | tuple):
        return [_convert(shape.member, item, scalar) for item in value]
    if isinstance(shape, MapShape) and isinstance(value, dict):
        return {key: _convert(shape.value, item, scalar) for key, item in value.items()}
    return scalar(shape, value)


def _scalar_from_json(shape: Shape, value: Any) -> Any:
    if shape.type_name == "blob" and isinstance(value, str):
        try:
            return base64.b64decode(value, validate=True)
        except binascii.Error:
            return value
    if shape.type_name == "timestamp":
        return _timestamp(value)
    return value


def _timestamp(value: Any) -> Any:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return datetime.fromtimestamp(value, UTC)
    if isinstance(value, str):
        try:
            parsed = datetime.fromisoformat(value)
        except ValueError:
            return value
        return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
    return value


def _scalar_to_json(shape: Shape, value: Any) -> Any:
    if shape.type_name == "blob":
        return base64.b64encode(value).decode()
    if shape.type_name == "timestamp":
        if shape.serialization.get("timestampFormat", "unixTimestamp") == "iso8601":
            return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return value.timestamp()
    return value
