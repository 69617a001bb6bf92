"""What is known of a job once EndJob has ended it: alarms tell a failed job from one that a user stopped."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from idp_finetuning.adapters.bedrock import Bedrock
from idp_finetuning.adapters.tables.jobs import JobTable
from idp_finetuning.errors import JobNotFound
from idp_finetuning.jobs.failures import WorkflowError
from idp_finetuning.jobs.job import Failure, JobRun, JobStatus
from idp_finetuning.stages.end import end_job


class JobEnding(Failure):
    """What the failed execution shows, and for the log the job's status by then: None if its record is gone."""

    status: JobStatus | None = Field(default=None, exclude=True)

    def for_operators(self) -> Mapping[str, object]:
        """Return the fields of the log line, on which the alarm on failed jobs counts."""
        return {"job_status": str(self.status) if self.status else None}


def end_and_show(run: JobRun, error: WorkflowError, *, jobs: JobTable, bedrock: Bedrock) -> JobEnding:
    """End the job whose workflow ended, and return how. Idempotent."""
    failure = end_job(run, error, jobs=jobs, bedrock=bedrock)
    try:
        status = jobs.get(run.job_id).status
    except JobNotFound:
        status = None
    return JobEnding(code=failure.code, message=failure.message, status=status)
