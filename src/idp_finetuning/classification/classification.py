"""Classification of one document: what was asked, what each page was called, and the sections this makes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from idp_finetuning.nova.prompt import Boundary, Prompt
from idp_finetuning.test_sets.test_set import UploadField
from idp_finetuning.wire import UtcTime, WireModel

# ClassifyDocument ends after 15 minutes, and waits at most 5 before it begins.
TAKES_AT_MOST = timedelta(minutes=20)
TOO_LONG = "The classification took too long and was given up. Start it again; split the document if it is large."


class ClassificationStatus(StrEnum):
    """RUNNING until there is a result."""

    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"


class TestSetDocument(WireModel):
    """A document of a test set, by its path below `input/`."""

    __test__ = False

    test_set_id: str
    path: str


class ClassificationRequest(WireModel):
    """What is to be classified, and everything it takes, as it was when it was asked for.

    Either `upload_key` (in the data bucket) or `test_set_document` is given. `model` is a base model's id or the ARN
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
    """What the model called a page, from 1; None where its answer cannot be used."""

    number: int
    class_name: str | None
    boundary: Boundary | None


class ClassifiedSection(WireModel):
    """Pages that make one document, first and last included; no class where the model named none."""

    class_name: str | None
    start_page: int
    end_page: int


class ClassificationResult(WireModel):
    """How a classification ended."""

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
    """Input of ClassifyDocument, and what the run that classifies leaves as its claim."""

    classification_id: str


class ClassificationSummary(WireModel):
    """How a run of ClassifyDocument ended, without what it read."""

    pages: int = 0
    error_code: str | None = None
    repeated: bool = False

    def for_operators(self) -> Mapping[str, object]:
        """What the last log line of the run adds."""
        return {"pages": self.pages, "classification_error": self.error_code, "repeated": self.repeated}


def sections_of(pages: Sequence[ClassifiedPage]) -> tuple[ClassifiedSection, ...]:
    """Sections in the order of the pages: a new one begins at `start`, and where the class changes."""
    sections: list[ClassifiedSection] = []
    for page in pages:
        last = sections[-1] if sections else None
        if last is None or page.boundary is Boundary.START or page.class_name != last.class_name:
            sections.append(ClassifiedSection(class_name=page.class_name, start_page=page.number, end_page=page.number))
        else:
            sections[-1] = last.model_copy(update={"end_page": page.number})
    return tuple(sections)


def classification(request: ClassificationRequest, result: ClassificationResult | None) -> Classification:
    """The classification as it stands now; one without a result has failed when its function must have ended."""
    shown = Classification(
        status=ClassificationStatus.RUNNING,
        warnings=request.warnings,
        **{name: getattr(request, name) for name in _SHOWN},
    )
    if result is None:
        if datetime.now(UTC) - request.created_at < TAKES_AT_MOST:
            return shown
        return shown.model_copy(
            update={"status": ClassificationStatus.FAILED, "error_code": "TimedOut", "error_message": TOO_LONG}
        )
    failed = result.error_code is not None
    return shown.model_copy(
        update={
            "status": ClassificationStatus.FAILED if failed else ClassificationStatus.COMPLETED,
            "completed_at": result.completed_at,
            "page_count": None if failed else len(result.pages),
            "pages": result.pages,
            "sections": sections_of(result.pages),
            "warnings": (*request.warnings, *_unusable(result.pages)),
            "error_code": result.error_code,
            "error_message": result.error_message,
        }
    )


_SHOWN = ("id", "document", "config_version", "model", "model_name", "created_by", "created_at")


def _unusable(pages: Sequence[ClassifiedPage]) -> Iterator[str]:
    nameless = [str(page.number) for page in pages if page.class_name is None]
    if nameless:
        yield (
            f"The model's answer named no class of the list for {_pages(nameless)}. These pages have no class; try "
            "another model, or the prompt this one was trained with."
        )
    boundless = [str(page.number) for page in pages if page.class_name is not None and page.boundary is None]
    if boundless:
        yield (
            f"The model's answer said neither start nor continue for {_pages(boundless)}. A new section begins there "
            "only where the class changes."
        )


def _pages(numbers: Sequence[str]) -> str:
    more = f" and {len(numbers) - 10} more" if len(numbers) > 10 else ""
    return f"page{'s' if len(numbers) > 1 else ''} {', '.join(numbers[:10])}{more}"
