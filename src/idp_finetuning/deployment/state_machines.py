"""The state machines: their names, and how a definition in statemachines/ is rendered.

A definition is JSON with placeholders. `"${Retry}"`, `"${RemovalRetry}"` and `"${FinalErrors}"` are whole values,
replaced by JSON; all others (`${<function>Arn}`, `${DataBucketName}`) are names within strings.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

FINETUNING = "finetuning"
DELETION = "deletion"
EVALUATION = "evaluation"
STATE_MACHINES = (FINETUNING, DELETION, EVALUATION)

# The first wait of a retried task in AWS; it doubles with each try.
RETRY_INTERVAL_SECONDS = 2
# A throttled invocation has done nothing and costs nothing: with these waits, half of the longest on average, it is
# tried for about an hour and a half. The longest wait must exceed the interval (Amazon States Language, "Retry").
THROTTLING_TRIES = 180
THROTTLING_WAIT_INTERVALS = 30

# What ends a job from the states that watch Bedrock. Any other failure is the observer's own: it waits and asks again.
FINAL_ERRORS = ("DeploymentFailed", "InvalidInput", "JobNotFound", "JobStopping", "StaleState", "TrainingFailed")
# Bedrock may take hours to remove what it has just made: after a dozen tries every five minutes, for four hours.
REMOVAL_TRIES = 55
LONGEST_REMOVAL_PAUSE_SECONDS = 300

_PLACEHOLDER = re.compile(r"\$\{(\w+)\}")


def state_machine_name(name: str, prefix: str) -> str:
    """`<prefix>-<name>`, for example idp-finetuning-deletion."""
    return f"{prefix}-{name}"


def placeholders(definition: str) -> set[str]:
    """Return the names of all placeholders in the text of a definition."""
    return set(_PLACEHOLDER.findall(definition))


def retry_policy(interval_seconds: int) -> list[dict[str, object]]:
    """Return the `Retry` member of every Task.

    Retried are Lambda's own passing failures (Step Functions guide, "Handle transient Lambda service exceptions") and
    TransientError; throttling much longer than the others, and by a count of its own. A worker that died is tried once
    more: its document may have killed it. A timeout is not retried.
    """
    transient = (
        "Lambda.ServiceException",
        "Lambda.AWSLambdaException",
        "Lambda.SdkClientException",
        "Lambda.ClientExecutionTimeoutException",
        "TransientError",
    )
    return [
        {
            "ErrorEquals": ["Lambda.TooManyRequestsException"],
            "IntervalSeconds": interval_seconds,
            "MaxAttempts": THROTTLING_TRIES,
            "BackoffRate": 2,
            "MaxDelaySeconds": interval_seconds * THROTTLING_WAIT_INTERVALS,
            "JitterStrategy": "FULL",
        },
        {
            "ErrorEquals": list(transient),
            "IntervalSeconds": interval_seconds,
            "MaxAttempts": 6,
            "BackoffRate": 2,
            "JitterStrategy": "FULL",
        },
        {"ErrorEquals": ["Runtime.ExitError"], "IntervalSeconds": interval_seconds, "MaxAttempts": 1},
    ]


def removal_policy(interval_seconds: int) -> list[dict[str, object]]:
    """Return the `Retry` member of a Task that removes something in Bedrock."""
    pending: dict[str, object] = {
        "ErrorEquals": ["RemovalPending"],
        "IntervalSeconds": interval_seconds,
        "MaxAttempts": REMOVAL_TRIES,
        "BackoffRate": 2,
        "MaxDelaySeconds": LONGEST_REMOVAL_PAUSE_SECONDS,
    }
    return [pending, *retry_policy(interval_seconds)]


def render_definition(
    definition: str,
    *,
    retry_interval_seconds: int = RETRY_INTERVAL_SECONDS,
    names: Mapping[str, str] | None = None,
) -> str:
    """Return the definition with the retry policies, and with those names that are given."""
    values: dict[str, object] = {
        "Retry": retry_policy(retry_interval_seconds),
        "RemovalRetry": removal_policy(retry_interval_seconds),
        "FinalErrors": list(FINAL_ERRORS),
    }
    for placeholder, value in values.items():
        definition = definition.replace(f'"${{{placeholder}}}"', json.dumps(value))
    known = names or {}
    return _PLACEHOLDER.sub(lambda match: known.get(match[1], match[0]), definition)
