"""The base of every model (snake_case inside, camelCase on the wire), and times in UTC."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, PlainSerializer
from pydantic.alias_generators import to_camel


class WireModel(BaseModel):
    """Frozen model whose JSON names are camelCase; unknown members are refused."""

    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True, extra="forbid")

    def to_wire(self) -> dict[str, Any]:
        """Return a JSON-ready dict in camelCase."""
        return self.model_dump(mode="json", by_alias=True)


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
