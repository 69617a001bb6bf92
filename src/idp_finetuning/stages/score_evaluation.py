"""Score what the contestants of an evaluation answered, and keep verdict and report."""

from __future__ import annotations

from idp_finetuning.adapters.buckets import DataBucket
from idp_finetuning.errors import InvalidInput, JobNotFound, StaleState
from idp_finetuning.evaluation.layout import EvaluationLayout, judged_prefix
from idp_finetuning.evaluation.plan import NEAREST, DocumentAnswers, EvaluatedDocument, EvaluationPlan
from idp_finetuning.evaluation.scoring import evaluated_pages, make_report
from idp_finetuning.jobs.evaluation import EvaluationRun
from idp_finetuning.stages.evaluation_records import EvaluationRecords
from idp_finetuning.wire import read_stored_json, timestamp


def score_evaluation(run: EvaluationRun, *, records: EvaluationRecords, data: DataBucket) -> None:
    """Write the report, and note its verdict. Idempotent; if the evaluation is no longer wanted, nothing is done.

    Raises InvalidInput if the first contestant answered too little.
    """
    try:
        records.require_running(run)
    except (JobNotFound, StaleState):
        return  # no failure of the evaluation, which would raise an alarm
    layout = EvaluationLayout.of(run)
    plan = read_stored_json(EvaluationPlan, data.read(layout.plan))
    documents = read_stored_json(tuple[EvaluatedDocument, ...], data.read(layout.documents))
    asked = (*plan.contestants, plan.repetition)
    digests = [*(item.digest for item in asked), *([NEAREST] if plan.nearest_page else [])]
    answers = {digest: _answers(layout, digest, data) for digest in digests}
    try:
        report = make_report(
            run, plan, documents, answers, created_at=timestamp(), judged_before=_count_judged(plan, data)
        )
    except ValueError as error:
        raise InvalidInput(str(error)) from error
    pages = evaluated_pages(plan, documents, answers)
    data.write(layout.pages, b"".join(page.model_dump_json(by_alias=True).encode() + b"\n" for page in pages))
    data.write_model(layout.report, report)
    data.write(judged_prefix(plan.test_set_id) + plan.first.digest, b"")
    records.complete(run, report)


def _count_judged(plan: EvaluationPlan, data: DataBucket) -> int:
    """Count the other models that documents of the test set judged before."""
    prefix = judged_prefix(plan.test_set_id)
    return sum(file.key != prefix + plan.first.digest for file in data.list(prefix))


def _answers(layout: EvaluationLayout, contestant: str, data: DataBucket) -> dict[str, DocumentAnswers]:
    prefix = layout.answered(contestant)
    keys = [file.key for file in data.list(prefix)]
    found = data.read_models(keys, DocumentAnswers)
    return {
        key.removeprefix(prefix).removesuffix(".json"): given
        for key, given in zip(keys, found, strict=True)
        if given is not None
    }
