"""The report on every document of a data set, and whether it is enough to train on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from idp_finetuning.errors import DatasetUnusable
from idp_finetuning.nova.base_models import BaseModelSpec
from idp_finetuning.test_sets.page_counts import TOLERATED_REJECTIONS
from idp_finetuning.test_sets.split import Split
from idp_finetuning.text import join_first
from idp_finetuning.training_data.bedrock_records import BedrockRecords
from idp_finetuning.training_data.examples import ManifestDocument
from idp_finetuning.wire import WireModel

SHOWN_REJECTIONS = 1_000

NO_RESULT = "no_result"


class RejectedDocument(WireModel):
    """A document that could not be used: its key in the test-set bucket, a one-word code and the reason."""

    key: str
    code: str
    reason: str


class ClassReport(WireModel):
    """Documents and pages of one class; a packet counts for each class in it."""

    name: str
    documents: int
    pages: int


class SplitReport(WireModel):
    """Counts of one side of the split."""

    documents: int
    pages: int
    classes: tuple[ClassReport, ...]


class DatasetReport(WireModel):
    """What became of the documents; `found` is always `accepted + rejected`.

    Pages are counted once; each training page is written `repeat` times. `bedrock_records` is None until training has
    ended, and if Bedrock left no counts.
    """

    found: int
    accepted: int
    rejected: int
    train: SplitReport
    validation: SplitReport
    rejected_documents: tuple[RejectedDocument, ...]
    warnings: tuple[str, ...] = ()
    repeat: int = 1
    bedrock_records: tuple[BedrockRecords, ...] | None = None


class AcceptedDocument(WireModel):
    """A document with its number of pages, all of which became records."""

    document: ManifestDocument
    pages: int


def dataset_report(
    accepted: Iterable[AcceptedDocument],
    rejected: Sequence[RejectedDocument],
    warnings: Iterable[str],
    *,
    repeat: int = 1,
) -> DatasetReport:
    """Count documents and pages per class and split."""
    by_split: dict[Split, list[AcceptedDocument]] = {split: [] for split in Split}
    for item in accepted:
        by_split[item.document.split].append(item)
    count = sum(len(items) for items in by_split.values())
    return DatasetReport(
        found=count + len(rejected),
        accepted=count,
        rejected=len(rejected),
        train=_split_report(by_split[Split.TRAIN]),
        validation=_split_report(by_split[Split.VALIDATION]),
        rejected_documents=tuple(rejected),
        warnings=tuple(warnings),
        repeat=repeat,
    )


def held_out_warnings(report: DatasetReport, manifest: Iterable[ManifestDocument]) -> Iterator[str]:
    """Warn if documents were to be held out and all of them were rejected."""
    chosen = sum(document.split is Split.VALIDATION for document in manifest)
    if chosen and not report.validation.documents:
        yield (
            f"No held-out document is left: all {chosen} were rejected. No validation loss is reported and the model "
            "cannot be evaluated. Correct the rejected documents, or hold out more."
        )


def _split_report(items: Sequence[AcceptedDocument]) -> SplitReport:
    documents: Counter[str] = Counter()
    pages: Counter[str] = Counter()
    for item in items:
        documents.update({section.class_name for section in item.document.sections})
        for section in item.document.sections:
            pages[section.class_name] += item.pages if section.page_indices is None else len(section.page_indices)
    return SplitReport(
        documents=len(items),
        pages=sum(item.pages for item in items),
        classes=tuple(
            ClassReport(name=name, documents=documents[name], pages=pages[name]) for name in sorted(documents)
        ),
    )


def require_usable(report: DatasetReport, manifest: Iterable[ManifestDocument], model: BaseModelSpec) -> None:
    """Raise DatasetUnusable if too much was rejected, a class is lost or a limit of the model is not met."""
    reasons = [f"{item.key} ({item.reason})" for item in report.rejected_documents]
    listed = f" Rejected: {join_first(reasons)}" if reasons else ""
    if report.rejected > TOLERATED_REJECTIONS * report.found:
        raise DatasetUnusable(
            f"{report.rejected} of {report.found} documents could not be used; at most "
            f"{TOLERATED_REJECTIONS:.0%} may be rejected. Correct or remove them and start the job again.{listed}"
        )
    wanted = {s.class_name for d in manifest if d.split is Split.TRAIN for s in d.sections}
    if lost := sorted(wanted - {c.name for c in report.train.classes}):
        raise DatasetUnusable(
            f"No training document of these classes could be used: {join_first(lost)}. Correct the rejected documents "
            f"and start the job again.{listed}"
        )
    pages = report.train.pages
    if pages < model.minimum_records:
        raise DatasetUnusable(
            f"Insufficient documents: {model.name} needs at least {model.minimum_records} training pages, the data "
            f"set has {pages}. Add documents or choose a model that needs fewer.{listed}"
        )
    if refusal := model.refuse_records(
        training_pages=pages, held_out_pages=report.validation.pages, repeat=report.repeat, of="the data set"
    ):
        raise DatasetUnusable(refusal)
