"""How well a model answers on labelled pages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from pydantic import BaseModel, ConfigDict

from idp_finetuning.nova.prompt import Boundary, PageLabel, Prompt
from idp_finetuning.test_sets.sections import Section
from idp_finetuning.training_data.examples import page_labels
from idp_local.demo.held_out import LabelledPage
from idp_sdk import Classification, ClassifiedPage, LabelledDocument, SplitReport

AT_ONCE = 4  # Converse calls


class Answer(BaseModel):
    """The truth about a page and what a model said; None if it gave no usable answer."""

    model_config = ConfigDict(frozen=True)

    path: str
    number: int
    truth: PageLabel
    given: PageLabel | None

    @property
    def class_right(self) -> bool:
        """Return whether the class is right."""
        return self.given is not None and self.given.class_name == self.truth.class_name

    @property
    def boundary_right(self) -> bool:
        """Return whether `start` or `continue` is right."""
        return self.given is not None and self.given.boundary is self.truth.boundary


class Score(BaseModel):
    """Counts over pages."""

    model_config = ConfigDict(frozen=True)

    pages: int
    classes_right: int
    boundaries_right: int
    unusable: int = 0

    @property
    def page_accuracy(self) -> float:
        """Return the share of the pages whose class is right, 0 to 1."""
        return self.classes_right / self.pages

    @property
    def boundary_accuracy(self) -> float:
        """Return the share of the pages whose boundary is right, 0 to 1."""
        return self.boundaries_right / self.pages


def ask(bedrock: Any, prompt: Prompt, model_id: str, pages: Sequence[LabelledPage]) -> tuple[Answer, ...]:
    """Ask a model about each page through Converse; `bedrock` is a boto3 bedrock-runtime client."""

    def answer(page: LabelledPage) -> Answer:
        reply = bedrock.converse(**prompt.converse_request(model_id, page.jpeg))
        text = "".join(block.get("text", "") for block in reply["output"]["message"]["content"])
        return Answer(path=page.path, number=page.number, truth=page.truth, given=prompt.read_answer(text))

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return tuple(pool.map(answer, pages))


def answers_of(document: LabelledDocument, shown: Classification) -> tuple[Answer, ...]:
    """Set what a classification says of each page of a labelled document against the truth."""
    sections = [Section(class_name=s.class_name, page_indices=s.page_indices) for s in document.sections]
    truths = page_labels(sections, len(shown.pages))
    return tuple(
        Answer(path=document.path, number=page.number, truth=truth, given=_label(page))
        for page, truth in zip(shown.pages, truths, strict=True)
    )


def _label(page: ClassifiedPage) -> PageLabel | None:
    if page.class_name is None or page.boundary is None:
        return None
    return PageLabel(class_name=page.class_name, boundary=Boundary(page.boundary))


def score(answers: Sequence[Answer]) -> Score:
    """Count the right answers of a model."""
    return Score(
        pages=len(answers),
        classes_right=sum(answer.class_right for answer in answers),
        boundaries_right=sum(answer.boundary_right for answer in answers),
        unusable=sum(answer.given is None for answer in answers),
    )


def majority_class(train: SplitReport) -> str:
    """Return the class with most training pages; the first by name among equals."""
    return min(train.classes, key=lambda item: (-item.pages, item.name)).name


def majority_score(pages: Sequence[LabelledPage], train: SplitReport) -> Score:
    """Return the score of always answering the majority class and `start`."""
    name = majority_class(train)
    return Score(
        pages=len(pages),
        classes_right=sum(page.truth.class_name == name for page in pages),
        boundaries_right=sum(page.truth.boundary == "start" for page in pages),
    )


def confusions(answers: Sequence[Answer]) -> list[tuple[str, str, int]]:
    """Return truth, answer and number of the wrong classes, most frequent first."""
    wrong = Counter(
        (answer.truth.class_name, answer.given.class_name if answer.given else "no usable answer")
        for answer in answers
        if not answer.class_right
    )
    return [
        (truth, given, count) for (truth, given), count in sorted(wrong.items(), key=lambda item: (-item[1], item[0]))
    ]
