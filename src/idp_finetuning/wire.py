"""The base of every model (snake_case inside, camelCase on the wire), how stored ones are read, and times in UTC."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Annotated, Any, Self, TypeVar

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    ModelWrapValidatorHandler,
    PlainSerializer,
    TypeAdapter,
    ValidationError,
    model_validator,
)
from pydantic.alias_generators import to_camel, to_snake
from pydantic_core import PydanticCustomError


class WireModel(BaseModel):
    """Frozen model whose JSON names are camelCase; unknown members are refused."""

    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True, extra="forbid")

    def to_wire(self) -> dict[str, Any]:
        """Return a JSON-ready dict in camelCase."""
        return self.model_dump(mode="json", by_alias=True)


M = TypeVar("M")


def read_stored(model: type[M], values: Mapping[str, Any]) -> M:
    """Return the model in stored values; unknown members, nested ones included, are those of a newer release."""
    stored: M = TypeAdapter(model).validate_python(values, extra="ignore")
    return stored


def read_stored_json(model: type[M], content: bytes) -> M:
    """Return the model in stored JSON as `read_stored` does."""
    stored: M = TypeAdapter(model).validate_json(content, extra="ignore")
    return stored


class InputModel(WireModel):
    """Wire model that people fill in: for an unknown member it names the one that was probably meant."""

    model_config = ConfigDict(hide_input_in_errors=True)

    @model_validator(mode="wrap")
    @classmethod
    def _suggest(cls, values: Any, validate: ModelWrapValidatorHandler[Self]) -> Self:
        try:
            return validate(values)
        except ValidationError as error:
            unknown = [problem["loc"][0] for problem in error.errors() if problem["type"] == "extra_forbidden"]
            own = [str(name) for name in unknown if name in (values if isinstance(values, Mapping) else ())]
            if not own:
                raise
            raise PydanticCustomError("unknown_member", "{sentence}", {"sentence": cls._name_unknown(own[0])}) from None

    @classmethod
    def _name_unknown(cls, name: str) -> str:
        names = list(cls.model_fields)
        folded = to_snake(name)
        by_word = [known for known in names if set(known.split("_")) & _words(folded) or known.startswith(folded)]
        near = get_close_matches(folded, names, n=1, cutoff=0.6) or by_word[:1]
        hint = f"Did you mean '{near[0]}'?" if near else f"It has {', '.join(names)}."
        return f"{cls.__name__} has no '{name}'. {hint}"


def _words(name: str) -> set[str]:
    """Words of a name, also in the singular."""
    return {form for word in name.split("_") for form in (word, word.removesuffix("s"))}


def timestamp(moment: datetime | None = None) -> str:
    """Format a moment (default: now) as ISO 8601 in UTC with milliseconds, for example 2026-11-22T18:45:03.120Z."""
    moment = (moment or datetime.now(UTC)).astimezone(UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def _in_utc(moment: datetime) -> datetime:
    """To the millisecond, as it is written: a time read back equals the one written."""
    return moment.astimezone(UTC).replace(microsecond=moment.microsecond // 1000 * 1000)


# An aware datetime in UTC in code, `timestamp` in JSON.
UtcTime = Annotated[
    AwareDatetime, AfterValidator(_in_utc), PlainSerializer(timestamp, return_type=str, when_used="json")
]
