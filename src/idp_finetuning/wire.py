"""The base of every model: frozen, snake_case inside, camelCase on the wire."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class WireModel(BaseModel):
    """Frozen model whose JSON names are camelCase; unknown members are refused."""

    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True, extra="forbid")

    def to_wire(self) -> dict[str, Any]:
        """JSON-ready dict in camelCase."""
        return self.model_dump(mode="json", by_alias=True)
