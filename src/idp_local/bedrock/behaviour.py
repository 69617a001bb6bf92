"""What goes wrong in the local Bedrock by itself: nothing, unless a behaviour is given that says otherwise."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from idp_local.bedrock.errors import BedrockError
from idp_local.bedrock.orders import Order, Progress


class Behaviour:
    """A Bedrock that does what it is asked; its subclasses fail."""

    def refusal(self, operation: str, request: Mapping[str, Any]) -> BedrockError | None:
        """Why this call is refused before anything is done."""

    def training_failure(self, job_name: str) -> str | None:
        """The failureMessage of a customization job that fails by itself."""

    def deployment_failure(self, name: str) -> str | None:
        """The failureMessage of a deployment that fails by itself."""

    def progress(self, order: Order, s3: Any, train: Callable[[], Iterator[Progress]]) -> Iterator[Progress]:  # noqa: ARG002
        """The progress of a training: `train` does the order in a process of its own."""
        return train()


WELL_BEHAVED = Behaviour()
