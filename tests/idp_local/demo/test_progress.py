from __future__ import annotations

from typing import Any

import pytest

from idp_local.demo.failure import DemoFailed
from idp_local.demo.progress import SILENCE_SECONDS, Followed, follow
from idp_sdk import Job
from tests.support.sdk.answers import job
from tests.support.sdk.deployment import Deployment

ARN = "arn:aws:bedrock:us-east-1:123456789012:custom-model-deployment/abc123def456"


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


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("idp_local.demo.progress.POLL_SECONDS", 0)


def follow_through(states: list[dict[str, Any]], step: float = 10.0) -> Followed:
    moments = iter(float(step * number) for number in range(100_000))
    deployment = Deployment()
    deployment.answers = {"getFinetuningJob": [job(**state) for state in states]}
    return follow(deployment.signed_in(), Job.model_validate(job()), now=lambda: next(moments))


def test_each_status_and_each_loss_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    result = follow_through(WHOLE, step=1)
    words = [line.split(maxsplit=1)[1] for line in capsys.readouterr().err.splitlines()]
    assert words == [
        "VALIDATING",
        "GENERATING_DATA",
        "TRAINING",
        "TRAINING         training 1.5",
        "TRAINING         training 0.25",
        "DEPLOYING",
        "COMPLETED",
    ]
    assert result.check() == ARN


def test_a_stage_that_graphql_never_showed_fails_the_demo() -> None:
    result = follow_through([state for state in WHOLE if state["status"] != "DEPLOYING"])
    with pytest.raises(DemoFailed, match="never showed the job in DEPLOYING"):
        result.check()


def test_a_failed_job_fails_the_demo_with_stage_and_message() -> None:
    failed = {"status": "FAILED", "errorStage": "TRAINING", "errorMessage": "Training failed: out of luck"}
    result = follow_through([*WHOLE[:4], failed])
    with pytest.raises(DemoFailed, match="FAILED in TRAINING: Training failed: out of luck"):
        result.check()


def test_a_job_that_shows_nothing_new_is_given_up() -> None:
    with pytest.raises(DemoFailed, match="stayed in TRAINING for 30 minutes"):
        follow_through(WHOLE[:4], step=SILENCE_SECONDS / 10)
