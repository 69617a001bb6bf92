"""Operations that evaluate a job's model and show what came out."""

from __future__ import annotations

from pydantic import Field

from idp_finetuning.adapters.services import Services
from idp_finetuning.errors import Conflict, InvalidInput, StaleState
from idp_finetuning.evaluation.gate import GateResult, judge_gate
from idp_finetuning.evaluation.layout import EvaluationLayout
from idp_finetuning.evaluation.report import EvaluatedPage, EvaluationReport
from idp_finetuning.evaluation.two_jobs import JobComparison, compare_jobs
from idp_finetuning.jobs.job import FinetuningJob, JobStatus
from idp_finetuning.operations.arguments import Id, JobArguments, PageArguments
from idp_finetuning.operations.identity import Identity, shown_name
from idp_finetuning.operations.lines import read_page_of_lines
from idp_finetuning.pagination import Page
from idp_finetuning.stages.evaluation_start import fail_evaluation, start_evaluation, start_execution
from idp_finetuning.wire import read_stored_json


def evaluate_finetuning_job(arguments: JobArguments, identity: Identity, services: Services) -> FinetuningJob:
    """Start an evaluation of a completed job; while one runs, return the job as it is.

    Answers that an earlier evaluation stored are not asked for again. Raises Conflict if the job is not COMPLETED.
    """
    job = services.jobs.get(arguments.job_id)
    if job.status is not JobStatus.COMPLETED:
        raise Conflict(f"Job '{job.id}' is {job.status}; only the model of a COMPLETED job can be evaluated.")
    if run := job.evaluation_run:
        status = services.evaluation.status(job.evaluation_name)
        if status is None:
            start_execution(
                job, jobs=services.jobs, workflow=services.evaluation
            )  # a request at the same time may, too
        if status is None or not status.has_failed:
            return job
        fail_evaluation(run, "Its execution ended before its end was noted.", jobs=services.jobs)
    try:
        return start_evaluation(
            job,
            f"{shown_name(identity, services)} asked for an evaluation.",
            jobs=services.jobs,
            workflow=services.evaluation,
        )
    except StaleState as moved:
        raise Conflict(f"Job '{job.id}' was deleted by another request just now.") from moved


class GateArguments(JobArguments):
    """Arguments of gateFinetuningJob, in shares: 0.05 is 5 points."""

    minimum_gain: float | None = Field(default=None, ge=-1, le=1)
    maximum_loss_per_class: float | None = Field(default=None, ge=0, le=1)


def gate_finetuning_job(arguments: GateArguments, identity: Identity, services: Services) -> GateResult:
    """Say whether the model may go live, by its latest evaluation. Raises Conflict if that has no report."""
    report = get_evaluation_report(arguments, identity, services)
    return judge_gate(
        report,
        minimum_gain=arguments.minimum_gain or 0,
        maximum_loss_per_class=arguments.maximum_loss_per_class,
    )


def get_evaluation_report(arguments: JobArguments, identity: Identity, services: Services) -> EvaluationReport:
    """Return the report of the job's latest evaluation that has one. Raises Conflict if none has."""
    return read_report(services.jobs.get(arguments.job_id), services)


class EvaluatedPagesArguments(PageArguments, JobArguments):
    """Arguments of listEvaluatedPages."""


def list_evaluated_pages(
    arguments: EvaluatedPagesArguments, identity: Identity, services: Services
) -> Page[EvaluatedPage]:
    """Return what each contestant said of each scored page. Raises Conflict if there is no report."""
    job = services.jobs.get(arguments.job_id)
    report = read_report(job, services)
    layout = EvaluationLayout(job_id=job.id, number=report.number)
    return read_page_of_lines(services.data, layout.pages, EvaluatedPage, arguments)


class ComparisonArguments(JobArguments):
    """Arguments of compareFinetuningJobs."""

    other_job_id: Id


def compare_finetuning_jobs(arguments: ComparisonArguments, identity: Identity, services: Services) -> JobComparison:
    """Compare the other job's model with this one's on the documents that both held out.

    Raises Conflict if one has no evaluation report, InvalidInput if they have no such document.
    """
    jobs = [services.jobs.get(job_id) for job_id in (arguments.job_id, arguments.other_job_id)]
    first, second = (_read_pages(job, services) for job in jobs)
    names = [f"the model of job '{job.job_name}'" for job in jobs]
    same_set = jobs[0].test_set_id == jobs[1].test_set_id
    found = compare_jobs(first, second, *names) if same_set else None
    if found is None:
        raise InvalidInput(
            "The jobs have no held-out document in common. Compare jobs on the same test set, with the same trainSplit."
        )
    return found


def _read_pages(job: FinetuningJob, services: Services) -> list[EvaluatedPage]:
    layout = EvaluationLayout(job_id=job.id, number=read_report(job, services).number)
    return [read_stored_json(EvaluatedPage, line) for line in services.data.read(layout.pages).splitlines()]


def read_report(job: FinetuningJob, services: Services) -> EvaluationReport:
    """Return the report of the job's latest evaluation that has one. Raises Conflict if none has."""
    latest = job.evaluation
    numbers = range(latest.number if latest else 0, 0, -1)
    keys = (EvaluationLayout(job_id=job.id, number=number).report for number in numbers)
    report = next(filter(None, (services.data.read_model(key, EvaluationReport) for key in keys)), None)
    if report is None:
        state = f"its evaluation {latest.number} is {latest.status}" if latest else "it was not evaluated"
        reason = f": {latest.error_message}" if latest and latest.error_message else ""
        raise Conflict(
            f"Job '{job.id}' has no evaluation report: {state}{reason.rstrip('.')}. evaluateFinetuningJob starts an "
            "evaluation of a COMPLETED job."
        )
    return report
