"""A section's label in the layout of AWS's IDP accelerator: its class and its pages, or why there are none."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Any

from idp_finetuning.nova.prompt import MAXIMUM_CLASS_NAME, MAXIMUM_CLASS_NAME_BYTES
from idp_finetuning.test_sets.page_limit import MAXIMUM_PAGES
from idp_finetuning.text import is_one_line, normal_form
from idp_finetuning.wire import WireModel


class LabelProblem(StrEnum):
    """Why a document's labels cannot be used; the value is the sentence shown."""

    NO_BASELINE = "has no baseline"
    EMPTY_FILE = "has a baseline file that is empty"
    NOT_UTF8 = "has a baseline file that is not text in UTF-8"
    NOT_JSON = "has a baseline file that is not JSON"
    TOO_DEEP = "has a baseline file whose brackets are nested too deeply"
    NO_OBJECT = "has a baseline file that is JSON but no object {…}"
    UNCLASSIFIED = "has no classification in its baseline"
    CLASS_NOT_TEXT = "has a class that is not text"
    BAD_CLASS_NAME = (
        f"has a class name with a line break or more than {MAXIMUM_CLASS_NAME} characters "
        f"({MAXIMUM_CLASS_NAME_BYTES} bytes)"
    )
    PAGES_NOT_LISTED = "has page_indices that are no list"
    NO_PAGES = "has a section whose page_indices are empty"
    PAGES_NOT_NUMBERS = "has page_indices that are not all whole numbers"
    NEGATIVE_PAGE = "has a page index below 0"
    COUNTED_FROM_ONE = "has page_indices that count from 1, but the first page is 0"
    TOO_MANY_PAGES = f"has labels for more than {MAXIMUM_PAGES} pages"
    OVERLAP = "has sections that overlap"
    GAP = "has sections that leave pages out"
    CHANGED = "has a baseline that was changed or removed after the test set was listed"

    @property
    def advice(self) -> str:
        """What to do about it."""
        return "Upload a new test set." if self is LabelProblem.CHANGED else "Correct the labels."

    @property
    def for_several(self) -> str:
        """The sentence with several documents as its subject."""
        return self.value.replace("has ", "have ", 1).replace(" its ", " their ", 1)


class Section(WireModel):
    """A document within a file: its class and its 0-based pages (None: all pages of the file)."""

    class_name: str
    page_indices: tuple[int, ...] | None = None


def parse_section(content: bytes | None) -> Section | LabelProblem:
    """Return the section in a `result.json`, or the problem with it; None is a file that changed.

    The class is `document_class`, as `{"type": …}` or a string; the pages are `split_document.page_indices`.
    """
    if content is None:
        return LabelProblem.CHANGED
    result = _parse_object(content)
    if isinstance(result, LabelProblem):
        return result
    document_class = result.get("document_class")
    name = document_class.get("type") if isinstance(document_class, dict) else document_class
    if name is None:
        return LabelProblem.UNCLASSIFIED
    if not isinstance(name, str):
        return LabelProblem.CLASS_NOT_TEXT
    name = name.strip()
    if not normal_form(name):
        return LabelProblem.UNCLASSIFIED
    if not _is_class_name(name):
        return LabelProblem.BAD_CLASS_NAME
    pages = _read_pages(result.get("split_document"))
    return pages if isinstance(pages, LabelProblem) else Section(class_name=name, page_indices=pages)


def _parse_object(content: bytes) -> dict[str, Any] | LabelProblem:
    if not content.strip():
        return LabelProblem.EMPTY_FILE
    try:
        result = json.loads(content)
    except UnicodeDecodeError:
        return LabelProblem.NOT_UTF8
    except ValueError:
        return LabelProblem.NOT_JSON
    except RecursionError:
        return LabelProblem.TOO_DEEP
    return result if isinstance(result, dict) else LabelProblem.NO_OBJECT


def _read_pages(split_document: object) -> tuple[int, ...] | LabelProblem | None:
    """Return the pages of a section; None if it has all pages of the file."""
    indices = split_document.get("page_indices") if isinstance(split_document, dict) else split_document
    if indices is None:
        return None
    if not isinstance(indices, list):
        return LabelProblem.PAGES_NOT_LISTED
    if not indices:
        return LabelProblem.NO_PAGES
    if not all(type(index) is int for index in indices):
        return LabelProblem.PAGES_NOT_NUMBERS
    return LabelProblem.NEGATIVE_PAGE if min(indices) < 0 else tuple(indices)


def _is_class_name(name: str) -> bool:
    return (
        len(name) <= MAXIMUM_CLASS_NAME
        and is_one_line(name)  # before encode(), which fails on half a surrogate pair
        and len(name.encode()) <= MAXIMUM_CLASS_NAME_BYTES
    )
