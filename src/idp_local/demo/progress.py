"""Follows a fine-tuning job to its end and tells every change."""

from __future__ import annotations

import time
from collections.abc import Callable

from pydantic import BaseModel, ConfigDict

from idp_local.demo.console import Console
from idp_local.demo.failure import DemoFailed
from idp_sdk import IDPClient, Job, JobStatus, TrainingMetrics

POLL_SECONDS = 0.2
# A stage that shows nothing new for so long will not end.
SILENCE_SECONDS = 1_800
STAGES = (
    JobStatus.VALIDATING,
    JobStatus.GENERATING_DATA,
    JobStatus.TRAINING,
    JobStatus.DEPLOYING,
    JobStatus.COMPLETED,
)


class Followed(BaseModel):
    """An ended job and the statuses that were seen on the way, in order."""

    model_config = ConfigDict(frozen=True)

    state: Job
    seen: tuple[JobStatus, ...]
    seconds: float

    def check(self) -> str:
        """The deployment's ARN; raises DemoFailed where the job failed or a stage was never seen."""
        if self.state.status is not JobStatus.COMPLETED:
            stage = f" in {self.state.error_stage}" if self.state.error_stage else ""
            raise DemoFailed(f"The job ended as {self.state.status}{stage}: {self.state.error_message or 'no reason'}")
        if missing := [stage for stage in STAGES if stage not in self.seen]:
            raise DemoFailed(f"GraphQL never showed the job in {', '.join(missing)}.")
        if self.state.custom_model_deployment_arn is None:
            raise DemoFailed("The job is COMPLETED but names no deployment.")
        return self.state.custom_model_deployment_arn


def follow(
    client: IDPClient,
    started: Job,
    console: Console,
    *,
    now: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Followed:
    """Polls the job until it has ended: one line for each status, and for each loss within a status.

    Raises DemoFailed where nothing changes for half an hour.
    """
    begun = changed = now()
    state, seen = started, [started.status]
    console.say(progress_line(0, state))
    while not state.ended:
        sleep(POLL_SECONDS)
        latest = client.finetuning.get_job(started.id)
        if latest.status is not state.status:
            seen.append(latest.status)
        if _tells_more(state, latest):
            changed = now()
            console.say(progress_line(changed - begun, latest))
        elif now() - changed > SILENCE_SECONDS:
            raise DemoFailed(f"The job stayed in {latest.status} for {SILENCE_SECONDS // 60} minutes.")
        else:
            console.live(progress_line(now() - begun, latest))
        state = latest
    return Followed(state=state, seen=tuple(seen), seconds=now() - begun)


def _tells_more(before: Job, after: Job) -> bool:
    if before.status is not after.status:
        return True
    losses = losses_text(after.training_metrics)
    return after.status is JobStatus.TRAINING and losses != losses_text(before.training_metrics)


def progress_line(seconds: float, state: Job) -> str:
    """`  0:12  TRAINING         training loss 1.2345`."""
    minutes, rest = divmod(int(seconds), 60)
    losses = losses_text(state.training_metrics) if state.status is JobStatus.TRAINING else ""
    return f"  {minutes}:{rest:02d}  {state.status:<15}  {losses}".rstrip()


def losses_text(metrics: TrainingMetrics | None) -> str:
    """The losses Bedrock has reported, or nothing."""
    if metrics is None:
        return ""
    losses = (("training loss", metrics.training_loss), ("validation loss", metrics.validation_loss))
    return "   ".join(f"{name} {value:.4f}" for name, value in losses if value is not None)
