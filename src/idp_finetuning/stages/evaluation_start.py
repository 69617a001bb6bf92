"""Start an evaluation of a job, and keep how it ended on the job."""

from __future__ import annotations

from idp_finetuning.adapters.aws_calls import aws_calls
from idp_finetuning.adapters.lambda_handler import logger
from idp_finetuning.adapters.tables.jobs import JobTable
from idp_finetuning.adapters.workflows import Workflow
from idp_finetuning.errors import FinetuningError
from idp_finetuning.jobs import life
from idp_finetuning.jobs.evaluation import EvaluationRequest, EvaluationRun
from idp_finetuning.jobs.failures import WorkflowError, evaluation_failure
from idp_finetuning.jobs.job import Failure, FinetuningJob
from idp_finetuning.stages.evaluation_records import EvaluationRecords, fail_job_evaluation


def start_evaluation(
    job: FinetuningJob,
    message: str,
    request: EvaluationRequest,
    *,
    jobs: JobTable,
    workflow: Workflow,
) -> FinetuningJob:
    """Begin the evaluation that follows the job's latest one, and start its execution; calls at once begin one.

    An evaluation whose execution cannot be started
    has FAILED, and the error is raised. Raises StaleState if the job is not COMPLETED.
    """
    number = job.evaluation.number + 1 if job.evaluation else 1
    begun = jobs.update(job.id, lambda found: life.begin_evaluation(found, number, message, request))
    start_execution(begun, jobs=jobs, workflow=workflow)
    return begun


def start_first_evaluation(job: FinetuningJob, *, jobs: JobTable, workflow: Workflow) -> None:
    """Start the execution of a completed job's first evaluation, unless it has one; a refusal is noted on the job."""
    if not job.evaluation_run or job.evaluation_run.number > 1:
        return
    try:
        with aws_calls():
            start_execution(job, jobs=jobs, workflow=workflow)
    except FinetuningError as error:
        logger.warning("the evaluation was not started", extra={"error_code": error.code, "reason": error.message})


def start_execution(job: FinetuningJob, *, jobs: JobTable, workflow: Workflow) -> None:
    """Start the execution of the evaluation that runs. If that is refused it has FAILED, and the error is raised."""
    run = job.evaluation_run
    if run is None:
        return
    try:
        with aws_calls():
            workflow.start(run, job.evaluation_name)
    except FinetuningError as error:
        reason = f"The evaluation could not be started ({error.code}). Evaluate the job again."
        fail_job_evaluation(run, reason, jobs=jobs)
        raise


def end_evaluation(run: EvaluationRun, error: WorkflowError, *, records: EvaluationRecords) -> Failure:
    """Note why an evaluation failed, if its job or test set is still there."""
    failure = evaluation_failure(error)
    records.fail(run, failure.message)
    return failure
