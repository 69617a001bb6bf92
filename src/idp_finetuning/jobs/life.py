"""The life of a job: which status may follow which, what changes with it, and what its history says.

All functions are pure: they take the job as it is stored and return what becomes of it, or raise.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, TypedDict, Unpack

from idp_finetuning.errors import Conflict, FinetuningError, JobStopping, StaleState
from idp_finetuning.jobs.evaluation import EvaluationRequest, EvaluationRun, EvaluationStatus, JobEvaluation
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

# The stages in which Bedrock has nothing of the job, and those in which it works.
BEFORE_TRAINING = frozenset({JobStatus.VALIDATING, JobStatus.GENERATING_DATA})
IN_BEDROCK = frozenset({JobStatus.TRAINING, JobStatus.DEPLOYING})

# A status may follow itself, because every handler may run twice; a job fails and stops once, for the first reason.
MAY_BECOME_FROM: Mapping[JobStatus, frozenset[JobStatus]] = {
    JobStatus.VALIDATING: frozenset({JobStatus.VALIDATING}),
    JobStatus.GENERATING_DATA: frozenset({JobStatus.VALIDATING, JobStatus.GENERATING_DATA}),
    JobStatus.TRAINING: frozenset({JobStatus.GENERATING_DATA, JobStatus.TRAINING}),
    JobStatus.DEPLOYING: frozenset({JobStatus.TRAINING, JobStatus.DEPLOYING}),
    JobStatus.COMPLETED: frozenset({JobStatus.DEPLOYING, JobStatus.COMPLETED}),
    JobStatus.FAILED: frozenset(STAGES),
    JobStatus.STOPPING: frozenset({*STAGES, JobStatus.STOPPING}),
    # Before training there is nothing in Bedrock to be stopped first.
    JobStatus.STOPPED: frozenset({*BEFORE_TRAINING, JobStatus.STOPPING}),
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

    test_set_version: int | None
    training_attempt: int
    deployment_attempt: int
    deletion_attempt: int
    training_begun_at: str | None
    training_started_at: str | None
    training_completed_at: str | None
    deployment_begun_at: str | None
    deployment_started_at: str | None
    deployment_completed_at: str | None
    customization_job_arn: str | None
    customization_job_status: str | None
    custom_model_arn: str | None
    custom_model_deployment_arn: str | None
    training_metrics: TrainingMetrics | None
    documents: DocumentCounts | None
    validation_records: int
    omitted_hyper_parameters: tuple[str, ...]
    map_concurrency: int | None
    warnings: tuple[str, ...]
    error_stage: JobStatus | None
    error_code: str | None
    error_message: str | None
    waiting_for: str | None
    evaluation: JobEvaluation | None


class Resumption(WireModel):
    """The stage at which a failed or stopped job continues, and whether it begins another attempt in Bedrock."""

    stage: JobStatus
    new_attempt: bool = False


class Outcome(NamedTuple):
    """The job after a change, and the event its history gets; both are stored together or not at all."""

    job: FinetuningJob
    event: JobEvent | None = None


def require(job: FinetuningJob, run: JobRun, status: JobStatus, *others: JobStatus) -> None:
    """Check that the job is in this run and in one of these statuses.

    Raises JobStopping or StaleState.
    """
    if job.run != run.number or job.status not in (status, *others):
        raise _refusal(job, run, status)


def move(
    job: FinetuningJob, run: JobRun, to: JobStatus, message: str | None = None, **changes: Unpack[JobChanges]
) -> Outcome:
    """Move the job to a status, or change it within the status it has.

    A transition always has an event; `message` replaces its words. A change within a status has one if there is a
    message. If nothing changes there is no event.

    Raises:
        JobStopping: the job is being stopped.
        StaleState: the run is not the current one, or the job may not come to this status from its own.
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
    if to in IN_BEDROCK:
        transition |= {"restarts": 0, "restarted_at": None}
    return _change(job, message or _TRANSITION_MESSAGES[to], transition)


def begin_creation(job: FinetuningJob, run: JobRun, stage: JobStatus) -> Outcome:
    """Move the job to TRAINING or DEPLOYING, and note that this attempt's resource may exist in Bedrock from now on.

    The first note is kept. There is none once the ARN is known. Raises JobStopping or StaleState.
    """
    changes: JobChanges = {}
    if stage is JobStatus.TRAINING and not (job.customization_job_arn or job.training_begun_at):
        changes = {"training_begun_at": timestamp()}
    elif stage is JobStatus.DEPLOYING and not (job.custom_model_deployment_arn or job.deployment_begun_at):
        changes = {"deployment_begun_at": timestamp()}
    return move(job, run, stage, **changes)


