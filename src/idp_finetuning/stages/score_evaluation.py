"""Score what the contestants of an evaluation answered, and keep verdict and report."""

from __future__ import annotations

from idp_finetuning.adapters.buckets import DataBucket
from idp_finetuning.adapters.tables.jobs import JobTable
from idp_finetuning.errors import InvalidInput, JobNotFound, StaleState
from idp_finetuning.evaluation.layout import EvaluationLayout
from idp_finetuning.evaluation.plan import ContestantKind, DocumentAnswers, EvaluatedDocument, EvaluationPlan
from idp_finetuning.evaluation.report import EvaluationReport
from idp_finetuning.evaluation.scoring import evaluated_pages, make_report
from idp_finetuning.jobs import life
from idp_finetuning.jobs.job import EvaluationRun, EvaluationStatus, FinetuningJob, JobEvaluation
from idp_finetuning.stages.prepare_evaluation import require_evaluating
from idp_finetuning.wire import read_stored_json, timestamp


def score_evaluation(run: EvaluationRun, *, jobs: JobTable, data: DataBucket) -> None:
    """Write the report and put the verdict on the job. Idempotent; for a deleted job nothing is left to do.

    Raises InvalidInput if the custom model answered too little.
    """
    try:
        job = require_evaluating(run, jobs)
    except (JobNotFound, StaleState):
        return  # no failure of the evaluation, which would raise an alarm
    layout = EvaluationLayout(**dict(run))
    plan = read_stored_json(EvaluationPlan, data.read(layout.plan))
    documents = read_stored_json(tuple[EvaluatedDocument, ...], data.read(layout.documents))
    asked = (*plan.contestants, plan.repetition)
    answers = {item.digest: _answers(layout, item.digest, data) for item in asked}
    try:
        report = make_report(plan, documents, answers, job_id=job.id, number=run.number, created_at=timestamp())
    except ValueError as error:
        raise InvalidInput(str(error)) from error
    pages = evaluated_pages(plan, documents, answers)
    data.write(layout.pages, b"".join(page.model_dump_json(by_alias=True).encode() + b"\n" for page in pages))
    data.write_model(layout.report, report)
    jobs.update(job.id, lambda found: life.end_evaluation(found, run, _ended(found, report)))


def _answers(layout: EvaluationLayout, contestant: str, data: DataBucket) -> dict[str, DocumentAnswers]:
    prefix = layout.answered(contestant)
    keys = [file.key for file in data.list(prefix)]
    found = data.read_models(keys, DocumentAnswers)
    return {
        key.removeprefix(prefix).removesuffix(".json"): given
        for key, given in zip(keys, found, strict=True)
        if given is not None
    }


def _ended(job: FinetuningJob, report: EvaluationReport) -> JobEvaluation:
    with_base = report.comparison_with(ContestantKind.BASE_MODEL)
    gain = with_base.comparison.difference if with_base else None
    return JobEvaluation(
        number=report.number,
        status=EvaluationStatus.COMPLETED,
        test_set_id=job.evaluation.test_set_id if job.evaluation else None,
        maximum_cost=job.evaluation.maximum_cost if job.evaluation else None,
        started_at=job.evaluation.started_at if job.evaluation else report.created_at,
        ended_at=report.created_at,
        verdict=with_base.comparison.verdict if with_base else None,
        gain=gain.value if gain else None,
        gain_lower=gain.lower if gain else None,
        gain_upper=gain.upper if gain else None,
        sentence=report.sentence,
    )
