"""The demo's own texts, beside those of the command line: the choice of a model, scores and answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from idp_cli.output import table
from idp_cli.session import STAND_IN
from idp_finetuning.evaluation.comparison import Metric, score_share
from idp_finetuning.evaluation.judged import JudgedDocument, all_pages
from idp_finetuning.evaluation.page_scores import score_pages
from idp_finetuning.evaluation.section_scores import score_sections
from idp_sdk import BaseModel as OfferedModel
from idp_sdk import Classification, IgnoredFile

SHOWN = 20
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


def score_lines(contestants: Mapping[str, Sequence[JudgedDocument]]) -> list[str]:
    """Set the scores of each contestant side by side, with the reminder that they say nothing about Nova."""
    rows = [("", "page accuracy", "95 % interval", "macro F1", "exact sections")]
    for name, documents in contestants.items():
        pages, split = score_pages(list(all_pages(documents))), score_sections(documents)
        limits = score_share(documents, Metric.PAGES)
        rows.append(
            (
                name,
                f"{pages.accuracy:.1%} ({pages.right} of {pages.pages})",
                f"{limits.lower:.1%} to {limits.upper:.1%}",
                f"{pages.macro_f1:.2f}",
                f"{split.sections.right} of {split.sections.labelled}",
            )
        )
    return [*table(rows, right=(1, 2, 3, 4)), f"({STAND_IN})"]


def confusion_lines(documents: Sequence[JudgedDocument]) -> list[str]:
    """List the wrong classes of the custom model, most frequent first."""
    found = score_pages(list(all_pages(documents))).confusions
    wrong = sorted((item for item in found if item.given != item.truth), key=lambda item: -item.pages)
    if not wrong:
        return ["No page was given a wrong class."]
    rows = [
        ("Truth", "answered as", "pages"),
        *((item.truth, item.given or NO_ANSWER, str(item.pages)) for item in wrong[:SHOWN]),
    ]
    return table(rows, right=(2,))


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
