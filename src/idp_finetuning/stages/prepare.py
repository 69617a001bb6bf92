"""From a test set to a data set: validate and split, render each document, assemble the records."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain

from pydantic import TypeAdapter

from idp_finetuning.adapters.account_limits import AccountLimits
from idp_finetuning.adapters.attached_test_sets import AttachedTestSets
from idp_finetuning.adapters.bedrock import Bedrock
from idp_finetuning.adapters.buckets import DataBucket, TestSetBucket
from idp_finetuning.adapters.tables.jobs import JobTable
from idp_finetuning.adapters.tables.test_sets import TestSetTable
from idp_finetuning.errors import JobStopping, StaleState, TestSetInvalid
from idp_finetuning.jobs.concurrency import MINIMUM_CONCURRENCY
from idp_finetuning.jobs.failures import WorkflowError, document_rejection
from idp_finetuning.jobs.job import DocumentCounts, JobRun, JobStatus
from idp_finetuning.jobs.layout import JobLayout
from idp_finetuning.nova.base_models import find_base_model
from idp_finetuning.stages.concurrency import choose_concurrency
from idp_finetuning.stages.offered_models import require_offered
from idp_finetuning.stages.page_counts import read_page_counts
from idp_finetuning.stages.quotas import quota_warnings
from idp_finetuning.stages.read_labels import read_test_set
from idp_finetuning.test_sets.keys import input_prefix
from idp_finetuning.test_sets.page_texts import text_errors, text_etags
from idp_finetuning.test_sets.split import Split
from idp_finetuning.test_sets.validation import validate
from idp_finetuning.training_data.dataset import (
    NO_RESULT,
    AcceptedDocument,
    RejectedDocument,
    dataset_report,
    held_out_warnings,
    require_usable,
)
from idp_finetuning.training_data.dataset_documents import dataset_documents
from idp_finetuning.training_data.examples import ManifestDocument, bound_tokens
from idp_finetuning.training_data.job_prompt import make_job_prompt
from idp_finetuning.training_data.page_notes import NotedPages, PageNotes, split_notes
from idp_finetuning.wire import WireModel, read_stored_json

_MANIFEST = TypeAdapter(tuple[ManifestDocument, ...])


class ManifestLocation(WireModel):
    """Key of the manifest in the data bucket, and how many of its documents are converted at once."""

    key: str
    concurrency: int


def validate_test_set(
    run: JobRun,
    *,
    jobs: JobTable,
    test_sets: TestSetTable | AttachedTestSets,
    test_set_bucket: TestSetBucket,
    data: DataBucket,
    bedrock: Bedrock,
    limits: AccountLimits,
    map_concurrency: int,
) -> ManifestLocation:
    """Check labels and model, split, write prompt.json and manifest.json, and move the job to GENERATING_DATA.

    At most `map_concurrency` documents are converted at once, fewer if the account's other functions need the room.

    Raises TestSetInvalid or ModelUnavailable, before anything is paid for.
    """
    layout = JobLayout(job_id=run.job_id)
    known = jobs.get(run.job_id)
    if known.status is JobStatus.GENERATING_DATA and known.run == run.number:
        # An earlier call did all of it.
        return ManifestLocation(key=layout.manifest, concurrency=known.map_concurrency or MINIMUM_CONCURRENCY)
    job = jobs.move(run, JobStatus.VALIDATING)
    model = find_base_model(job.base_model)
    model_warnings = require_offered(model, bedrock)
    test_set = test_sets.get(job.test_set_id)
    test_set.require_ready()
    read = read_test_set(test_set.id, test_set.sealed_as, bucket=test_set_bucket, data=data)
    validation = validate(
        read.labels,
        train_split=job.train_split,
        base_model=job.base_model,
        repeat=job.repeat,
        uploading=read.listing.uploading,
        counts=read_page_counts(test_set, data),
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
    texts = text_etags(read.listing) if prompt.needs_text else {}
    manifest = tuple(
        ManifestDocument(
            document_id=document.document_id(job.test_set_id),
            key=input_prefix(job.test_set_id) + document.path,
            etag=document.etag,
            split=Split.VALIDATION if document.path in validation.held_out_paths else Split.TRAIN,
            sections=document.sections,
            text_etags=texts.get(document.path, ()),
        )
        for document in read.labels.documents
    )
    concurrency = choose_concurrency(run.job_id, map_concurrency, jobs=jobs, limits=limits)
    data.write_model(layout.prompt, prompt)
    data.write(layout.manifest, _MANIFEST.dump_json(manifest, by_alias=True))
    jobs.move(
        run,
        JobStatus.GENERATING_DATA,
        warnings=(*validation.warnings, *chosen.warnings, *model_warnings, *quota_warnings(bedrock, limits)),
        documents=DocumentCounts(
            found=len(manifest), train=validation.train_count, validation=validation.validation_count
        ),
        map_concurrency=concurrency,
        test_set_version=test_set.version,
    )
    return ManifestLocation(key=layout.manifest, concurrency=concurrency)


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

    The training records are written `repeat` times, one whole round after the other. Models without validation sets
    get no validation file; their held-out examples stay for the evaluation. Raises DatasetUnusable if too little became
    training data, or more than the model takes.
    """
    job = jobs.move(run, JobStatus.GENERATING_DATA)
    model = find_base_model(job.base_model)
    layout = JobLayout(job_id=run.job_id)
    manifest = read_stored_json(tuple[ManifestDocument, ...], data.read(layout.manifest))
    generated = {file.key for split in Split for file in data.list(layout.examples(split))}
    usable = [d for d in manifest if layout.example(d.split, d.document_id) in generated]
    unusable = [d for d in manifest if layout.example(d.split, d.document_id) not in generated]
    rejected = list(_read_rejections(layout, data, unusable))
    del generated  # a key a document, not needed while the examples pass
    accepted: list[AcceptedDocument] = []
    noted = NotedPages(input_prefix(job.test_set_id))
    for split in Split:
        documents = [d for d in usable if d.split is split]
        records = _read_records(layout, data, documents, accepted.append, noted.add)
        if split is Split.TRAIN:
            again = (_read_records(layout, data, documents) for _ in range(job.repeat - 1))
            records = chain(records, *again)
        if split is Split.TRAIN or (model.validation_supported and documents):
            data.write_stream(layout.dataset(split), records)
        else:
            for _ in records:
                pass
    listed = dataset_documents(manifest, accepted, rejected, prefix=input_prefix(job.test_set_id))
    data.write_stream(layout.documents, (item.model_dump_json(by_alias=True).encode() + b"\n" for item in listed))
    report = dataset_report(accepted, rejected, (*job.warnings, *noted.warnings()), repeat=job.repeat)
    warnings = tuple(dict.fromkeys((*job.warnings, *held_out_warnings(report, manifest))))
    report = report.model_copy(update={"warnings": tuple(dict.fromkeys((*warnings, *report.warnings)))})
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
        warnings=warnings,
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
            yield read_stored_json(RejectedDocument, data.read(key))
        else:
            yield RejectedDocument(
                key=document.key, code=NO_RESULT, reason="Processing left no result. Start the job again."
            )


def _read_records(
    layout: JobLayout,
    data: DataBucket,
    documents: list[ManifestDocument],
    accept: Callable[[AcceptedDocument], None] | None = None,
    note: Callable[[ManifestDocument, PageNotes], None] | None = None,
) -> Iterator[bytes]:
    """Iterate over the records of the documents in their order; `accept` and `note` get each as it passes."""
    keys = (layout.example(d.split, d.document_id) for d in documents)
    for document, content in zip(documents, data.read_all(keys), strict=True):
        notes, records = split_notes(content)
        if note and notes is not None:
            note(document, notes)
        if accept:
            accept(AcceptedDocument(document=document, pages=records.count(b"\n")))
        yield records
