"""Scores of the split: boundaries, sections found exactly or in part, and files without any error."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from math import comb

from idp_finetuning.evaluation.judged import JudgedDocument, PageGroup
from idp_finetuning.evaluation.page_scores import f1, share
from idp_finetuning.nova.prompt import Boundary
from idp_finetuning.wire import WireModel


class Found(WireModel):
    """How many things the labels have, how many were given, and precision, recall and F1, 0 to 1."""

    labelled: int
    given: int
    right: int
    precision: float
    recall: float
    f1: float


class SectionScores(WireModel):
    """Scores over files.

    `boundaries` are the `start` pages without the first of each file, which is always one. `panoptic_quality` is the
    sum of the IoU of matches (above 0.5) by TP + FP/2 + FN/2, pooled over files; without regard to classes in
    `panoptic_quality_of_pages`. `adjusted_rand` is the mean over files of several pages, None if there are none.
    `split_ratio` is given by true sections: above 1 is split too often.
    """

    files: int
    files_without_error: int
    boundaries: Found
    sections: Found
    panoptic_quality: float
    panoptic_quality_of_pages: float
    adjusted_rand: float | None
    split_ratio: float


class AcceleratorScores(WireModel):
    """The three numbers of AWS's GenAI IDP accelerator, under its names, 0 to 1.

    Its split accuracy is a recall only: what is found too much costs nothing. It is here to compare with, and no
    headline.
    """

    page_level_accuracy: float
    split_accuracy_without_page_order: float
    split_accuracy_with_page_order: float


def score_sections(documents: Sequence[JudgedDocument]) -> SectionScores:
    """Score the split of at least one file."""
    true = sum(len(document.true_sections) for document in documents)
    given = sum(len(document.given_sections) for document in documents)
    exact = sum(len(set(document.true_sections) & set(document.given_sections)) for document in documents)
    rand = [
        adjusted_rand(document.true_sections, document.given_sections)
        for document in documents
        if len(document.pages) > 1
    ]
    return SectionScores(
        files=len(documents),
        files_without_error=sum(document.without_error for document in documents),
        boundaries=_score_boundaries(documents),
        sections=_found(true, given, exact),
        panoptic_quality=_panoptic_quality(documents, by_class=True),
        panoptic_quality_of_pages=_panoptic_quality(documents, by_class=False),
        adjusted_rand=sum(rand) / len(rand) if rand else None,
        split_ratio=given / true,
    )


def score_as_accelerator(documents: Sequence[JudgedDocument]) -> AcceleratorScores:
    """Return the accelerator's numbers of at least one file."""
    pages = [page for document in documents for page in document.pages]
    true = sum(len(document.true_sections) for document in documents)
    found = [
        section.page_indices is None or list(section.page_indices) == sorted(section.page_indices)
        for document in documents
        for section, pages_of in zip(document.sections, document.true_sections, strict=True)
        if pages_of in document.given_sections
    ]
    return AcceleratorScores(
        page_level_accuracy=sum(page.class_right for page in pages) / len(pages),
        split_accuracy_without_page_order=len(found) / true,
        split_accuracy_with_page_order=sum(found) / true,
    )


def adjusted_rand(true: Iterable[PageGroup], given: Iterable[PageGroup]) -> float:
    """Return the adjusted Rand index of two partitions of the same pages: 1 if they are identical.

    0 is what chance reaches, below it is worse (Hubert and Arabie 1985). Both of one group, or both of single pages:
    1, as in scikit-learn.
    """
    section_of = {page: number for number, group in enumerate(given) for page in group.pages}
    true_groups = [group.pages for group in true]
    together = Counter((number, section_of[page]) for number, pages in enumerate(true_groups) for page in pages)
    both = sum(comb(count, 2) for count in together.values())
    in_true = sum(comb(len(pages), 2) for pages in true_groups)
    in_given = sum(comb(count, 2) for count in Counter(section_of.values()).values())
    expected = in_true * in_given / comb(len(section_of), 2) if len(section_of) > 1 else 0.0
    most = (in_true + in_given) / 2
    return 1.0 if most == expected else (both - expected) / (most - expected)


def _score_boundaries(documents: Sequence[JudgedDocument]) -> Found:
    """Score the starts. An answer without a boundary is wrong either way: a start missed, or one too many."""
    pages = [page for document in documents for page in document.pages[1:]]
    true = [page.truth.boundary is Boundary.START for page in pages]
    given = [
        page.boundary is Boundary.START if page.boundary is not None else page.truth.boundary is not Boundary.START
        for page in pages
    ]
    return _found(sum(true), sum(given), sum(a and b for a, b in zip(true, given, strict=True)))


def _panoptic_quality(documents: Sequence[JudgedDocument], *, by_class: bool) -> float:
    """Return the panoptic quality (Kirillov et al. 2019); an IoU above 0.5 makes each match the only one."""
    overlap, matched, sections = 0.0, 0, 0
    for document in documents:
        sections += len(document.true_sections) + len(document.given_sections)
        for true in document.true_sections:
            for given in document.given_sections:
                if by_class and true.class_name != given.class_name:
                    continue
                iou = len(true.pages & given.pages) / len(true.pages | given.pages)
                if iou > 0.5:
                    overlap += iou
                    matched += 1
    # TP + (given - TP) / 2 + (true - TP) / 2 is half of all sections of both sides.
    return overlap / (sections / 2) if matched else 0.0


def _found(true: int, given: int, right: int) -> Found:
    return Found(
        labelled=true,
        given=given,
        right=right,
        precision=share(right, given),
        recall=share(right, true),
        f1=f1(right, answered=given, support=true),
    )
