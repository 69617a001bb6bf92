"""Lambda functions started in the background."""

from __future__ import annotations

from typing import TYPE_CHECKING

from idp_finetuning.wire import WireModel

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


class BackgroundFunction:
    """One function, invoked without waiting for its result."""

    def __init__(self, lambda_: LambdaClient, name: str) -> None:
        self._lambda = lambda_
        self._name = name

    def start(self, event: WireModel) -> None:
        """Invoke the function with this event; Lambda retries it as `event_retries` in deployment.FUNCTIONS says."""
        self._lambda.invoke(
            FunctionName=self._name, InvocationType="Event", Payload=event.model_dump_json(by_alias=True).encode()
        )
