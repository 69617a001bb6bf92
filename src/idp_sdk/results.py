"""The base of everything the SDK answers: frozen, snake_case attributes, read from the API's camelCase."""

from __future__ import annotations

from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from idp_sdk.errors import ServerError


class Result(BaseModel):
    """Frozen answer of the API; members this version does not know are left out."""

    model_config = ConfigDict(
        frozen=True, alias_generator=to_camel, populate_by_name=True, extra="ignore", protected_namespaces=()
    )

    @classmethod
    def read(cls, answer: Any) -> Self:
        """The result in an answer of the API. Raises ServerError where this version cannot read it."""
        try:
            return cls.model_validate(answer)
        except ValidationError as error:
            members = ", ".join(".".join(str(part) for part in problem["loc"]) for problem in error.errors())
            raise ServerError(
                f"The server's answer does not fit this version of the SDK ({cls.__name__}: {members}). Update "
                "idp-finetuning to the version of the deployment."
            ) from None

    def to_wire(self) -> dict[str, Any]:
        """JSON-ready dict in camelCase, without what is None."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)
