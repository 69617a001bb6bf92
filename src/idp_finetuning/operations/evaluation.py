"""Operations that evaluate a job's model and show what came out."""

from __future__ import annotations

from pydantic import Field

from idp_finetuning.adapters.services import Services
from idp_finetuning.errors import Conflict, InvalidInput, StaleState
from idp_finetuning.evaluation.cost import CostBound, bound_cost, require_price
from idp_finetuning.evaluation.gate import GateResult, judge_gate
from idp_finetuning.evaluation.layout import EvaluationLayout
from idp_finetuning.evaluation.plan import MAXIMUM_PAGES, OUT_OF_SCOPE_PAGES, REPEATED_PAGES
from idp_finetuning.evaluation.report import EvaluatedPage, EvaluationReport
from idp_finetuning.evaluation.two_jobs import JobComparison, compare_jobs
from idp_finetuning.jobs.evaluation import EvaluationRequest
from idp_finetuning.jobs.job import FinetuningJob, JobStatus
from idp_finetuning.jobs.layout import JobLayout
from idp_finetuning.nova.base_models import find_base_model
from idp_finetuning.nova.prompt import Prompt
from idp_finetuning.operations.arguments import Id, JobArguments, PageArguments
from idp_finetuning.operations.identity import Identity, shown_name
from idp_finetuning.operations.lines import read_page_of_lines
from idp_finetuning.pagination import Page
from idp_finetuning.stages.evaluation_records import fail_job_evaluation
from idp_finetuning.stages.evaluation_start import start_evaluation, start_execution
from idp_finetuning.stages.job_evaluation_plan import choose_contestants
from idp_finetuning.stages.page_counts import read_page_counts
from idp_finetuning.test_sets.split import Split
from idp_finetuning.training_data.dataset_documents import DatasetDocument
from idp_finetuning.wire import WireModel, read_stored_json


class PageLimit(WireModel):
    """How many pages an evaluation may ask about."""

    maximum_pages: int | None = Field(default=None, ge=1, le=10_000)


class LimitArguments(PageLimit):
    """How many pages an evaluation may ask about, and what it may cost in US dollars."""

    maximum_cost: float | None = Field(default=None, gt=0)


class EstimateArguments(PageLimit, JobArguments):
    """Arguments of estimateEvaluation; without a test set the job's own choice holds."""

    test_set_id: Id | None = None
    out_of_scope_test_set_id: Id | None = None
    built_in_prompt: bool | None = None


class EvaluateArguments(LimitArguments, EstimateArguments):
    """Arguments of evaluateFinetuningJob."""


def evaluate_finetuning_job(arguments: EvaluateArguments, identity: Identity, services: Services) -> FinetuningJob:
    """Start an evaluation of a completed job; while one runs on the same documents, return the job as it is.

    The documents are those of a test set, without those that the model was trained with; of the job's own test set,
    those that it held out. A second test set has documents that belong to no class of the model. Answers that an
    earlier evaluation stored are not asked for again. Raises Conflict if the job is not COMPLETED, or its model is
    being evaluated in another way or with a higher limit of the cost, TestSetNotFound or TestSetInvalid if a test set
    is not there or not complete, PriceUnknown if the cost has a limit and the base model no price.
    """
    job = services.jobs.get(arguments.job_id)
    if job.status is not JobStatus.COMPLETED:
        raise Conflict(f"Job '{job.id}' is {job.status}; only the model of a COMPLETED job can be evaluated.")
    request = _request(job, arguments, services, arguments.maximum_cost)
    if arguments.maximum_cost is not None:
        require_price(find_base_model(job.base_model).id)
    if run := job.evaluation_run:
        status = services.evaluation.status(job.evaluation_name)
        if status is None:
            start_execution(
                job, jobs=services.jobs, workflow=services.evaluation
            )  # a request at the same time may, too
        if status is None or not status.has_failed:
            return _require_same(job, request)
        fail_job_evaluation(run, "Its execution ended before its end was noted.", jobs=services.jobs)
    try:
        begun = start_evaluation(
            job,
            f"{shown_name(identity, services)} asked for an evaluation"
            + (f" on test set '{request.test_set_id}'." if request.test_set_id else "."),
            request,
            jobs=services.jobs,
            workflow=services.evaluation,
        )
    except StaleState as moved:
        raise Conflict(f"Job '{job.id}' was deleted by another request just now.") from moved
    return _require_same(begun, request)


