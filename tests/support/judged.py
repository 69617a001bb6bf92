"""Judged documents from short notations."""

from __future__ import annotations

from collections.abc import Sequence

from idp_finetuning.classification.classification import ClassifiedPage
from idp_finetuning.evaluation.judged import JudgedDocument
from idp_finetuning.nova.prompt import Boundary
from idp_finetuning.test_sets.sections import Section

_BOUNDARIES = {"+": Boundary.START, "-": Boundary.CONTINUE}


def judged(
    answers: str, sections: Sequence[tuple[str, Sequence[int] | None]], path: str = "a.pdf", group: str | None = None
) -> JudgedDocument:
    """Return a document judged by answers such as `+a -a ??`: boundary, then class; `?` for what cannot be used."""
    return JudgedDocument(
        path=path,
        group=group or path,
        sections=tuple(
            Section(class_name=name, page_indices=None if pages is None else tuple(pages)) for name, pages in sections
        ),
        answers=tuple(
            ClassifiedPage(
                number=number,
                class_name=None if answer[1] == "?" else answer[1:],
                boundary=_BOUNDARIES.get(answer[0]),
            )
            for number, answer in enumerate(answers.split(), start=1)
        ),
    )
