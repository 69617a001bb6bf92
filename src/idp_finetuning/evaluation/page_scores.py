"""Scores of pages: accuracy, precision, recall and F1 of each class, their means, and the confusion matrix."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from idp_finetuning.evaluation.judged import JudgedPage
from idp_finetuning.wire import WireModel


class ClassScore(WireModel):
    """Precision, recall and F1 of a class, 0 to 1, and its support: how many pages have its label."""

    name: str
    precision: float
    recall: float
    f1: float
    support: int


class Confusion(WireModel):
    """How many pages with the label `truth` were answered as `given`; None is an answer that cannot be used."""

    truth: str
    given: str | None
    pages: int


class PageScores(WireModel):
    """Scores over pages, 0 to 1. The F1 means are over the classes that a label has."""

    pages: int
    right: int
    unusable: int
    accuracy: float
    macro_f1: float
    weighted_f1: float
    micro_f1: float
    classes: tuple[ClassScore, ...]
    confusions: tuple[Confusion, ...]


def score_pages(pages: Sequence[JudgedPage]) -> PageScores:
    """Score the classes of at least one page.

    As scikit-learn with `labels=<classes with support>, zero_division=0`: without `labels` it would take the classes
    of the answers too, and silently change the mean. An answer that cannot be used is wrong and of no class.
    """
    matrix = Counter((page.truth.class_name, page.class_name) for page in pages)
    support = Counter(page.truth.class_name for page in pages)
    answered = Counter(page.class_name for page in pages)
    classes = tuple(
        _score_class(name, right=matrix[name, name], answered=answered[name], support=support[name])
        for name in sorted(support)
    )
    right = sum(matrix[name, name] for name in support)
    in_classes = sum(answered[name] for name in support)
    return PageScores(
        pages=len(pages),
        right=right,
        unusable=answered[None],
        accuracy=right / len(pages),
        macro_f1=sum(item.f1 for item in classes) / len(classes),
        weighted_f1=sum(item.f1 * item.support for item in classes) / len(pages),
        micro_f1=f1(right, answered=in_classes, support=len(pages)),
        classes=classes,
        confusions=tuple(
            Confusion(truth=truth, given=given, pages=count)
            for (truth, given), count in sorted(matrix.items(), key=lambda item: (item[0][0], item[0][1] or ""))
        ),
    )


def f1(right: int, *, answered: int, support: int) -> float:
    """Return the harmonic mean of precision and recall, 0 if there is nothing to find and nothing was found."""
    return share(2 * right, answered + support)


def share(part: int, whole: int) -> float:
    """Return part of whole, 0 of nothing."""
    return part / whole if whole else 0.0


def _score_class(name: str, *, right: int, answered: int, support: int) -> ClassScore:
    return ClassScore(
        name=name,
        precision=share(right, answered),
        recall=share(right, support),
        f1=f1(right, answered=answered, support=support),
        support=support,
    )
