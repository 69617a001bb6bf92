"""Arguments that several operations share."""

from __future__ import annotations

from pydantic import Field

from idp_finetuning.wire import WireModel


class NoArguments(WireModel):
    """An operation without arguments."""


class PageArguments(WireModel):
    """Arguments of a list: how many items (1 to 100), and where to go on."""

    limit: int | None = Field(default=None, ge=1, le=100)
    next_token: str | None = Field(default=None, max_length=2000)

    @property
    def size(self) -> int:
        """Items a page."""
        return self.limit or 50


class JobArguments(WireModel):
    """Arguments that name a job."""

    job_id: str = Field(min_length=1, max_length=100)