def _request(
    job: FinetuningJob, arguments: EstimateArguments, services: Services, maximum_cost: float | None = None
) -> EvaluationRequest:
    """Return what is asked for; a test set that is named, or that the job was created with, must be complete."""
    chosen = arguments.test_set_id or job.evaluation_test_set_id
    other = None if chosen == job.test_set_id else chosen
    for test_set_id in filter(None, (other, arguments.out_of_scope_test_set_id)):
        services.test_sets.get(test_set_id).require_ready()
    return EvaluationRequest(
        test_set_id=other,
        out_of_scope_test_set_id=arguments.out_of_scope_test_set_id,
        built_in_prompt=bool(arguments.built_in_prompt),
        maximum_pages=arguments.maximum_pages,
        maximum_cost=maximum_cost,
    )


def _require_same(job: FinetuningJob, request: EvaluationRequest) -> FinetuningJob:
    """Return the job if its evaluation, which may be of another request, asks the same and keeps this limit."""
    running, maximum_cost = job.evaluation, request.maximum_cost
    if running and running.asked_for(request) != request:
        raise Conflict(
            f"Evaluation {running.number} of job '{job.id}' runs on other documents, or asks others. Wait for its end."
        )
    if running and maximum_cost is not None and (running.maximum_cost is None or running.maximum_cost > maximum_cost):
        raise Conflict(
            f"Evaluation {running.number} of job '{job.id}' runs already and does not keep this maximumCost. Wait for "
            "its end."
        )
    return job


def estimate_evaluation(arguments: EstimateArguments, identity: Identity, services: Services) -> CostBound:
    """Return what an evaluation of a completed job could cost at most. Nothing is started.

    Of another test set, whose documents are not read for this, all pages count, or the most that are asked about if
    nobody counted them. Raises Conflict if the job is not COMPLETED, TestSetNotFound, TestSetInvalid.
    """
    job = services.jobs.get(arguments.job_id)
    if job.status is not JobStatus.COMPLETED:
        raise Conflict(f"Job '{job.id}' is {job.status}; only the model of a COMPLETED job can be evaluated.")
    request = _request(job, arguments, services)
    kept = JobLayout(job_id=job.id)
    prompt = read_stored_json(Prompt, services.data.read(kept.prompt))
    contestants, _ = choose_contestants(job, request, prompt, services.jobs, services.config_versions)
    pages = request.maximum_pages or MAXIMUM_PAGES
    if (known := _known_pages(job, request, services)) is not None:
        pages = min(pages, known)
    foreign = OUT_OF_SCOPE_PAGES if request.out_of_scope_test_set_id else 0
    return bound_cost(contestants, pages=pages + foreign, asked_twice=min(pages, REPEATED_PAGES))


def _known_pages(job: FinetuningJob, request: EvaluationRequest, services: Services) -> int | None:
    """Return the pages of the documents that can be opened, or None if nobody counted them."""
    if request.test_set_id:
        counts = read_page_counts(services.test_sets.get(request.test_set_id), services.data)
        if counts is None:
            return None
        pages = [document.pages for document in counts.documents if not document.rejection]
        return None if None in pages else sum(count or 0 for count in pages)
    lines = services.data.read(JobLayout(job_id=job.id).documents).splitlines()
    documents = (read_stored_json(DatasetDocument, line) for line in lines)
    return sum(document.pages or 0 for document in documents if document.side is Split.VALIDATION)


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
    """Compare the other job's model with this one's on the documents that both were evaluated on.

    Raises Conflict if one has no evaluation report, InvalidInput if they have no such document.
    """
    jobs = [services.jobs.get(job_id) for job_id in (arguments.job_id, arguments.other_job_id)]
    reports = [read_report(job, services) for job in jobs]
    first, second = (_read_pages(job.id, report, services) for job, report in zip(jobs, reports, strict=True))
    names = [f"the model of job '{job.job_name}'" for job in jobs]
    asked = {report.test_set_id or job.test_set_id for job, report in zip(jobs, reports, strict=True)}
    found = compare_jobs(first, second, *names) if len(asked) == 1 else None
    if found is None:
        raise InvalidInput(
            "The jobs' latest evaluations have no document in common. Evaluate both on the same test set; documents "
            "that jobs on one test set held out are the same with the same trainSplit."
        )
    return found


def _read_pages(job_id: str, report: EvaluationReport, services: Services) -> list[EvaluatedPage]:
    layout = EvaluationLayout(job_id=job_id, number=report.number)
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
