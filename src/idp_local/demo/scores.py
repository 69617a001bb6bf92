"""What models say about labelled pages, as the evaluation judges it."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from idp_finetuning.classification.classification import ClassifiedPage
from idp_finetuning.evaluation.judged import JudgedDocument
from idp_finetuning.nova.prompt import Boundary, Prompt
from idp_finetuning.test_sets.sections import Section
from idp_local.demo.held_out import HeldOutDocument
from idp_sdk import Classification, LabelledDocument, SplitReport

AT_ONCE = 4  # Converse calls


def ask(
    bedrock: Any, prompt: Prompt, model_id: str, documents: Sequence[HeldOutDocument]
) -> tuple[JudgedDocument, ...]:
    """Ask a model about each page through Converse; `bedrock` is a boto3 bedrock-runtime client."""

    def answer(image: bytes) -> str:
        reply = bedrock.converse(**prompt.converse_request(model_id, image))
        return "".join(block.get("text", "") for block in reply["output"]["message"]["content"])

    with ThreadPoolExecutor(AT_ONCE) as pool:
        texts = pool.map(answer, (image for document in documents for image in document.images))
        answers = (prompt.parse_answer(text) for text in texts)
        return tuple(
            _judge(
                document,
                [
                    ClassifiedPage(number=number, class_name=given.class_name, boundary=given.boundary)
                    for number, given in zip(range(1, len(document.images) + 1), answers, strict=False)
                ],
            )
            for document in documents
        )


def answer_always(class_name: str, documents: Sequence[HeldOutDocument]) -> tuple[JudgedDocument, ...]:
    """Return the answers of something that says the same about each page: this class, and `start`."""
    return tuple(
        _judge(
            document,
            [
                ClassifiedPage(number=number, class_name=class_name, boundary=Boundary.START)
                for number, _ in enumerate(document.images, start=1)
            ],
        )
        for document in documents
    )


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


def majority_class(train: SplitReport) -> str:
    """Return the class with most training pages; the first by name among equals."""
    return min(train.classes, key=lambda item: (-item.pages, item.name)).name


def _judge(document: HeldOutDocument, answers: Sequence[ClassifiedPage]) -> JudgedDocument:
    return JudgedDocument(path=document.path, group=document.group, sections=document.sections, answers=tuple(answers))
