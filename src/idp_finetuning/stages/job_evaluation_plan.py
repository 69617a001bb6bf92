"""What the evaluation of a job asks: its model and others, about documents that the model was not trained with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from idp_finetuning.adapters.attached_test_sets import AttachedTestSets
from idp_finetuning.adapters.buckets import DataBucket, TestSetBucket
from idp_finetuning.adapters.tables.config_versions import ConfigVersionTable
from idp_finetuning.adapters.tables.jobs import JobTable
from idp_finetuning.adapters.tables.test_sets import TestSetTable
from idp_finetuning.classification.config_versions import ClassificationConfig
from idp_finetuning.errors import InvalidInput, JobNotFound
from idp_finetuning.evaluation.cost import require_affordable
from idp_finetuning.evaluation.layout import EvaluationLayout
from idp_finetuning.evaluation.plan import (
    MAXIMUM_PAGES,
    OUT_OF_SCOPE_PAGES,
    Contestant,
    ContestantKind,
    EvaluatedDocument,
    EvaluationPlan,
    LeftOut,
    Planned,
    ask_twice,
    choose_documents,
    choose_metric,
    majority_class,
)
from idp_finetuning.jobs.evaluation import EvaluationRequest
from idp_finetuning.jobs.job import FinetuningJob
from idp_finetuning.nova.base_models import find_base_model
from idp_finetuning.nova.prompt import Prompt
from idp_finetuning.stages.evaluation_test_set import read_evaluation_test_set, read_out_of_scope, write_training_pages
from idp_finetuning.test_sets.keys import input_prefix
from idp_finetuning.test_sets.split import Split
from idp_finetuning.training_data.dataset_documents import DatasetDocument
from idp_finetuning.training_data.examples import ManifestDocument
from idp_finetuning.training_data.job_prompt import make_job_prompt
from idp_finetuning.wire import read_stored_json


def plan_job_evaluation(
    job: FinetuningJob,
    layout: EvaluationLayout,
    *,
    jobs: JobTable,
    config_versions: ConfigVersionTable,
    test_sets: TestSetTable | AttachedTestSets,
    test_set_bucket: TestSetBucket,
    data: DataBucket,
) -> Planned:
    """Return the plan; write which pages the model was trained with.

    Raises PriceUnknown, CostTooHigh, InvalidInput if there is no document to ask about, TestSetNotFound and
    TestSetInvalid.
    """
    kept = layout.job
    manifest = read_stored_json(tuple[ManifestDocument, ...], data.read(kept.manifest))
    pages = _accepted_pages(data.read(kept.documents))
    usable = list(_usable(job, manifest, pages))
    request = job.evaluation or EvaluationRequest()
    other = request.test_set_id
    unusable: list[LeftOut] = []
    if other:
        unseen, unusable = read_evaluation_test_set(
            other, manifest, input_prefix(job.test_set_id), test_sets=test_sets, bucket=test_set_bucket, data=data
        )
    else:
        unseen = [document for side, document in usable if side is Split.VALIDATION]
    if not unseen:
        raise InvalidInput(
            f"Job '{job.id}' held no usable document out, so there is nothing to ask about that its model has not "
            "seen. Evaluate it on another test set, or start a job with more documents or a smaller trainSplit."
        )
    trained = write_training_pages(layout, manifest, input_prefix(job.test_set_id), data)
    chosen, left_out = choose_documents(unseen, request.maximum_pages or MAXIMUM_PAGES)
    chosen = ask_twice(chosen)
    classes = frozenset(section.class_name for item in manifest for section in item.sections)
    if request.out_of_scope_test_set_id:
        foreign, no_use = read_out_of_scope(
            request.out_of_scope_test_set_id, classes, test_sets=test_sets, bucket=test_set_bucket, data=data
        )
        drawn, not_drawn = choose_documents(foreign, OUT_OF_SCOPE_PAGES)
        chosen, left_out = [*chosen, *drawn], [*left_out, *no_use, *not_drawn]
    prompt = read_stored_json(Prompt, data.read(kept.prompt))
    contestants, notes = choose_contestants(job, request, prompt, jobs, config_versions)
    if request.maximum_cost is not None:
        require_affordable(request.maximum_cost, contestants, chosen)
    return Planned(
        documents=tuple(chosen),
        plan=EvaluationPlan(
            test_set_id=other or job.test_set_id,
            is_other_test_set=other is not None,
            classes=tuple(sorted(classes)),
            contestants=contestants,
            notes=notes,
            majority_class=majority_class(
                (document.sections, document.pages) for side, document in usable if side is Split.TRAIN
            ),
            nearest_page=trained.have_looks,
            metric=choose_metric(chosen),
            left_out=(*unusable, *left_out),
        ),
    )


def _accepted_pages(lines: bytes) -> dict[str, int]:
    """Return the pages of the accepted documents by path."""
    documents = (read_stored_json(DatasetDocument, line) for line in lines.splitlines())
    return {document.path: document.pages for document in documents if document.pages is not None}


def _usable(
    job: FinetuningJob, manifest: tuple[ManifestDocument, ...], pages: dict[str, int]
) -> Iterator[tuple[Split, EvaluatedDocument]]:
    """Yield the accepted documents, each with its side of the split."""
    for document in manifest:
        path = document.key.removeprefix(input_prefix(job.test_set_id))
        if path in pages:
            yield (
                document.split,
                EvaluatedDocument(
                    document_id=document.document_id,
                    path=path,
                    group=document.etag or document.document_id,
                    pages=pages[path],
                    sections=document.sections,
                ),
            )


def choose_contestants(
    job: FinetuningJob, request: EvaluationRequest, prompt: Prompt, jobs: JobTable, config_versions: ConfigVersionTable
) -> tuple[tuple[Contestant, ...], tuple[str, ...]]:
    """Return who is asked; the active version takes part as it is, if it can classify at all."""
    deployment = job.custom_model_deployment_arn or ""
    base = find_base_model(job.base_model).id
    asked = [
        Contestant(kind=ContestantKind.CUSTOM_MODEL, model=deployment, prompt=prompt, base_model=base),
        Contestant(kind=ContestantKind.BASE_MODEL, model=base, prompt=prompt, base_model=base),
    ]
    notes: list[str] = []
    if request.built_in_prompt:
        built_in = make_job_prompt(None, (item.name for item in prompt.classes)).prompt
        plain = Contestant(kind=ContestantKind.BUILT_IN_PROMPT, model=base, prompt=built_in, base_model=base)
        if plain.digest == asked[1].digest:
            notes.append("The job's prompt is the built-in one.")
        else:
            asked.append(plain)
    active = config_versions.active().classification
    if not active.classes:
        notes.append("The active configuration version has no classes and was not asked.")
        return tuple(asked), tuple(notes)
    own = Contestant.of_version(active)
    if own.digest == asked[0].digest:
        notes.append("The active configuration version is the custom model with its prompt.")
    else:
        asked.append(own.model_copy(update={"base_model": find_base_model_of(active, jobs)}))
    return tuple(asked), tuple(notes)


def find_base_model_of(settings: ClassificationConfig, jobs: JobTable) -> str | None:
    """Return the id of the base model that a version's model is, or was made from, if it is known."""
    with suppress(InvalidInput, JobNotFound):
        return find_base_model(jobs.get(settings.job_id).base_model if settings.job_id else settings.model).id
    return None
