"""What the local Bedrock does beside the requests: nothing fails by itself, unless a subclass of Behaviour says so."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from idp_local.bedrock.errors import BedrockError
from idp_local.bedrock.training_process import Order, Progress


class Behaviour:
    """A Bedrock in which nothing fails by itself; subclasses override what does."""

    def refusal(self, operation: str, request: Mapping[str, Any]) -> BedrockError | None:
        """Return the error that refuses this call before anything is done, or None."""

    def training_failure(self, job_name: str) -> str | None:
        """Return the failureMessage of a customization job that fails by itself, or None."""

    def deployment_failure(self, name: str) -> str | None:
        """Return the failureMessage of a deployment that fails by itself, or None."""

    def progress(self, order: Order, s3: Any, train: Callable[[], Iterator[Progress]]) -> Iterator[Progress]:  # noqa: ARG002
        """Yield the progress of a training; `train` runs the order in a process of its own."""
        return train()


WELL_BEHAVED = Behaviour()
