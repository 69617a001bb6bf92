"""What became of each document of a data set, one by one: the held-out ones first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from idp_finetuning.test_sets.split import Split
from idp_finetuning.training_data.dataset import AcceptedDocument, RejectedDocument
from idp_finetuning.training_data.examples import ManifestDocument
from idp_finetuning.wire import WireModel


class DatasetDocument(WireModel):
    """A document by its path in the test set, with its side of the split and its classes.

    An accepted one has its number of pages, a rejected one code and reason.
    """

    path: str
    side: Split
    classes: tuple[str, ...]
    pages: int | None = None
    code: str | None = None
    reason: str | None = None


def dataset_documents(
    manifest: Sequence[ManifestDocument],
    accepted: Iterable[AcceptedDocument],
    rejected: Iterable[RejectedDocument],
    *,
    prefix: str,
) -> Iterator[DatasetDocument]:
    """Yield every document of the manifest, those held out before those to train; `prefix` is that of their keys."""
    pages = {item.document.document_id: item.pages for item in accepted}
    rejections = {item.key: item for item in rejected}
    for side in (Split.VALIDATION, Split.TRAIN):
        for document in manifest:
            if document.split is side:
                rejection = rejections.get(document.key)
                yield DatasetDocument(
                    path=document.key.removeprefix(prefix),
                    side=side,
                    classes=tuple(dict.fromkeys(section.class_name for section in document.sections)),
                    pages=pages.get(document.document_id),
                    code=rejection.code if rejection else None,
                    reason=rejection.reason if rejection else None,
                )
