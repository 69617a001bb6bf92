"""Fix what an evaluation asks, before the first answer: contestants, documents, metric."""

from __future__ import annotations

from pydantic import TypeAdapter

from idp_finetuning.adapters.attached_test_sets import AttachedTestSets
from idp_finetuning.adapters.buckets import DataBucket, TestSetBucket
from idp_finetuning.adapters.tables.config_versions import ConfigVersionTable
from idp_finetuning.adapters.tables.jobs import JobTable
from idp_finetuning.adapters.tables.test_sets import TestSetTable
from idp_finetuning.evaluation.layout import EvaluationLayout
from idp_finetuning.evaluation.plan import EvaluatedDocument, EvaluationPlan
from idp_finetuning.jobs.evaluation import EvaluationRun
from idp_finetuning.stages.baseline_plan import plan_baseline
from idp_finetuning.stages.evaluation_records import BaselineRecords, require_evaluating
from idp_finetuning.stages.job_evaluation_plan import plan_job_evaluation
from idp_finetuning.wire import WireModel

_DOCUMENTS = TypeAdapter(tuple[EvaluatedDocument, ...])


class DocumentsLocation(WireModel):
    """Key of the documents in the data bucket."""

    key: str


def prepare_evaluation(
    run: EvaluationRun,
    *,
    jobs: JobTable,
    config_versions: ConfigVersionTable,
    test_sets: TestSetTable | AttachedTestSets,
    test_set_bucket: TestSetBucket,
    data: DataBucket,
) -> DocumentsLocation:
    """Write the plan and the documents to ask about. A repeated call keeps the plan that is there.

    Raises PriceUnknown or CostTooHigh if the cost has a limit that may not be kept, InvalidInput if there is no
    document to ask about, TestSetNotFound or TestSetInvalid if the test set is gone or not complete, StaleState if the
    evaluation is no longer wanted.
    """
    layout = EvaluationLayout.of(run)
    if run.job_id:
        job = require_evaluating(run, jobs)
    else:
        record = BaselineRecords(data).require_running(run)
    if data.read_model(layout.plan, EvaluationPlan):
        return DocumentsLocation(key=layout.documents)
    if run.job_id:
        planned = plan_job_evaluation(
            job,
            layout,
            jobs=jobs,
            config_versions=config_versions,
            test_sets=test_sets,
            test_set_bucket=test_set_bucket,
            data=data,
        )
    else:
        planned = plan_baseline(
            record,
            jobs=jobs,
            config_versions=config_versions,
            test_sets=test_sets,
            test_set_bucket=test_set_bucket,
            data=data,
        )
    data.write(layout.documents, _DOCUMENTS.dump_json(planned.documents, by_alias=True))
    data.write_model(layout.plan, planned.plan)  # last: a plan says that the documents are there
    return DocumentsLocation(key=layout.documents)
