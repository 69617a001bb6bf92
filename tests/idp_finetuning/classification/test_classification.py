"""From answers to sections, and what a classification without a result is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from idp_finetuning.classification.classification import (
    ClassificationRequest,
    ClassificationResult,
    ClassificationStatus,
    ClassifiedPage,
    make_sections,
    show_classification,
)
from idp_finetuning.nova.prompt import Boundary, DocumentClass, Prompt
from idp_finetuning.wire import timestamp

S, C = Boundary.START, Boundary.CONTINUE


def pages(*answers: tuple[str | None, Boundary | None]) -> list[ClassifiedPage]:
    return [ClassifiedPage(number=n, class_name=name, boundary=b) for n, (name, b) in enumerate(answers, 1)]


def request(created_at: str = "2026-11-22T10:00:00.000Z", **changes: object) -> ClassificationRequest:
    values: dict[str, object] = {
        "id": "6f1c2b1e-0000-4000-8000-000000000001",
        "document": "a.pdf",
        "upload_key": "classifications/uploads/sub-1/1/a.pdf",
        "config_version": "v1",
        "model": "us.amazon.nova-lite-v1:0",
        "model_name": "Nova Lite v1",
        "prompt": Prompt(classes=(DocumentClass(name="invoice"),)),
        "temperature": 0,
        "created_by": "author@example.com",
        "created_by_sub": "sub-1",
        "created_at": created_at,
    }
    return ClassificationRequest.model_validate(values | changes)


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([], []),
        ([("a", S), ("a", C), ("b", S)], [("a", 1, 2), ("b", 3, 3)]),
        ([("a", S), ("a", S)], [("a", 1, 1), ("a", 2, 2)]),
        ([("a", C), ("a", C)], [("a", 1, 2)]),
        ([("a", S), ("b", C), ("a", C)], [("a", 1, 1), ("b", 2, 2), ("a", 3, 3)]),
        ([("a", S), (None, None), (None, C), ("a", None)], [("a", 1, 1), (None, 2, 3), ("a", 4, 4)]),
        ([("a", S), ("a", None)], [("a", 1, 2)]),
    ],
)
def test_a_section_begins_at_start_and_where_the_class_changes(
    answers: list[tuple[str | None, Boundary | None]], expected: list[tuple[str | None, int, int]]
) -> None:
    assert [(s.class_name, s.start_page, s.end_page) for s in make_sections(pages(*answers))] == expected


@pytest.mark.parametrize(
    ("minutes", "status"), [(1, ClassificationStatus.RUNNING), (19, ClassificationStatus.RUNNING), (21, "FAILED")]
)
def test_one_without_a_result_has_failed_once_its_function_must_have_ended(minutes: int, status: str) -> None:
    shown = show_classification(request(timestamp(datetime.now(UTC) - timedelta(minutes=minutes))), None)
    assert shown.status == status
    assert (shown.error_message is not None) == (status == "FAILED")
    assert status == "RUNNING" or "stopped without a result" in str(shown.error_message)


def test_answers_that_cannot_be_used_are_warned_of_by_their_pages() -> None:
    result = ClassificationResult(
        completed_at=datetime(2026, 11, 22, 10, 1, tzinfo=UTC),
        pages=tuple(pages(("a", S), (None, None), ("a", None), *[(None, C)] * 12)),
    )
    shown = show_classification(request(warnings=("The prompt differs.",)), result)
    assert shown.status is ClassificationStatus.COMPLETED
    assert shown.page_count == 15
    first, nameless, boundless = shown.warnings
    assert first == "The prompt differs."
    assert "pages 2, 4, 5, 6, 7, 8, 9, 10, 11, 12 and 3 more" in nameless
    assert "for page 3." in boundless
