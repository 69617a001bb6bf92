"""The demo's own texts, beside those of the command line: the choice of a model, and answers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from idp_cli.output import table
from idp_cli.session import STAND_IN
from idp_finetuning.evaluation.judged import JudgedDocument, all_pages
from idp_sdk import BaseModel as OfferedModel
from idp_sdk import Classification, IgnoredFile

NO_ANSWER = "no usable answer"


def section(title: str, lines: Iterable[str] = ()) -> list[str]:
    """Set the lines, indented, under a title after an empty line."""
    return ["", title, *indent(lines)]


def indent(lines: Iterable[str]) -> list[str]:
    """Indent lines as those of a section."""
    return [f"  {line}" for line in lines]


def ignored_lines(ignored: Sequence[IgnoredFile]) -> list[str]:
    """Name every file that was left out, with the reason."""
    return table([(item.path, item.reason) for item in ignored])


def model_line(model: OfferedModel) -> str:
    """Say what a base model asks for."""
    validation_file = "with" if model.validation_supported else "no"
    return (
        f"{model.name} ({model.label}): at least {model.minimum_records} training pages, {validation_file} "
        "validation file"
    )


def choice_lines(chosen: OfferedModel, too_small: Sequence[tuple[OfferedModel, str]]) -> list[str]:
    """Say which base model is trained, and why those before it are not."""
    lines = [f"{model.name} ({model.label}): not used. {reason}" for model, reason in too_small]
    why = "the first of the catalogue that this test set is big enough for"
    return [*lines, f"{chosen.name} ({chosen.label}): used, {why} (at least {chosen.minimum_records} training pages)."]


def answer_lines(documents: Sequence[JudgedDocument]) -> list[str]:
    """Set answer against truth, a line for each page."""
    rows = [("File", "page", "answer", "", "truth", "")]
    for document in documents:
        for number, page in enumerate(document.pages, start=1):
            wrong = "" if page.class_right and page.boundary_right else "<- wrong"
            truth = f"{page.truth.class_name} {page.truth.boundary}"
            rows.append((document.path, str(number), page.class_name or NO_ANSWER, page.boundary or "", truth, wrong))
    pages = list(all_pages(documents))
    right = sum(page.class_right for page in pages)
    return [*table(rows, right=(1,)), f"{right} of {len(pages)} classes right ({STAND_IN})"]


def section_lines(shown: Sequence[Classification]) -> list[str]:
    """List the sections of classified documents, then their warnings."""
    rows = [("File", "pages", "class")]
    for item in shown:
        for found in item.sections:
            pages = f"{found.start_page}" + (f"-{found.end_page}" if found.end_page > found.start_page else "")
            rows.append((item.document, pages, found.class_name or NO_ANSWER))
    return [*table(rows), *(warning for item in shown for warning in item.warnings)]
