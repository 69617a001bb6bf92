"""From a test set to a data set: validate and split, render each document, assemble the records."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pydantic import TypeAdapter

from idp_finetuning.adapters.attached_test_sets import AttachedTestSets
from idp_finetuning.adapters.aws_calls import aws_calls
from idp_finetuning.adapters.bedrock import Bedrock
from idp_finetuning.adapters.buckets import DataBucket, TestSetBucket
from idp_finetuning.adapters.tables.jobs import JobTable
from idp_finetuning.adapters.tables.test_sets import TestSetTable
from idp_finetuning.errors import FinetuningError, JobStopping, ModelUnavailable, StaleState, TestSetInvalid
from idp_finetuning.jobs.failures import WorkflowError, document_rejection
from idp_finetuning.jobs.job import DocumentCounts, JobRun, JobStatus
from idp_finetuning.jobs.layout import JobLayout
from idp_finetuning.nova.base_models import find_base_model
from idp_finetuning.stages.quotas import quota_warnings
from idp_finetuning.stages.read_labels import read_test_set
from idp_finetuning.test_sets.keys import input_prefix
from idp_finetuning.test_sets.page_texts import text_errors
from idp_finetuning.test_sets.split import Split
from idp_finetuning.test_sets.test_set import TestSetStatus
from idp_finetuning.test_sets.validation import validate
from idp_finetuning.training_data.dataset import (
    NO_RESULT,
    AcceptedDocument,
    RejectedDocument,
    dataset_report,
    require_usable,
)
from idp_finetuning.training_data.examples import ManifestDocument, bound_tokens
from idp_finetuning.training_data.job_prompt import make_job_prompt
from idp_finetuning.training_data.page_notes import NotedPages, split_notes
from idp_finetuning.wire import WireModel

_MANIFEST = TypeAdapter(tuple[ManifestDocument, ...])


class ManifestLocation(WireModel):
    """Key of the manifest in the data bucket."""

    key: str


def validate_test_set(
    run: JobRun,
    *,
    jobs: JobTable,
    test_sets: TestSetTable | AttachedTestSets,
    test_set_bucket: TestSetBucket,
    data: DataBucket,
    bedrock: Bedrock,
) -> ManifestLocation:
    """Check labels and model, split, write prompt.json and manifest.json, and move the job to GENERATING_DATA.

    Raises TestSetInvalid or ModelUnavailable, before anything is paid for.
    """
    layout = JobLayout(job_id=run.job_id)
    known = jobs.get(run.job_id)
    if known.status is JobStatus.GENERATING_DATA and known.run == run.number:
        return ManifestLocation(key=layout.manifest)  # an earlier call did all of it
    job = jobs.move(run, JobStatus.VALIDATING)
    model = find_base_model(job.base_model)
    offered, unchecked = _read_offered(bedrock)
    # The account may list a model by its plain id or by the one with the context length.
    if offered is not None and not offered & {model.fine_tuning_id, model.foundation_model_id}:
        raise ModelUnavailable(
            f"This account does not offer {model.name} ({model.fine_tuning_id}) for fine-tuning. It offers: "
            f"{', '.join(sorted(offered)) or 'no model'}."
        )
    read = read_test_set(job.test_set_id, bucket=test_set_bucket, data=data)
    ready = test_sets.get(job.test_set_id).status is TestSetStatus.READY
    validation = validate(
        read.labels,
        train_split=job.train_split,
        base_model=job.base_model,
        uploading=read.listing.uploading or not ready,
    )
    if not validation.is_valid:
        raise TestSetInvalid(" ".join(validation.errors))
    chosen = make_job_prompt(jobs.configuration(job.id), validation.class_distribution)
    prompt = chosen.prompt.require_trainable()
    if prompt.needs_text and (lacking := " ".join(text_errors(read.listing, read.labels))):
        raise TestSetInvalid(lacking)
    if bound_tokens(prompt) > model.maximum_tokens_per_record:
        raise TestSetInvalid(
            f"The prompt with its {validation.class_count} classes is too long for a training record of "
            f"{model.maximum_tokens_per_record} tokens. Use fewer classes, or shorter names, descriptions and prompts."
        )
    manifest = tuple(
        ManifestDocument(
            document_id=document.document_id(job.test_set_id),
            key=input_prefix(job.test_set_id) + document.path,
            split=Split.VALIDATION if document.path in validation.held_out_paths else Split.TRAIN,
            sections=document.sections,
        )
        for document in read.labels.documents
    )
    data.write_model(layout.prompt, prompt)
    data.write(layout.manifest, _MANIFEST.dump_json(manifest, by_alias=True))
    jobs.move(
        run,
        JobStatus.GENERATING_DATA,
        warnings=(*validation.warnings, *chosen.warnings, *unchecked, *quota_warnings(bedrock)),
        documents=DocumentCounts(
            found=len(manifest), train=validation.train_count, validation=validation.validation_count
        ),
    )
    return ManifestLocation(key=layout.manifest)


def _read_offered(bedrock: Bedrock) -> tuple[frozenset[str] | None, list[str]]:
    """Return the models the account offers; if that cannot be read, None and a warning: the job itself will show."""
    try:
        with aws_calls():
            return bedrock.fine_tunable_models(), []
    except FinetuningError as error:
        return None, [f"Whether this account offers the base model could not be checked: {error.message}"]


def reject_document(run: JobRun, document: ManifestDocument, error: WorkflowError, *, data: DataBucket) -> None:
    """Record why a document could not be used, unless its job is being stopped."""
    if error.error in (JobStopping.__name__, StaleState.__name__):
        return
    code, reason = document_rejection(error)
    data.write_model(
        JobLayout(job_id=run.job_id).rejection(document.document_id),
        RejectedDocument(key=document.key, code=code, reason=reason),
    )


def assemble_dataset(run: JobRun, *, jobs: JobTable, data: DataBucket) -> None:
    """Stream the examples into the files Bedrock reads and write the report.

    Models without validation sets get no validation file; their held-out examples stay for the evaluation. Raises
    DatasetUnusable if too little became training data.
    """
    job = jobs.move(run, JobStatus.GENERATING_DATA)
    model = find_base_model(job.base_model)
    layout = JobLayout(job_id=run.job_id)
    manifest = _MANIFEST.validate_json(data.read(layout.manifest))
    generated = {file.key for split in Split for file in data.list(layout.examples(split))}
    usable = [d for d in manifest if layout.example(d.split, d.document_id) in generated]
    unusable = [d for d in manifest if layout.example(d.split, d.document_id) not in generated]
    rejected = list(_read_rejections(layout, data, unusable))
    del generated  # a key a document, not needed while the examples pass
    accepted: list[AcceptedDocument] = []
    noted = NotedPages(input_prefix(job.test_set_id))
    for split in Split:
        documents = [d for d in usable if d.split is split]
        records = _read_records(layout, data, documents, accepted.append, noted)
        if split is Split.TRAIN or (model.validation_supported and documents):
            data.write_stream(layout.dataset(split), records)
        else:
            for _ in records:
                pass
    report = dataset_report(accepted, rejected, (*job.warnings, *noted.warnings()))
    data.write_model(layout.report, report)
    words = f"{report.accepted} of {report.found} documents became training data, {report.rejected} were rejected."
    jobs.move(
        run,
        JobStatus.GENERATING_DATA,
        words if job.documents is None or job.documents.rejected is None else None,
        documents=DocumentCounts(
            found=report.found,
            train=report.train.documents,
            validation=report.validation.documents,
            rejected=report.rejected,
        ),
        validation_records=report.validation.pages if model.validation_supported else 0,
    )
    require_usable(report, manifest, model)


def _read_rejections(
    layout: JobLayout, data: DataBucket, documents: list[ManifestDocument]
) -> Iterator[RejectedDocument]:
    """Iterate over why each of these documents has no example; one without a rejection counts as rejected too."""
    known = {file.key for file in data.list(layout.rejections)}
    for document in documents:
        key = layout.rejection(document.document_id)
        if key in known:
            yield RejectedDocument.model_validate_json(data.read(key))
        else:
            yield RejectedDocument(
                key=document.key, code=NO_RESULT, reason="Processing left no result. Start the job again."
            )


def _read_records(
    layout: JobLayout,
    data: DataBucket,
    documents: list[ManifestDocument],
    accept: Callable[[AcceptedDocument], None],
    noted: NotedPages,
) -> Iterator[bytes]:
    """Iterate over the records of the documents in their order; `accept` and `noted` get each as it passes."""
    keys = (layout.example(d.split, d.document_id) for d in documents)
    for document, content in zip(documents, data.read_all(keys), strict=True):
        notes, records = split_notes(content)
        if notes is not None:
            noted.add(document, notes)
        accept(AcceptedDocument(document=document, pages=records.count(b"\n")))
        yield records
