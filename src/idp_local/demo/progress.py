"""Follows a fine-tuning job to its end, shown as the command line shows it, and remembers the statuses it had."""

from __future__ import annotations

import time
from collections.abc import Callable

from pydantic import BaseModel, ConfigDict

from idp_cli.following import job_display
from idp_local.demo.failure import DemoFailed
from idp_sdk import IDPClient, Job, JobStatus

POLL_SECONDS = 0.2
# A stage that shows nothing new for this long will not end.
SILENCE_SECONDS = 1_800
STAGES = (
    JobStatus.VALIDATING,
    JobStatus.GENERATING_DATA,
    JobStatus.TRAINING,
    JobStatus.DEPLOYING,
    JobStatus.COMPLETED,
)


class Followed(BaseModel):
    """An ended job and the statuses it was seen in, in order."""

    model_config = ConfigDict(frozen=True)

    state: Job
    seen: tuple[JobStatus, ...]

    def check(self) -> str:
        """Return the deployment's ARN. Raises DemoFailed if the job failed or was never seen in one of the stages."""
        if self.state.status is not JobStatus.COMPLETED:
            stage = f" in {self.state.error_stage}" if self.state.error_stage else ""
            raise DemoFailed(f"The job ended as {self.state.status}{stage}: {self.state.error_message or 'no reason'}")
        if missing := [stage for stage in STAGES if stage not in self.seen]:
            raise DemoFailed(f"GraphQL never showed the job in {', '.join(missing)}.")
        if self.state.custom_model_deployment_arn is None:
            raise DemoFailed("The job is COMPLETED but names no deployment.")
        return self.state.custom_model_deployment_arn


def follow(client: IDPClient, started: Job, *, now: Callable[[], float] = time.monotonic) -> Followed:
    """Show the job until it has ended. Raises DemoFailed if nothing changes for half an hour."""
    latest, changed_at, seen = started, now(), [started.status]

    with job_display() as show:

        def observe(job: Job) -> None:
            nonlocal latest, changed_at
            show(job)
            if (job.status, job.training_metrics) != (latest.status, latest.training_metrics):
                changed_at = now()
            elif now() - changed_at > SILENCE_SECONDS:
                raise DemoFailed(f"The job stayed in {job.status} for {SILENCE_SECONDS // 60} minutes.")
            if job.status is not latest.status:
                seen.append(job.status)
            latest = job

        ended = client.finetuning.wait_for_completion(started.id, poll_interval=POLL_SECONDS, on_progress=observe)
    return Followed(state=ended, seen=tuple(seen))
