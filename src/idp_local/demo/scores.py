"""What a classification says about labelled pages, as the evaluation judges it."""

from __future__ import annotations

from idp_finetuning.classification.classification import ClassifiedPage
from idp_finetuning.evaluation.judged import JudgedDocument
from idp_finetuning.nova.prompt import Boundary
from idp_finetuning.test_sets.sections import Section
from idp_sdk import Classification, LabelledDocument


def judge(document: LabelledDocument, shown: Classification) -> JudgedDocument:
    """Set what a classification says of each page of a labelled document against its labels."""
    return JudgedDocument(
        path=document.path,
        group=document.path,
        sections=tuple(Section(class_name=s.class_name, page_indices=s.page_indices) for s in document.sections),
        answers=tuple(
            ClassifiedPage(
                number=page.number,
                class_name=page.class_name,
                boundary=None if page.boundary is None else Boundary(page.boundary),
            )
            for page in shown.pages
        ),
    )
