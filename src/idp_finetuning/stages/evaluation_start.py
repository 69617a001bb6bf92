"""Start an evaluation of a job, and keep how it ended on the job."""

from __future__ import annotations

from contextlib import suppress

from idp_finetuning.adapters.aws_calls import aws_calls
from idp_finetuning.adapters.lambda_handler import logger
from idp_finetuning.adapters.tables.jobs import JobTable
from idp_finetuning.adapters.workflows import Workflow
from idp_finetuning.errors import FinetuningError, JobNotFound
from idp_finetuning.jobs import life
from idp_finetuning.jobs.failures import WorkflowError, evaluation_failure
from idp_finetuning.jobs.job import EvaluationRun, EvaluationStatus, Failure, FinetuningJob, JobEvaluation
from idp_finetuning.wire import timestamp


def start_evaluation(job: FinetuningJob, message: str, *, jobs: JobTable, workflow: Workflow) -> FinetuningJob:
    """Begin the evaluation that follows the job's latest one, and start its execution; calls at once begin one.

    An evaluation whose execution cannot be started has FAILED, and the error is raised. Raises StaleState if the job is
    not COMPLETED.
    """
    number = job.evaluation.number + 1 if job.evaluation else 1
    begun = jobs.update(job.id, lambda found: life.begin_evaluation(found, number, message))
    _start_execution(begun, jobs, workflow)
    return begun


def evaluate_completed(job: FinetuningJob, *, jobs: JobTable, workflow: Workflow) -> None:
    """Start the first evaluation of a job that has just been completed, unless that was done. Never raises for it."""
    try:
        with aws_calls():
            if job.evaluation is None:
                start_evaluation(job, "Asking the models about the held-out documents.", jobs=jobs, workflow=workflow)
            elif job.evaluation_run and job.evaluation.number == 1:
                _start_execution(job, jobs, workflow)  # a call before this one may have died in between
    except FinetuningError as error:
        logger.warning("the evaluation was not started", extra={"error_code": error.code, "reason": error.message})


def _start_execution(job: FinetuningJob, jobs: JobTable, workflow: Workflow) -> None:
    run = job.evaluation_run
    if run is None:
        return
    try:
        with aws_calls():
            workflow.start(run, job.evaluation_name)
    except FinetuningError as error:
        fail_evaluation(run, f"The evaluation could not be started ({error.code}). Evaluate the job again.", jobs=jobs)
        raise


def fail_evaluation(run: EvaluationRun, reason: str, *, jobs: JobTable) -> None:
    """Note on the job why its evaluation failed; the job stays COMPLETED."""

    def end(job: FinetuningJob) -> life.Outcome:
        running = job.evaluation or JobEvaluation(
            number=run.number, status=EvaluationStatus.RUNNING, started_at=timestamp()
        )
        changes = {"status": EvaluationStatus.FAILED, "ended_at": timestamp(), "error_message": reason}
        return life.end_evaluation(job, run, running.model_copy(update=changes))

    jobs.update(run.job_id, end)


def end_evaluation(run: EvaluationRun, error: WorkflowError, *, jobs: JobTable) -> Failure:
    """Note on the job why its evaluation failed, if the job is still there."""
    failure = evaluation_failure(error)
    with suppress(JobNotFound):
        fail_evaluation(run, failure.message, jobs=jobs)
    return failure