def finish_creation(job: FinetuningJob, run: JobRun, stage: JobStatus, *, arn: str, at: str, message: str) -> Outcome:
    """Store the ARN of what Bedrock created in TRAINING or DEPLOYING; what another call has stored stays as it is.

    Raises JobStopping or StaleState.
    """
    if stage is JobStatus.TRAINING:
        known = job.customization_job_arn
        changes: JobChanges = {"customization_job_arn": arn, "training_started_at": at, "waiting_for": None}
    else:
        known = job.custom_model_deployment_arn
        changes = {"custom_model_deployment_arn": arn, "deployment_started_at": at, "waiting_for": None}
    return move(job, run, stage) if known == arn else move(job, run, stage, message, **changes)


def stop(job: FinetuningJob, run: JobRun, message: str) -> Outcome:
    """Move a running job to STOPPED if Bedrock has nothing of it yet, else to STOPPING, which its workflow ends."""
    if job.run == run.number and job.status in (JobStatus.STOPPING, JobStatus.STOPPED):
        return Outcome(job)
    to = JobStatus.STOPPED if job.status in BEFORE_TRAINING else JobStatus.STOPPING
    return move(job, run, to, message, error_stage=job.status)


def restart(job: FinetuningJob, run: JobRun, reason: str) -> Outcome:
    """Start the next run of a job whose workflow was lost: in its stage if Bedrock works for it, else from the start.

    Its deadline stays the one of the stage. Raises StaleState if the job has ended or was restarted meanwhile.
    """
    if job.run != run.number or job.status not in STAGES:
        raise _refusal(job, run, job.status)
    stage = job.status if job.status in IN_BEDROCK else JobStatus.VALIDATING
    restarted: dict[str, object] = {
        "status": stage,
        "run": job.run + 1,
        "restarts": job.restarts + 1,
        "restarted_at": timestamp(),
    }
    if stage is JobStatus.VALIDATING:
        restarted["documents"] = None
    return _change(job, f"{reason} Started again at {stage}, run {job.run + 1}.", restarted)


def complete(job: FinetuningJob, run: JobRun) -> Outcome:
    """Move the job to COMPLETED and begin its first evaluation with it, if one is wanted; a second call keeps both.

    In one write: a worker that dies after it leaves an evaluation that ReconcileJobs starts. Raises JobStopping or
    StaleState.
    """
    changes: JobChanges = {"deployment_completed_at": job.deployment_completed_at or timestamp()}
    if job.evaluate and job.status is not JobStatus.COMPLETED:
        changes["evaluation"] = JobEvaluation(
            number=1,
            status=EvaluationStatus.RUNNING,
            test_set_id=job.evaluation_test_set_id,
            started_at=timestamp(),
        )
    return move(job, run, JobStatus.COMPLETED, **changes)


def begin_evaluation(
    job: FinetuningJob, number: int, message: str, request: EvaluationRequest | None = None
) -> Outcome:
    """Begin the evaluation of this number of a completed job, unless another call has begun it.

    Without a request it is about the documents that the job held out. Raises StaleState if the job is not COMPLETED.
    """
    if job.status is not JobStatus.COMPLETED:
        raise StaleState(f"Job '{job.id}' is {job.status}; only a COMPLETED job can be evaluated.")
    if job.evaluation and job.evaluation.number >= number:
        return Outcome(job)
    begun = JobEvaluation(
        **dict(request or EvaluationRequest()),
        number=number,
        status=EvaluationStatus.RUNNING,
        started_at=timestamp(),
    )
    return _change(job, message, {"evaluation": begun})


def end_evaluation(job: FinetuningJob, run: EvaluationRun, ended: JobEvaluation) -> Outcome:
    """Store how an evaluation ended; one that the job no longer waits for changes nothing."""
    if job.status is not JobStatus.COMPLETED or job.evaluation_run != run:
        return Outcome(job)
    words = ended.sentence or f"Evaluation failed: {ended.error_message}"
    return _change(job, words, {"evaluation": ended})


def note_notification(job: FinetuningJob, run: JobRun, message: str) -> Outcome:
    """Store that the owner needs no more telling of this run's end; the event says why."""
    if job.run != run.number:
        return Outcome(job)
    return _change(job, message, {"notified_run": run.number})


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
    """Start the next run of a failed or stopped job; its event says `message` and the stage it continues at.

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
        "restarts": 0,
        "restarted_at": None,
    }
    return _change(job, f"{message} Resumed at {stage}, run {job.run + 1}.", transition)


def _renew(job: FinetuningJob, resumption: Resumption) -> JobChanges:
    """Return the changes that make way for another attempt: what the last one left and cannot be used again."""
    if resumption.stage is JobStatus.VALIDATING:
        return {"documents": None}
    if not resumption.new_attempt:
        return {}
    if resumption.stage is JobStatus.DEPLOYING:
        return {
            "deployment_attempt": job.deployment_attempt + 1,
            "custom_model_deployment_arn": None,
            "deployment_begun_at": None,
            "deployment_started_at": None,
        }
    return {
        "training_attempt": job.training_attempt + 1,
        "customization_job_arn": None,
        "customization_job_status": None,
        "training_begun_at": None,
        "training_started_at": None,
        "omitted_hyper_parameters": (),
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
