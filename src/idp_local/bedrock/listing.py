"""Pages of a list: sorting by creation, `maxResults` and an opaque `nextToken`, the same for every list operation."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from idp_local.bedrock.errors import invalid

# The shapes allow up to 1,000 and name no default.
DEFAULT_PAGE = 100


class Resource(Protocol):
    """Anything listed: it has an ARN."""

    @property
    def arn(self) -> str:
        """ARN."""
        ...


Listed = TypeVar("Listed", bound=Resource)


def page(
    name: str, in_creation_order: Sequence[Listed], asked: Mapping[str, Any], row: Callable[[Listed], dict[str, Any]]
) -> dict[str, Any]:
    """One page under the output member `name`; newest first unless sortOrder says Ascending.

    ValidationException for a nextToken this list did not give out.
    """
    things = list(in_creation_order)
    if asked.get("sortOrder") != "Ascending":
        things.reverse()
    start = 0
    if token := asked.get("nextToken"):
        last = _arn(token)
        position = next((index for index, thing in enumerate(things) if thing.arn == last), None)
        if position is None:
            raise invalid("The nextToken is not valid.")
        start = position + 1
    end = start + asked.get("maxResults", DEFAULT_PAGE)
    more = end < len(things)
    next_token = base64.urlsafe_b64encode(things[end - 1].arn.encode()).decode() if more else None
    return {name: [row(thing) for thing in things[start:end]], "nextToken": next_token}


def _arn(token: str) -> str:
    try:
        return base64.urlsafe_b64decode(token.encode("ascii")).decode()
    except (binascii.Error, ValueError) as error:
        raise invalid("The nextToken is not valid.") from error
