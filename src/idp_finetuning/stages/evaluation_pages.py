"""The page images of one document of an evaluation: those of the job, or drawn from another test set."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property

from idp_finetuning.adapters.buckets import DataBucket, TestSetBucket
from idp_finetuning.adapters.page_looks import is_same_page, page_look
from idp_finetuning.adapters.pages import open_document
from idp_finetuning.errors import DocumentRejected
from idp_finetuning.evaluation.layout import EvaluationLayout
from idp_finetuning.evaluation.plan import EvaluatedDocument
from idp_finetuning.evaluation.trained import TrainingPages, is_empty
from idp_finetuning.training_data.examples import page_labels
from idp_finetuning.training_data.page_notes import image_digest
from idp_finetuning.wire import WireModel, read_stored_json

# The function gives up by itself before Lambda ends it, so that the document is left out with this reason.
SPARE_SECONDS = 60


class DrawnDocument(WireModel):
    """Digests of the page images, and how they look, in order."""

    digests: tuple[str, ...]
    looks: tuple[str, ...] = ()  # not in those of before there were any


class EvaluationPages:
    """The images of a document's pages; one is in memory at a time."""

    def __init__(
        self,
        document: EvaluatedDocument,
        layout: EvaluationLayout,
        *,
        bucket: TestSetBucket,
        data: DataBucket,
        seconds_left: Callable[[], float],
    ) -> None:
        self._document = document
        self._layout = layout
        self._bucket = bucket
        self._data = data
        self._seconds_left = seconds_left

    def prepare(self) -> int:
        """Return the number of pages, whose images are now all there: a document is drawn once.

        Raises DocumentRejected if the document cannot be drawn, does not match its labels, or has no page that the
        model was not trained with.
        """
        if not self._document.key:
            return self._document.pages
        drawn = self._data.read_model(self._layout.drawing(self._document.document_id), DrawnDocument) or self._draw()
        if self._layout.job_id:
            self._require_unknown(drawn)
        return len(drawn.digests)

    def _require_unknown(self, drawn: DrawnDocument) -> None:
        if original := self.known.original(drawn.digests):
            raise DocumentRejected(
                "training_document", f"Every page looks exactly like one of the training documents, as '{original}'."
            )
        shown = [number for number, look in enumerate(drawn.looks, 1) if not is_empty(look)]
        originals = [self._find_same(number, drawn.looks[number - 1]) for number in shown]
        if originals and None not in originals:
            raise DocumentRejected(
                "training_document",
                f"Every page looks nearly like one of the training documents, as '{originals[-1]}'.",
            )

    def _find_same(self, number: int, look: str) -> str | None:
        """Return the training document that has this page, saved in another way."""
        candidates = self.known.alike(look)
        jpeg = self.read(number) if candidates else b""
        return next(
            (
                page.path
                for page in candidates
                if is_same_page(jpeg, self._data.read(self._layout.job.page(page.document_id, page.number)))
            ),
            None,
        )

    @cached_property
    def known(self) -> TrainingPages:
        """The pages that the job's model was trained with."""
        return read_stored_json(TrainingPages, self._data.read(self._layout.training_pages))

    def looks(self, pages: int) -> tuple[str, ...]:
        """Return how each page looks."""
        if self._document.key:
            drawn = read_stored_json(DrawnDocument, self._data.read(self._layout.drawing(self._document.document_id)))
            if drawn.looks:
                return drawn.looks
        return tuple(page_look(self.read(number)) for number in range(1, pages + 1))

    def read(self, number: int) -> bytes:
        """Return the image of a page, which counts from 1."""
        if self._document.key:
            return self._data.read(self._layout.page(self._document.document_id, number))
        return self._data.read(self._layout.job.page(self._document.document_id, number))

    def _draw(self) -> DrawnDocument:
        content = self._bucket.read_document(self._document.key or "", self._document.etag)
        digests: list[str] = []
        looks: list[str] = []
        with open_document(content) as source:
            count = source.page_count
            page_labels(self._document.sections, count)
            if count > self._document.pages:
                raise DocumentRejected(
                    "pages_unknown",
                    f"It has {count} pages. Without pages in the labels, and in a test set whose pages were not "
                    f"counted, a document of an evaluation has at most {self._document.pages}.",
                )

            def pages() -> Iterator[tuple[str, bytes]]:
                for index in range(count):
                    if self._seconds_left() < SPARE_SECONDS:
                        raise DocumentRejected(
                            "too_slow", f"Rendering took too long: {index} of {count} pages were done. Split it."
                        )
                    jpeg = source.jpeg(index)
                    digests.append(image_digest(jpeg))
                    looks.append(page_look(jpeg))
                    yield self._layout.page(self._document.document_id, index + 1), jpeg

            self._data.write_all(pages(), "image/jpeg")
        drawn = DrawnDocument(digests=tuple(digests), looks=tuple(looks))
        self._data.write_model(self._layout.drawing(self._document.document_id), drawn)
        return drawn
