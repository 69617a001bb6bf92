"""Lists that are returned page by page, and the opaque tokens clients send back for the next page."""

from __future__ import annotations

import base64
from typing import Generic, Self, TypeVar

from idp_finetuning.errors import InvalidInput
from idp_finetuning.wire import WireModel

T = TypeVar("T")


class Page(WireModel, Generic[T]):
    """One page of a list; `next_token` is None on the last one."""

    items: tuple[T, ...]
    next_token: str | None = None


class OpaqueToken(WireModel):
    """Base of the page tokens: each list adds the fields that say where its next page begins.

    A token is neither signed nor encrypted: whatever a client makes of it must not reach more than the list itself.
    """

    def to_text(self) -> str:
        """Return the text that clients get as `nextToken`."""
        return base64.urlsafe_b64encode(self.model_dump_json(by_alias=True).encode()).decode()

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Return the token in a client's `nextToken`. Raises InvalidInput if this API did not make it."""
        try:
            return cls.model_validate_json(base64.urlsafe_b64decode(text.encode()))
        except ValueError as error:
            raise unknown_token() from error


def unknown_token() -> InvalidInput:
    """Return the error for a `nextToken` of unknown origin."""
    return InvalidInput("nextToken is not one this API returned. Start the list again without it.")
