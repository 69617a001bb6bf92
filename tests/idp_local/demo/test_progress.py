from __future__ import annotations

from io import StringIO
from typing import Any

import pytest

from idp_local.demo.console import Console
from idp_local.demo.failure import DemoFailed
from idp_local.demo.progress import SILENCE_SECONDS, Followed, follow
from idp_sdk import Job
from tests.support.sdk.answers import job
from tests.support.sdk.deployment import Deployment

ARN = "arn:aws:bedrock:us-east-1:123456789012:custom-model-deployment/abc123def456"


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def training(loss: float | None) -> dict[str, Any]:
    return {"status": "TRAINING", "trainingMetrics": {"trainingLoss": loss, "validationLoss": None}}


COMPLETED = {"status": "COMPLETED", "customModelDeploymentArn": ARN}
WHOLE = [
    {"status": "VALIDATING"},
    {"status": "GENERATING_DATA"},
    {"status": "TRAINING"},
    training(None),
    training(1.5),
    training(1.5),
    training(0.25),
    {"status": "DEPLOYING"},
    COMPLETED,
]


def followed(states: list[dict[str, Any]], stream: StringIO | None = None, step: float = 10.0) -> tuple[Followed, str]:
    stream = stream or StringIO()
    moments = iter(float(step * number) for number in range(100_000))
    deployment = Deployment()
    deployment.answers = {"getFinetuningJob": [job(**state) for state in states]}
    result = follow(
        deployment.signed_in(),
        Job.model_validate(job()),
        Console(stream),
        now=lambda: next(moments),
        sleep=lambda seconds: None,
    )
    return result, stream.getvalue()


def test_each_status_and_each_loss_is_one_line() -> None:
    result, output = followed(WHOLE, step=1)
    words = [line.split(maxsplit=1)[1] for line in output.splitlines()]
    assert words == [
        "VALIDATING",
        "GENERATING_DATA",
        "TRAINING",
        "TRAINING         training loss 1.5000",
        "TRAINING         training loss 0.2500",
        "DEPLOYING",
        "COMPLETED",
    ]
    assert result.check() == ARN


def test_a_terminal_sees_the_current_line_refreshed() -> None:
    _, output = followed(WHOLE, Terminal())
    assert "\r\x1b[2K" in output
    assert "\r" not in followed(WHOLE)[1]


def test_a_stage_that_graphql_never_showed_fails_the_demo() -> None:
    result, _ = followed([state for state in WHOLE if state["status"] != "DEPLOYING"])
    with pytest.raises(DemoFailed, match="never showed the job in DEPLOYING"):
        result.check()


def test_a_failed_job_fails_the_demo_with_stage_and_message() -> None:
    failed = {"status": "FAILED", "errorStage": "TRAINING", "errorMessage": "Training failed: out of luck"}
    result, _ = followed([*WHOLE[:4], failed])
    with pytest.raises(DemoFailed, match="FAILED in TRAINING: Training failed: out of luck"):
        result.check()


def test_a_job_that_shows_nothing_new_is_given_up() -> None:
    with pytest.raises(DemoFailed, match="stayed in TRAINING for 30 minutes"):
        followed(WHOLE[:4], step=SILENCE_SECONDS / 10)
