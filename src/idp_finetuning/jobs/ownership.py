"""Who owns a training in Bedrock: what ends it, and how long Bedrock may take to show what it accepted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from idp_finetuning.jobs.deadlines import DEADLINE_PASSED
from idp_finetuning.jobs.job import FinetuningJob, JobStatus

# A deployment took up to a minute after its creation until Get showed it (reported).
SHOWN_WITHIN = timedelta(minutes=10)


def is_abandoned(job: FinetuningJob | None) -> bool:
    """Return whether the job's trainings are to be stopped; None is a job whose record is gone.

    Only a user's stop or deletion, a passed deadline, or a missing record stops what is paid for. A job that failed for
    any other reason keeps its training, which a retry adopts.
    """
    if job is None or job.status in (JobStatus.STOPPING, JobStatus.STOPPED, JobStatus.DELETING):
        return True
    return job.status is JobStatus.FAILED and job.error_code == DEADLINE_PASSED


def may_be_unseen(created_at: str | None) -> bool:
    """Return whether Bedrock may not show yet what it accepted at this time."""
    return created_at is not None and datetime.now(UTC) - datetime.fromisoformat(created_at) < SHOWN_WITHIN
