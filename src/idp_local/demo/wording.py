"""The demo's own texts, beside those of the command line: the choice of a model, scores and answers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from idp_cli.output import table
from idp_cli.session import STAND_IN
from idp_local.demo.scores import Answer, Score, confusions
from idp_sdk import BaseModel as OfferedModel
from idp_sdk import Classification, IgnoredFile

SHOWN = 20


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


def score_lines(custom: Score, base: Score, majority: Score, majority_name: str) -> list[str]:
    """Set the three scores side by side, with the reminder that they say nothing about Nova."""
    rows = [("", "page accuracy", "", "boundary accuracy")]
    for name, item in (
        ("Custom model", custom),
        ("Base model (stand-in)", base),
        (f"Always '{majority_name}'", majority),
    ):
        rows.append(
            (
                name,
                f"{item.page_accuracy:.1%}",
                f"({item.classes_right} of {item.pages})",
                f"{item.boundary_accuracy:.1%}",
            )
        )
    return [*table(rows, right=(1, 2, 3)), f"({STAND_IN})"]


def confusion_lines(answers: Sequence[Answer]) -> list[str]:
    """List the wrong classes of the custom model, most frequent first."""
    wrong = confusions(answers)
    if not wrong:
        return ["No page was given a wrong class."]
    rows = [("Truth", "answered as", "pages"), *((truth, given, str(count)) for truth, given, count in wrong[:SHOWN])]
    return table(rows, right=(2,))


def answer_lines(answers: Sequence[Answer]) -> list[str]:
    """Set answer against truth, a line for each page."""
    rows = [("File", "page", "answer", "", "truth", "")]
    for answer in answers:
        given = (answer.given.class_name, answer.given.boundary) if answer.given else ("no usable answer", "")
        wrong = "" if answer.class_right and answer.boundary_right else "<- wrong"
        truth = answer.truth
        rows.append((answer.path, str(answer.number), *given, f"{truth.class_name} {truth.boundary}", wrong))
    right = sum(answer.class_right for answer in answers)
    return [*table(rows, right=(1,)), f"{right} of {len(answers)} classes right ({STAND_IN})"]


def section_lines(shown: Sequence[Classification]) -> list[str]:
    """List the sections of classified documents, then their warnings."""
    rows = [("File", "pages", "class")]
    for item in shown:
        for found in item.sections:
            pages = f"{found.start_page}" + (f"-{found.end_page}" if found.end_page > found.start_page else "")
            rows.append((item.document, pages, found.class_name or "no usable answer"))
    return [*table(rows), *(warning for item in shown for warning in item.warnings)]
