"""Stored data is read with unknown members ignored: a release that was rolled back reads what the newer one wrote."""

from __future__ import annotations

import importlib
import re
from enum import Enum
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

import pytest
from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticUndefined

from idp_finetuning.adapters.tables.items import from_attributes, to_attributes
from idp_finetuning.wire import WireModel, read_stored, read_stored_json
from tests.support.domain.samples import job

SOURCE = Path(importlib.import_module("idp_finetuning").__path__[0])
# How a model is read: from an item, from an index, from an object.
_READS = re.compile(
    r"(?:from_attributes|read_stored_json|read_stored)\((?:tuple\[)?(\w+)"
    r"|query_newest\(\s*self\._dynamodb,\s*(\w+)"
    r"|\.read_model\([^\n]*?, (\w+)\)"
)


def stored_models() -> dict[str, type[WireModel]]:
    """Every model that some module reads from DynamoDB or S3, by its name."""
    found: dict[str, type[WireModel]] = {}
    for path in SOURCE.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        module = ".".join(("idp_finetuning", *path.relative_to(SOURCE).with_suffix("").parts))
        for match in _READS.finditer(text):
            model = getattr(importlib.import_module(module), next(filter(None, match.groups())), None)
            if isinstance(model, type) and issubclass(model, WireModel):
                found[model.__name__] = model
    return found


MODELS = stored_models()


def sample(annotation: Any) -> Any:
    """A value of a type in JSON, with one member more in each model and one item in each collection."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if isinstance(annotation, type) and issubclass(annotation, WireModel):
        return filled(annotation)
    if origin in (Union, UnionType):
        return sample(next(part for part in arguments if part is not type(None)))
    if origin is tuple:
        return [sample(arguments[0])] if arguments[-1] is Ellipsis else [sample(part) for part in arguments]
    if origin is Literal:
        return arguments[0]
    if hasattr(annotation, "__metadata__"):
        return sample(arguments[0])
    raise KeyError(annotation)


def filled(model: type[WireModel]) -> dict[str, Any]:
    """The model's members that hold models, and those without a default; each model with one member more."""
    values: dict[str, Any] = {"memberOfTomorrow": {"a": 1}}
    for name, field in model.model_fields.items():
        if field.exclude:
            continue
        try:
            values[field.alias or name] = sample(field.annotation)
        except KeyError:
            if field.default is PydanticUndefined and field.default_factory is None:
                values[field.alias or name] = _plain(field.annotation, name)
    return values


def _plain(annotation: Any, name: str) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return next(iter(annotation)).value
    values: tuple[Any, ...] = ("x", 1, {}, [], "2026-11-22T10:00:00.000Z", None)
    for value in values:
        try:
            TypeAdapter(annotation).validate_python(value)
        except ValidationError:
            continue
        return value
    raise AssertionError(f"no sample of {name}: {annotation}")


def test_the_models_that_are_stored_are_found() -> None:
    assert {"FinetuningJob", "JobSummary", "JobEvent", "JobConfiguration", "TestSetRecord", "ConfigVersion"} <= set(
        MODELS
    )
    assert {"Prompt", "ManifestDocument", "RejectedDocument", "DatasetReport", "Labels"} <= set(MODELS)


@pytest.mark.parametrize("name", sorted(MODELS))
def test_every_stored_model_is_read_with_one_more_member_at_every_depth(name: str) -> None:
    values = filled(MODELS[name])
    plain = read_stored(MODELS[name], values)
    assert type(plain) is MODELS[name]
    assert "memberOfTomorrow" not in str(plain.to_wire())


def test_a_record_of_tomorrow_is_read_from_dynamodb_and_from_s3() -> None:
    made = job(documents={"found": 1, "train": 1, "validation": 0})
    wire = made.to_wire() | {"tomorrow": 1}
    wire["documents"] = wire["documents"] | {"tomorrow": [1]}
    assert from_attributes(type(made), to_attributes(wire)) == made
    content = TypeAdapter(dict[str, Any]).dump_json(wire)
    assert read_stored_json(type(made), content) == made


def test_what_a_client_sends_is_still_refused_for_a_member_nobody_knows() -> None:
    with pytest.raises(ValidationError, match="tomorrow"):
        type(job()).model_validate(job().to_wire() | {"tomorrow": 1})


def test_no_module_reads_what_is_stored_in_another_way() -> None:
    reads = re.compile(r"(?:validate_json|model_validate_json)\(")
    elsewhere = {
        path.relative_to(SOURCE).as_posix()
        for path in SOURCE.rglob("*.py")
        if reads.search(path.read_text(encoding="utf-8"))
    }
    # The catalogue and the quotas ship with the code; a page's token comes from a client.
    assert elsewhere == {"wire.py", "nova/base_models.py", "nova/prices.py", "nova/quotas.py", "pagination.py"}
