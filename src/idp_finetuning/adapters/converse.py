"""Bedrock's Converse, with retries while a model is throttled or not ready, and its errors as sentences."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from botocore.exceptions import ClientError, ConnectionError, HTTPClientError  # noqa: A004

from idp_finetuning.adapters.aws_calls import error_code, error_text
from idp_finetuning.errors import AwsCallRefused, TransientError
from idp_finetuning.nova.prices import Usage

if TYPE_CHECKING:
    from mypy_boto3_bedrock_runtime import BedrockRuntimeClient

# Errors of Converse (botocore: bedrock-runtime) that are retried, with the message if retries do not help.
_PASSING = {
    "ThrottlingException": "Bedrock throttled the model '{model}' on every attempt. Classify fewer documents at once, "
    "or ask AWS for a higher quota of requests and tokens a minute",
    "ModelNotReadyException": "The model '{model}' did not become ready",
    "ModelTimeoutException": "The model '{model}' did not respond in time",
    "ModelErrorException": "The model '{model}' failed",
    "ServiceUnavailableException": "Bedrock is not available",
    "InternalServerException": "Bedrock failed",
}
_LASTING = {
    "AccessDeniedException": "This service may not use the model '{model}'. Ask its operator for access to it in "
    "Bedrock",
    "ResourceNotFoundException": "Bedrock has no model '{model}' (any more). Choose another model",
}
# A call at the flex tier costs less and may wait behind others. Whether deployments take it is not documented.
_FLEX: dict[str, Any] = {"serviceTier": {"type": "flex"}}
# After so many passing failures the standard tier is asked.
_FLEX_FAILURES = 3
# Models that answered only without it; they are not asked with it again by this process.
_without_flex: set[str] = set()
FIRST_WAIT_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 20.0


class Reply(NamedTuple):
    """A model's answer, and what Bedrock counted for it."""

    text: str
    usage: Usage


class Converse:
    """Inference with base models and deployments of custom models.

    `wait` sleeps for a number of seconds and returns whether to give up, as threading.Event.wait does.
    """

    def __init__(self, bedrock_runtime: BedrockRuntimeClient) -> None:
        self._bedrock_runtime = bedrock_runtime

    def answer(
        self,
        request: dict[str, Any],
        *,
        seconds_left: Callable[[], float],
        wait: Callable[[float], bool],
        flex: bool = False,
    ) -> Reply:
        """Return the model's answer to a request from `Prompt.converse_request`.

        With `flex` the flex tier is asked first; if it refuses or keeps failing, the standard tier. Transient errors
        are retried while there is time, with exponential backoff and full jitter. Raises TransientError if retries did
        not help, AwsCallRefused if Bedrock would refuse again.
        """
        model = request["modelId"]
        tier: dict[str, Any] = _FLEX if flex and model not in _without_flex else {}
        longest = FIRST_WAIT_SECONDS
        failures, refused = 0, False
        while True:
            try:
                response = self._bedrock_runtime.converse(**request, **tier)
            except (ClientError, ConnectionError, HTTPClientError) as error:
                failure = _failure(error, model)
                if tier and isinstance(failure, AwsCallRefused):
                    tier, refused = {}, True
                    continue  # whether the tier was the reason, the answer without it tells
                failures += 1
                if failures == _FLEX_FAILURES:
                    tier = {}
                seconds = random.uniform(0, longest)  # noqa: S311 - spreads the calls, protects nothing
                if isinstance(failure, AwsCallRefused) or seconds_left() < seconds or wait(seconds):
                    raise failure from error
                longest = min(2 * longest, LONGEST_WAIT_SECONDS)
            else:
                if refused:
                    _without_flex.add(model)
                counted = response.get("usage") or {"inputTokens": 0, "outputTokens": 0}
                return Reply(
                    text="".join(block.get("text", "") for block in response["output"]["message"]["content"]),
                    usage=Usage(calls=1, input_tokens=counted["inputTokens"], output_tokens=counted["outputTokens"]),
                )


def _failure(error: Exception, model: str) -> TransientError | AwsCallRefused:
    if not isinstance(error, ClientError):
        return TransientError(f"Bedrock could not be reached ({type(error).__name__}). Try again later.")
    code = error_code(error)
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code in _PASSING or status >= 500 or status == 429:
        said = _PASSING.get(code, f"Bedrock returned {code}").format(model=model)
        return TransientError(f"{said}; try again later.")
    if code in _LASTING:
        return AwsCallRefused(f"{_LASTING[code].format(model=model)}.")
    return AwsCallRefused(f"Bedrock refused the request to the model '{model}' ({code}): {error_text(error)}")
