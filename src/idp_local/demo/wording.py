"""The demo's texts: validation, report, scores and answers as lines for people."""

from __future__ import annotations

from collections.abc import Sequence

from idp_local.demo.scores import Answer, Score, confusions
from idp_sdk import BaseModel as OfferedModel
from idp_sdk import Classification, DatasetReport, IgnoredFile, TrainingMetrics, Validation

STAND_IN = "local stand-in: shows that the pipeline works, says nothing about Nova"
SHOWN = 20


def validation_lines(validation: Validation) -> list[str]:
    """The guide's `finetuning validate` output."""
    lines = [
        "Test Set Validation Results:",
        f"  Valid: {'Yes' if validation.is_valid else 'No'}",
        f"  Documents: {validation.document_count}",
        f"  Classes: {validation.class_count}",
        f"  Train/Validation Split: {validation.train_count}/{validation.validation_count}",
        "",
        "Class Distribution:",
        *(f"  {name}: {count}" for name, count in validation.class_distribution.items()),
    ]
    for title, texts in (("Warnings:", validation.warnings), ("Errors:", validation.errors)):
        if texts:
            lines += ["", title, *(f"  - {text}" for text in texts)]
    return lines


def ignored_lines(ignored: Sequence[IgnoredFile]) -> list[str]:
    """Every file that was left out, by name; what cannot be printed of a name is escaped."""
    return table([(item.path if item.path.isprintable() else ascii(item.path), item.reason) for item in ignored])


def choice_lines(chosen: OfferedModel, too_small: Sequence[tuple[OfferedModel, str]]) -> list[str]:
    """Which base model is trained, and why those before it are not."""
    lines = [f"{model.name} ({model.label}): not used. {reason}" for model, reason in too_small]
    why = "the first of the catalogue that this test set is big enough for"
    return [*lines, f"{chosen.name} ({chosen.label}): used, {why} (at least {chosen.minimum_records} training pages)."]


def metrics_lines(metrics: TrainingMetrics | None, model: OfferedModel) -> list[str]:
    """Final losses; a model without validation sets says so."""
    training = metrics.training_loss if metrics else None
    validation = metrics.validation_loss if metrics else None
    missing = "not reported" if model.validation_supported else "not reported by this model"
    rows = [
        ("Training loss", "not reported" if training is None else f"{training:.4f}"),
        ("Validation loss", missing if validation is None else f"{validation:.4f}"),
    ]
    return [*table(rows), f"({STAND_IN})"]


def report_lines(report: DatasetReport) -> list[str]:
    """Found = accepted + rejected, the two sides by class, and each rejected document with its reason."""
    train = {item.name: item for item in report.train.classes}
    held = {item.name: item for item in report.validation.classes}
    rows = [("Class", "training pages", "held-out pages")]
    rows += [
        (name, str(train[name].pages if name in train else 0), str(held[name].pages if name in held else 0))
        for name in sorted(train.keys() | held.keys())
    ]
    rows.append(("All", str(report.train.pages), str(report.validation.pages)))
    lines = [
        f"Documents found {report.found} = accepted {report.accepted} + rejected {report.rejected}",
        f"Documents for training {report.train.documents}, held out {report.validation.documents}",
        "",
        *table(rows, right=(1, 2)),
    ]
    if report.rejected_documents:
        rejected = [(item.key.split("/input/", 1)[-1], item.reason) for item in report.rejected_documents]
        lines += ["", "Rejected", *(f"  {line}" for line in table(rejected))]
    return lines


def score_lines(custom: Score, base: Score, majority: Score, majority_name: str) -> list[str]:
    """The three scores side by side, never without saying what they are not."""
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
    """The wrong classes of the custom model, most frequent first."""
    wrong = confusions(answers)
    if not wrong:
        return ["No page was given a wrong class."]
    rows = [("Truth", "answered as", "pages"), *((truth, given, str(count)) for truth, given, count in wrong[:SHOWN])]
    return table(rows, right=(2,))


def answer_lines(answers: Sequence[Answer]) -> list[str]:
    """Answer against truth, a line a page."""
    rows = [("File", "page", "answer", "", "truth", "")]
    for answer in answers:
        given = (answer.given.class_name, answer.given.boundary) if answer.given else ("no usable answer", "")
        wrong = "" if answer.class_right and answer.boundary_right else "<- wrong"
        truth = answer.truth
        rows.append((answer.path, str(answer.number), *given, f"{truth.class_name} {truth.boundary}", wrong))
    right = sum(answer.class_right for answer in answers)
    return [*table(rows, right=(1,)), f"{right} of {len(answers)} classes right ({STAND_IN})"]


def section_lines(shown: Sequence[Classification]) -> list[str]:
    """The sections of classified documents, and what to know about them."""
    rows = [("File", "pages", "class")]
    for item in shown:
        for section in item.sections:
            pages = f"{section.start_page}" + (f"-{section.end_page}" if section.end_page > section.start_page else "")
            rows.append((item.document, pages, section.class_name or "no usable answer"))
    return [*table(rows), *(warning for item in shown for warning in item.warnings)]


def table(rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> list[str]:
    """Columns as wide as their widest cell, two spaces apart; `right` names the right-aligned ones."""
    if not rows:
        return []
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  ".join(
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
