"""Holds requests and answers against botocore's own model of a service: types, lengths, enums and patterns."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import re2
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator

# Base of fakes that are handed over in the place of a boto3 client: any type to mypy.
AnyClient: Any = object


@cache
def service_model(service: str) -> ServiceModel:
    """The model of a service, for example bedrock."""
    return ServiceModel(Loader().load_service_model(service, "service-2"), service)


def matches(pattern: str, text: str) -> bool:
    """Whether the whole text matches; re2, because JobName's pattern backtracks for ever in `re`."""
    try:
        return bool(re2.fullmatch(pattern, text))
    except re2.error:
        return re.fullmatch(pattern, text) is not None


def string_problem(service: str, shape_name: str, text: str) -> str | None:
    """What is wrong with a string of a shape, or None."""
    return next(iter(_string_problems(service_model(service).shape_for(shape_name), text)), None)


def problems(service: str, operation: str, side: str, value: dict[str, Any]) -> list[str]:
    """Everything wrong with a request (`side` "input") or an answer ("output") of an operation."""
    model = service_model(service).operation_model(operation)
    shape = model.input_shape if side == "input" else model.output_shape
    if shape is None:
        return [] if not value else [f"{operation} has no {side}"]
    report = ParamValidator().validate(value, shape)
    found = [report.generate_report()] if report.has_errors() else []
    return found + _walk(shape, value)


def _walk(shape: Any, value: Any) -> list[str]:
    if value is None:
        return []
    if shape.type_name == "structure":
        return [
            problem for name, member in shape.members.items() if name in value for problem in _walk(member, value[name])
        ]
    if shape.type_name == "list":
        return [problem for item in value for problem in _walk(shape.member, item)]
    if shape.type_name == "map":
        return [problem for item in value.values() for problem in _walk(shape.value, item)]
    return _string_problems(shape, value) if shape.type_name == "string" else []


def _string_problems(shape: Any, text: str) -> list[str]:
    found = []
    rules = shape.metadata
    if not rules.get("min", 0) <= len(text) <= rules.get("max", len(text)):
        found.append(f"{shape.name}: {len(text)} characters")
    if "pattern" in rules and not matches(rules["pattern"], text):
        found.append(f"{shape.name}: {text!r} does not match {rules['pattern']}")
    if rules.get("enum") and text not in rules["enum"]:
        found.append(f"{shape.name}: {text!r} is none of {rules['enum']}")
    return found
