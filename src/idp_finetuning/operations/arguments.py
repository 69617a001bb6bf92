"""Arguments that several operations share."""

from __future__ import annotations

from typing import Annotated, Generic, TypeVar

from pydantic import Field

from idp_finetuning.wire import WireModel

T = TypeVar("T", bound=WireModel)

Id = Annotated[str, Field(min_length=1, max_length=100)]
BaseModelId = Annotated[str, Field(min_length=1, max_length=200)]
# A base model's id or the ARN of a deployment.
ModelId = Annotated[str, Field(min_length=1, max_length=300)]


class NoArguments(WireModel):
    """An operation without arguments."""


class Input(WireModel, Generic[T]):
    """The one argument `input` that most mutations take."""

    input: T


class PageArguments(WireModel):
    """Arguments of a list: how many items a page, and the token of the page (none: the first)."""

    limit: int | None = Field(default=None, ge=1, le=100)
    next_token: str | None = Field(default=None, max_length=2000)

    @property
    def size(self) -> int:
        """Items a page: 50 if the caller does not say."""
        return self.limit or 50


class JobArguments(WireModel):
    """Arguments that name a job."""

    job_id: Id
