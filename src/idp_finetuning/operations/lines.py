"""Pages of a list that is a JSONL object in the data bucket."""

from __future__ import annotations

from typing import TypeVar

from pydantic import Field

from idp_finetuning.adapters.buckets import DataBucket
from idp_finetuning.operations.arguments import PageArguments
from idp_finetuning.pagination import OpaqueToken, Page, unknown_token
from idp_finetuning.wire import WireModel, read_stored_json

M = TypeVar("M", bound=WireModel)


class LineToken(OpaqueToken):
    """The byte at which the next page of a file's lines begins."""

    start: int = Field(ge=0)


def read_page_of_lines(data: DataBucket, key: str, model: type[M], arguments: PageArguments) -> Page[M]:
    """Return a page of the lines at a key; it is empty if there is no such object. Raises InvalidInput for a token."""
    start = LineToken.from_text(arguments.next_token).start if arguments.next_token else 0
    read = data.read_lines(key, start, arguments.size)
    if read is None and start:
        raise unknown_token()
    lines, following = read or ([], None)
    try:
        items = tuple(read_stored_json(model, line) for line in lines)
    except ValueError as error:  # the token names no beginning of a line
        raise unknown_token() from error
    return Page(items=items, next_token=None if following is None else LineToken(start=following).to_text())
