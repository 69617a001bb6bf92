"""How long a job may stay in a stage before it is ended."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from idp_finetuning.jobs.failures import stage_failure
from idp_finetuning.jobs.job import Failure, FinetuningJob, JobStatus
from idp_finetuning.wire import WireModel

# The error code of a job that was ended for its age.
DEADLINE_PASSED = "DeadlinePassed"
# Validating and generating end by themselves: their functions have 15 minutes and a few tries. Two days are far
# beyond the largest test set.
PREPARING = timedelta(hours=48)
# A stop is seen at a workflow's next step, which is a poll or the document in hand away.
STOPPING = timedelta(hours=1)


class Deadlines(WireModel):
    """How long the start of training in Bedrock, the training, and the deployment with its waits may take."""

    not_started: timedelta
    training: timedelta
    deployment: timedelta

    def check(self, job: FinetuningJob, *, training_started: bool) -> Failure | None:
        """Return the failure of a job that has been in its stage for too long, else None."""
        since = job.stage_started_at or job.created_at
        age = datetime.now(UTC) - datetime.fromisoformat(since)
        if job.status is JobStatus.TRAINING and not training_started and age > self.not_started:
            return _late(job.status, f"Bedrock has not started training for {_hours(self.not_started)}.")
        if job.status is JobStatus.TRAINING and age > self.training:
            return _late(job.status, f"it has not ended within {_hours(self.training)}.{_waited(job)}")
        if job.status is JobStatus.DEPLOYING and age > self.deployment:
            return _late(job.status, f"it has not ended within {_hours(self.deployment)}.{_waited(job)}")
        if job.status in (JobStatus.VALIDATING, JobStatus.GENERATING_DATA) and age > PREPARING:
            return _late(JobStatus.GENERATING_DATA, f"it has not ended within {_hours(PREPARING)}.")
        if job.status is JobStatus.STOPPING and age > STOPPING:
            return _late(job.status, f"the workflow has not ended within {_hours(STOPPING)}.")
        return None


def _late(stage: JobStatus, message: str) -> Failure:
    return stage_failure(stage, DEADLINE_PASSED, f"{message} Retry the job; see Bedrock's console for its state.")


def _waited(job: FinetuningJob) -> str:
    return f" It waited for: {job.waiting_for}" if job.waiting_for else ""


def _hours(span: timedelta) -> str:
    hours = span.total_seconds() / 3600
    return f"{hours:g} hour{'' if hours == 1 else 's'}"
