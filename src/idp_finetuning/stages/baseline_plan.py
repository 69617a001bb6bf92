"""What an evaluation before any job asks: base models and configuration versions, about all documents of a test set."""

from __future__ import annotations

from idp_finetuning.adapters.attached_test_sets import AttachedTestSets
from idp_finetuning.adapters.buckets import DataBucket, TestSetBucket
from idp_finetuning.adapters.tables.config_versions import ConfigVersionTable
from idp_finetuning.adapters.tables.jobs import JobTable
from idp_finetuning.adapters.tables.test_sets import TestSetTable
from idp_finetuning.errors import InvalidInput
from idp_finetuning.evaluation.baseline import BaselineRecord
from idp_finetuning.evaluation.cost import require_affordable
from idp_finetuning.evaluation.plan import (
    MAXIMUM_PAGES,
    Contestant,
    ContestantKind,
    EvaluationPlan,
    Planned,
    ask_twice,
    choose_documents,
    choose_metric,
    majority_class,
)
from idp_finetuning.nova.base_models import find_base_model
from idp_finetuning.stages.evaluation_test_set import read_evaluation_test_set
from idp_finetuning.stages.job_evaluation_plan import find_base_model_of
from idp_finetuning.training_data.job_prompt import make_job_prompt


def plan_baseline(
    record: BaselineRecord,
    *,
    jobs: JobTable,
    config_versions: ConfigVersionTable,
    test_sets: TestSetTable | AttachedTestSets,
    test_set_bucket: TestSetBucket,
    data: DataBucket,
) -> Planned:
    """Return the plan. The class that is named always is that of most pages of these documents themselves.

    Raises InvalidInput if a version cannot classify or no document can be used, ConfigVersionNotFound,
    TestSetNotFound, TestSetInvalid, PriceUnknown and CostTooHigh.
    """
    usable, unusable = read_evaluation_test_set(
        record.test_set_id, test_sets=test_sets, bucket=test_set_bucket, data=data
    )
    classes = sorted({section.class_name for item in usable for section in item.sections})
    chosen, left_out = choose_documents(usable, record.maximum_pages or MAXIMUM_PAGES)
    chosen = ask_twice(chosen)
    prompt = make_job_prompt(None, classes).prompt
    bases = [find_base_model(name) for name in record.base_models]
    contestants = [
        *(
            Contestant(
                kind=ContestantKind.BUILT_IN_PROMPT, name=base.name, model=base.id, prompt=prompt, base_model=base.id
            )
            for base in bases
        ),
        *(_version(name, config_versions, jobs) for name in record.config_versions),
    ]
    if record.maximum_cost is not None:
        require_affordable(record.maximum_cost, contestants, chosen)
    return Planned(
        documents=tuple(chosen),
        plan=EvaluationPlan(
            test_set_id=record.test_set_id,
            is_other_test_set=True,
            classes=tuple(classes),
            contestants=tuple(contestants),
            majority_class=majority_class((document.sections, document.pages) for document in chosen),
            metric=choose_metric(chosen),
            left_out=(*unusable, *left_out),
        ),
    )


def _version(name: str, config_versions: ConfigVersionTable, jobs: JobTable) -> Contestant:
    settings = config_versions.get(name).classification
    if not settings.classes:
        raise InvalidInput(f"Configuration version '{name}' has no classes, so it cannot classify. Leave it out.")
    return Contestant.of_version(settings).model_copy(
        update={
            "kind": ContestantKind.CONFIG_VERSION,
            "name": f"configuration version '{name}'",
            "base_model": find_base_model_of(settings, jobs),
        }
    )
