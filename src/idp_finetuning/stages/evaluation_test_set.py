"""The documents of a test set that models may be judged by: none that they were trained with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from idp_finetuning.adapters.attached_test_sets import AttachedTestSets
from idp_finetuning.adapters.buckets import DataBucket, TestSetBucket
from idp_finetuning.adapters.tables.test_sets import TestSetTable
from idp_finetuning.errors import InvalidInput
from idp_finetuning.evaluation.layout import EvaluationLayout
from idp_finetuning.evaluation.plan import EvaluatedDocument, LeftOut
from idp_finetuning.evaluation.trained import TrainedPage, TrainingPages
from idp_finetuning.stages.page_counts import read_page_counts
from idp_finetuning.stages.read_labels import read_test_set
from idp_finetuning.test_sets.keys import document_id, input_prefix
from idp_finetuning.test_sets.labels import DocumentLabels
from idp_finetuning.test_sets.page_counts import CountedDocument
from idp_finetuning.test_sets.split import Split
from idp_finetuning.training_data.examples import ManifestDocument, page_labels
from idp_finetuning.training_data.page_notes import split_notes

# Of a document whose pages neither its labels nor a counting tell. One that has more is left out, by name.
ASSUMED_PAGES = 10


def read_evaluation_test_set(
    test_set_id: str,
    manifest: tuple[ManifestDocument, ...] = (),
    training_prefix: str = "",
    *,
    test_sets: TestSetTable | AttachedTestSets,
    bucket: TestSetBucket,
    data: DataBucket,
) -> tuple[list[EvaluatedDocument], list[LeftOut]]:
    """Return the documents to ask about, and those left out with the reason.

    `manifest` are the documents of a job, whose keys begin with `training_prefix`, or nothing before any job. A
    document is left out if it is byte for byte one of the training documents, if it has a class that the model was not
    trained with, or if its labels or pages cannot be used. Raises TestSetNotFound, TestSetInvalid if the test set is
    not complete, and InvalidInput if no document is left.
    """
    trained = {
        item.etag: item.key.removeprefix(training_prefix)
        for item in manifest
        if item.split is Split.TRAIN and item.etag
    }
    classes = frozenset(section.class_name for item in manifest for section in item.sections) if manifest else None

    def why_not(document: DocumentLabels) -> str | None:
        if original := trained.get(document.etag):
            return f"It is the training document '{original}'."
        if classes is not None and (unknown := sorted(document.classes - classes)):
            return f"The model was not trained with its class '{unknown[0]}'."
        return None

    return _read(test_set_id, why_not, test_sets=test_sets, bucket=bucket, data=data)


def read_out_of_scope(
    test_set_id: str,
    classes: frozenset[str],
    *,
    test_sets: TestSetTable | AttachedTestSets,
    bucket: TestSetBucket,
    data: DataBucket,
) -> tuple[list[EvaluatedDocument], list[LeftOut]]:
    """Return documents that belong to none of these classes, and those left out with the reason.

    Raises as `read_evaluation_test_set` does.
    """

    def why_not(document: DocumentLabels) -> str | None:
        known = sorted(document.classes & classes)
        return f"Its class '{known[0]}' is one that the model was trained with." if known else None

    usable, left_out = _read(test_set_id, why_not, test_sets=test_sets, bucket=bucket, data=data)
    return [item.model_copy(update={"out_of_scope": True}) for item in usable], left_out


def _read(
    test_set_id: str,
    why_not: Callable[[DocumentLabels], str | None],
    *,
    test_sets: TestSetTable | AttachedTestSets,
    bucket: TestSetBucket,
    data: DataBucket,
) -> tuple[list[EvaluatedDocument], list[LeftOut]]:
    test_set = test_sets.get(test_set_id)
    test_set.require_ready()
    read = read_test_set(test_set.id, test_set.sealed_as, bucket=bucket, data=data)
    counts = read_page_counts(test_set, data)
    counted = {item.path: item for item in counts.documents} if counts else {}
    usable: list[EvaluatedDocument] = []
    left_out = [LeftOut(path=file.path, reason=f"It is no document: {file.reason}.") for file in read.labels.left_out]
    for document in read.labels.documents:
        count = counted.get(document.path)
        if reason := _why_unusable(document, count) or why_not(document):
            left_out.append(LeftOut(path=document.path, reason=reason))
        else:
            usable.append(_evaluated(test_set.id, document, count))
    if not usable:
        reason = left_out[0].reason if left_out else "It has no documents."
        raise InvalidInput(
            f"No document of test set '{test_set.id}' can be used for the evaluation ({len(left_out)} left out). "
            f"The first: {reason} Choose another test set."
        )
    return usable, left_out


def _why_unusable(document: DocumentLabels, count: CountedDocument | None) -> str | None:
    """Return why a document is left out, as sentences."""
    if document.problem:
        return f"It {document.problem}. {document.problem.advice}"
    if count and count.rejection:
        return f"It cannot be opened ({count.rejection})."
    if count and count.pages is not None and document.page_count not in (None, count.pages):
        return f"Its labels have {document.page_count} pages, the document has {count.pages}. Correct the sections."
    return None


def _evaluated(test_set_id: str, document: DocumentLabels, count: CountedDocument | None) -> EvaluatedDocument:
    pages = document.page_count or (count.pages if count else None)
    key = input_prefix(test_set_id) + document.path
    return EvaluatedDocument(
        # Another content is another document: what was drawn of the first stays what it was.
        document_id=document_id(f"{key}\0{document.etag}"),
        path=document.path,
        group=document.etag,
        pages=pages or ASSUMED_PAGES,
        pages_known=pages is not None,
        sections=document.sections,
        key=key,
        etag=document.etag,
    )


def write_training_pages(
    layout: EvaluationLayout, manifest: tuple[ManifestDocument, ...], training_prefix: str, data: DataBucket
) -> TrainingPages:
    """Write which pages the model was trained with, unless an earlier evaluation did: they never change."""
    if written := data.read_model(layout.training_pages, TrainingPages):
        return written
    generated = {file.key for file in data.list(layout.job.examples(Split.TRAIN))}
    trained = {
        key: item
        for item in manifest
        if item.split is Split.TRAIN and (key := layout.job.example(Split.TRAIN, item.document_id)) in generated
    }
    pages = TrainingPages(pages=tuple(_trained_pages(trained, training_prefix, data)))
    data.write_model(layout.training_pages, pages)
    return pages


def _trained_pages(
    trained: Mapping[str, ManifestDocument], training_prefix: str, data: DataBucket
) -> Iterator[TrainedPage]:
    for item, content in zip(trained.values(), data.read_all(trained), strict=True):
        notes, _ = split_notes(content)
        if notes is None:
            continue
        labels = page_labels(item.sections, len(notes.digests))
        looks = notes.looks or (None,) * len(notes.digests)
        for number, (digest, look, label) in enumerate(zip(notes.digests, looks, labels, strict=True), 1):
            yield TrainedPage(
                document_id=item.document_id,
                path=item.key.removeprefix(training_prefix),
                number=number,
                digest=digest,
                look=look,
                class_name=label.class_name,
                boundary=label.boundary,
            )
