"""EndJob: ends a job that failed or was stopped."""

from __future__ import annotations

from idp_finetuning.adapters.lambda_handler import state_handler
from idp_finetuning.adapters.services import Services
from idp_finetuning.jobs.failures import WorkflowError
from idp_finetuning.jobs.job import JobRun
from idp_finetuning.stages.job_ending import JobEnding, end_and_show


class FailureEvent(JobRun):
    """A job and what Step Functions caught."""

    error: WorkflowError


@state_handler(FailureEvent, shown=JobEnding.for_operators)
def handler(event: FailureEvent, services: Services) -> JobEnding:
    """Return what the failed execution shows in the console."""
    return end_and_show(event, event.error, jobs=services.jobs, bedrock=services.bedrock)
