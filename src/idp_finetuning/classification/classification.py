"""Classification of one document: the request, the class of each page, and the sections they make."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from idp_finetuning.nova.prompt import Boundary, Prompt
from idp_finetuning.test_sets.test_set import UploadField
from idp_finetuning.text import hide_account, join_first
from idp_finetuning.wire import UtcTime, WireModel

# A run that works shows it every few seconds. One that was queued or is retried begins within some minutes.
SILENT_AT_MOST = timedelta(minutes=20)
TOO_LONG = "The classification stopped without a result. Start it again; split the document if it is large."


class ClassificationStatus(StrEnum):
    """RUNNING until there is a result."""

    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"


class TestSetDocument(WireModel):
    """A document of a test set, by its path below `input/`; the ETag says which file was chosen."""

    __test__ = False

    test_set_id: str
    path: str
    etag: str | None = None


class ClassificationRequest(WireModel):
    """A document to classify, with a snapshot of everything that decides how.

    Either `upload_key` (in the data bucket) or `test_set_document` is set. `model` is a base model's id or the ARN
    of a deployment.
    """

    id: str
    document: str
    upload_key: str | None = None
    test_set_document: TestSetDocument | None = None
    page_texts: tuple[str, ...] | None = None
    config_version: str | None
    model: str
    model_name: str
    prompt: Prompt
    temperature: float
    created_by: str
    created_by_sub: str
    created_at: UtcTime
    warnings: tuple[str, ...] = ()


class ClassifiedPage(WireModel):
    """The model's answer for a page, counted from 1; None for the parts that cannot be used."""

    number: int
    class_name: str | None
    boundary: Boundary | None


class ClassifiedSection(WireModel):
    """Pages that make one document, first and last included; no class if the model named none."""

    class_name: str | None
    start_page: int
    end_page: int


class ClassificationResult(WireModel):
    """How a classification ended: its pages, or an error."""

    completed_at: UtcTime
    pages: tuple[ClassifiedPage, ...] = ()
    error_code: str | None = None
    error_message: str | None = None


class Classification(WireModel):
    """A classification as the API shows it."""

    id: str
    status: ClassificationStatus
    document: str
    config_version: str | None
    model: str
    model_name: str
    created_by: str
    created_at: UtcTime
    completed_at: UtcTime | None = None
    page_count: int | None = None
    pages_done: int = 0
    pages: tuple[ClassifiedPage, ...] = ()
    sections: tuple[ClassifiedSection, ...] = ()
    warnings: tuple[str, ...] = ()
    error_code: str | None = None
    error_message: str | None = None


class ClassificationUpload(WireModel):
    """Where to send the document: an S3 POST for exactly this file."""

    key: str
    url: str
    fields: tuple[UploadField, ...]


class ClassificationStarted(WireModel):
    """Input of ClassifyDocument; a run that had no time for all pages is continued by the next."""

    classification_id: str
    run: int = 1


class ClassificationProgress(WireModel):
    """How far a run has come, and when it last said so; the count is None until the document is open.

    `released` says that the run has ended and the next may begin at once.
    """

    run_id: str
    renewed_at: UtcTime
    released: bool = False
    pages_done: int
    page_count: int | None = None

    @property
    def age(self) -> float:
        """Seconds since the run last said that it works."""
        return (datetime.now(UTC) - self.renewed_at).total_seconds()


class RunningClassification(WireModel):
    """One of the classifications that run for a user; it has ended if it has a result or can no longer get one."""

    classification_id: str
    since: UtcTime

    def has_stopped(self, progress: ClassificationProgress | None) -> bool:
        """Return whether its function must have ended."""
        return _silent_since(self.since, progress)


class ClassificationSummary(WireModel):
    """How a run of ClassifyDocument ended, without content of the document."""

    pages: int = 0
    error_code: str | None = None
    repeated: bool = False
    continued: bool = False

    def for_operators(self) -> Mapping[str, object]:
        """Return the fields that the run's last log line adds."""
        return {
            "pages": self.pages,
            "classification_error": self.error_code,
            "repeated": self.repeated,
            "continued": self.continued,
        }


def failed_result(code: str, message: str) -> ClassificationResult:
    """Return the result of a classification that failed."""
    return ClassificationResult(completed_at=datetime.now(UTC), error_code=code, error_message=hide_account(message))


def make_sections(pages: Sequence[ClassifiedPage]) -> tuple[ClassifiedSection, ...]:
    """Join pages to sections: a new one begins at `start`, and when the class changes."""
    sections: list[ClassifiedSection] = []
    for page in pages:
        last = sections[-1] if sections else None
        if last is None or page.boundary is Boundary.START or page.class_name != last.class_name:
            sections.append(ClassifiedSection(class_name=page.class_name, start_page=page.number, end_page=page.number))
        else:
            sections[-1] = last.model_copy(update={"end_page": page.number})
    return tuple(sections)


def show_classification(
    request: ClassificationRequest, result: ClassificationResult | None, progress: ClassificationProgress | None = None
) -> Classification:
    """Return the classification as the API shows it.

    One without a result is RUNNING; if no run has shown itself for SILENT_AT_MOST, it has FAILED.
    """
    shown = Classification(
        status=ClassificationStatus.RUNNING,
        warnings=request.warnings,
        page_count=progress.page_count if progress else None,
        pages_done=progress.pages_done if progress else 0,
        **{name: getattr(request, name) for name in _SHOWN},
    )
    if result is None:
        if not _silent_since(request.created_at, progress):
            return shown
        return shown.model_copy(
            update={"status": ClassificationStatus.FAILED, "error_code": "TimedOut", "error_message": TOO_LONG}
        )
    failed = result.error_code is not None
    return shown.model_copy(
        update={
            "status": ClassificationStatus.FAILED if failed else ClassificationStatus.COMPLETED,
            "completed_at": result.completed_at,
            "page_count": shown.page_count if failed else len(result.pages),
            "pages_done": shown.pages_done if failed else len(result.pages),
            "pages": result.pages,
            "sections": make_sections(result.pages),
            "warnings": (*request.warnings, *_warn_of_answers(result.pages)),
            "error_code": result.error_code,
            "error_message": result.error_message,
        }
    )


def _silent_since(start: datetime, progress: ClassificationProgress | None) -> bool:
    last = max(start, progress.renewed_at) if progress else start
    return datetime.now(UTC) - last >= SILENT_AT_MOST


_SHOWN = ("id", "document", "config_version", "model", "model_name", "created_by", "created_at")


def _warn_of_answers(pages: Sequence[ClassifiedPage]) -> Iterator[str]:
    without_class = [str(page.number) for page in pages if page.class_name is None]
    if without_class:
        yield (
            f"The model named no class of the list for {_list_pages(without_class)}, so these pages have no class. Try "
            "another model, or the prompt this one was trained with."
        )
    without_boundary = [str(page.number) for page in pages if page.class_name is not None and page.boundary is None]
    if without_boundary:
        yield (
            f"The model said neither start nor continue for {_list_pages(without_boundary)}. A new section begins "
            "there only if the class changes."
        )


def _list_pages(numbers: Sequence[str]) -> str:
    return f"page{'s' if len(numbers) > 1 else ''} {join_first(numbers)}"
