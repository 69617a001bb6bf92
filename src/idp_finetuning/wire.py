"""The base of every model (snake_case inside, camelCase on the wire), how stored ones are read, and times in UTC."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, PlainSerializer, TypeAdapter
from pydantic.alias_generators import to_camel


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
