"""The life of a job: which status may follow which, what changes with it, and what its history says.

All functions are pure: they take the job as it is stored and return what becomes of it, or raise.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, TypedDict, Unpack

from idp_finetuning.errors import Conflict, FinetuningError, JobStopping, StaleState
from idp_finetuning.jobs.job import (
    ENDED,
    STAGES,
    DocumentCounts,
    Failure,
    FinetuningJob,
    JobEvent,
    JobRun,
    JobStatus,
    TrainingMetrics,
)
from idp_finetuning.wire import WireModel, timestamp

# A status may follow itself, because every handler may run twice; a job fails and stops once, for the first reason.
MAY_BECOME_FROM: Mapping[JobStatus, frozenset[JobStatus]] = {
    JobStatus.VALIDATING: frozenset({JobStatus.VALIDATING}),
    JobStatus.GENERATING_DATA: frozenset({JobStatus.VALIDATING, JobStatus.GENERATING_DATA}),
    JobStatus.TRAINING: frozenset({JobStatus.GENERATING_DATA, JobStatus.TRAINING}),
    JobStatus.DEPLOYING: frozenset({JobStatus.TRAINING, JobStatus.DEPLOYING}),
    JobStatus.COMPLETED: frozenset({JobStatus.DEPLOYING, JobStatus.COMPLETED}),
    JobStatus.FAILED: frozenset(STAGES),
    JobStatus.STOPPING: frozenset({*STAGES, JobStatus.STOPPING}),
    JobStatus.STOPPED: frozenset({JobStatus.STOPPING}),
    JobStatus.DELETING: frozenset({*ENDED, JobStatus.DELETING}),
}
RESUMABLE = frozenset({JobStatus.FAILED, JobStatus.STOPPED})

# What the history says of a transition that has no words of its own.
_TRANSITION_MESSAGES: Mapping[JobStatus, str] = {
    JobStatus.VALIDATING: "Checking the test set.",
    JobStatus.GENERATING_DATA: "Converting documents to training data.",
    JobStatus.TRAINING: "Submitting the customization job to Bedrock.",
    JobStatus.DEPLOYING: "Creating the on-demand deployment.",
    JobStatus.COMPLETED: "The model is ready to use.",
    JobStatus.FAILED: "The job failed.",
    JobStatus.STOPPING: "Stopping was asked for.",
    JobStatus.STOPPED: "The job is stopped.",
    JobStatus.DELETING: "Deletion was asked for.",
}
_EVENT_CHARACTERS = 1000


class JobChanges(TypedDict, total=False):
    """What a stage or an operation may change of a job; the rest changes by transitions alone."""

    training_attempt: int
    deployment_attempt: int
    deletion_attempt: int
    training_started_at: str | None
    training_completed_at: str | None
    deployment_completed_at: str | None
    customization_job_arn: str | None
    customization_job_status: str | None
    custom_model_arn: str | None
    custom_model_deployment_arn: str | None
    training_metrics: TrainingMetrics | None
    documents: DocumentCounts | None
    validation_records: int
    map_concurrency: int | None
    warnings: tuple[str, ...]
    error_stage: JobStatus | None
    error_code: str | None
    error_message: str | None
    waiting_for: str | None


class Resumption(WireModel):
    """Where a failed or stopped job goes on, and whether that stage begins another attempt in Bedrock."""

    stage: JobStatus
    new_attempt: bool = False


class Outcome(NamedTuple):
    """The job after a change, and the event its history gets; both are stored together or not at all."""

    job: FinetuningJob
    event: JobEvent | None = None


def require(job: FinetuningJob, run: JobRun, status: JobStatus) -> None:
    """Check that the job is in this run and status.

    Raises JobStopping or StaleState.
    """
    if job.run != run.number or job.status is not status:
        raise _refusal(job, run, status)


def move(
    job: FinetuningJob, run: JobRun, to: JobStatus, message: str | None = None, **changes: Unpack[JobChanges]
) -> Outcome:
    """Move the job to a status, or change it within the status it has.

    A transition always has an event; `message` replaces its words. A change within a status has one if there is a
    message. If nothing changes there is no event.

    Raises:
        JobStopping: the job is being stopped.
        StaleState: the run is not the current one, or the job may not come to this status from where it is.
        Conflict: the job is to be deleted, but configuration versions use its model.
    """
    if job.run != run.number or job.status not in MAY_BECOME_FROM[to]:
        raise _refusal(job, run, to)
    if to is JobStatus.DELETING and job.used_by:
        # The caller may not be allowed to know the names.
        raise Conflict(f"The model of job '{job.id}' is used by a configuration version. Try again to see which.")
    if job.status is to:
        return _change(job, message, changes)
    transition = {**changes, "status": to, "stage_started_at": timestamp()}
    return _change(job, message or _TRANSITION_MESSAGES[to], transition)


def fail(job: FinetuningJob, run: JobRun, stage: JobStatus, failure: Failure) -> Outcome:
    """Move a job that is still in this stage to FAILED; a deletion that failed stays DELETING and shows the failure.

    Raises JobStopping or StaleState if the job has left the stage.
    """
    require(job, run, stage)
    return move(
        job,
        run,
        JobStatus.DELETING if stage is JobStatus.DELETING else JobStatus.FAILED,
        failure.message,
        error_code=failure.code,
        error_message=failure.message,
        error_stage=stage,
        waiting_for=None,
    )


def resume(job: FinetuningJob, run: JobRun, resumption: Resumption, message: str) -> Outcome:
    """Start the next run of a failed or stopped job; its event says `message` and where the job goes on.

    Raises JobStopping or StaleState if another request resumed or deleted the job meanwhile.
    """
    stage = resumption.stage
    if job.run != run.number or job.status not in RESUMABLE:
        raise _refusal(job, run, stage)
    transition = {
        **_renew(job, resumption),
        "status": stage,
        "run": job.run + 1,
        "stage_started_at": timestamp(),
        "error_code": None,
        "error_message": None,
        "error_stage": None,
        "waiting_for": None,
    }
    return _change(job, f"{message} Resumed at {stage}, run {job.run + 1}.", transition)


def _renew(job: FinetuningJob, resumption: Resumption) -> JobChanges:
    """Return the changes that make way for another attempt: what the last one left and cannot be used again."""
    if resumption.stage is JobStatus.VALIDATING:
        return {"documents": None}
    if not resumption.new_attempt:
        return {}
    if resumption.stage is JobStatus.DEPLOYING:
        return {"deployment_attempt": job.deployment_attempt + 1, "custom_model_deployment_arn": None}
    return {
        "training_attempt": job.training_attempt + 1,
        "customization_job_arn": None,
        "customization_job_status": None,
        "training_metrics": None,
    }


def _change(job: FinetuningJob, message: str | None, changes: Mapping[str, object]) -> Outcome:
    after = FinetuningJob.model_validate({**dict(job), **changes})
    if after == job:
        return Outcome(job)
    now = timestamp()
    after = after.model_copy(update={"updated_at": now, "revision": job.revision + 1})
    event = JobEvent(at=now, type=after.status.value, message=message[:_EVENT_CHARACTERS]) if message else None
    return Outcome(after, event)


def _refusal(job: FinetuningJob, run: JobRun, to: JobStatus) -> FinetuningError:
    if job.run == run.number and job.status in (JobStatus.STOPPING, JobStatus.STOPPED):
        return JobStopping(f"Job '{job.id}' is being stopped.")
    return StaleState(
        f"Job '{job.id}' is {job.status} in run {job.run} and cannot become {to} in run {run.number}. Nothing was "
        "changed."
    )
