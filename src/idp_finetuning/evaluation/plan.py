"""What an evaluation asks: which contestants, about which documents."""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from enum import StrEnum
from itertools import zip_longest

from idp_finetuning.classification.classification import ClassifiedPage
from idp_finetuning.classification.config_versions import ClassificationConfig
from idp_finetuning.evaluation.comparison import DEFAULT_MARGIN, Metric
from idp_finetuning.nova.prices import Usage
from idp_finetuning.nova.prompt import Boundary, Prompt
from idp_finetuning.test_sets.sections import Section
from idp_finetuning.wire import WireModel

# Of all documents together; with two seconds a call, 1,000 pages take three contestants about twenty minutes.
MAXIMUM_PAGES = 1_000
# Temperature 0 does not make a model repeat itself; so many pages show how often it does not.
REPEATED_PAGES = 50
# Stands for the digest of a contestant where the nearest training page answers.
NEAREST = "nearest-page"
# Of documents that belong to no class: enough to tell whether a model says so.
OUT_OF_SCOPE_PAGES = 200


class ContestantKind(StrEnum):
    """Who answers: models, or what needs none: the most frequent class, the label of the nearest training page."""

    CUSTOM_MODEL = "CUSTOM_MODEL"
    BASE_MODEL = "BASE_MODEL"
    BUILT_IN_PROMPT = "BUILT_IN_PROMPT"
    ACTIVE_VERSION = "ACTIVE_VERSION"
    CONFIG_VERSION = "CONFIG_VERSION"
    MAJORITY_CLASS = "MAJORITY_CLASS"
    NEAREST_PAGE = "NEAREST_PAGE"


NAMES = {
    ContestantKind.CUSTOM_MODEL: "the custom model",
    ContestantKind.BASE_MODEL: "the base model with the same prompt",
    ContestantKind.BUILT_IN_PROMPT: "the base model with the built-in prompt",
    ContestantKind.ACTIVE_VERSION: "the active configuration version",
    ContestantKind.CONFIG_VERSION: "a configuration version",
    ContestantKind.MAJORITY_CLASS: "always naming the most frequent class",
    ContestantKind.NEAREST_PAGE: "the label of the nearest training page",
}


class Contestant(WireModel):
    """A model as it is asked: `model` is the `modelId` of Converse, `temperature` from 0 to 1.

    `name` is how a report names it, unlike any other; None if its kind says it. `repetition` counts how often it was
    asked before. `base_model` is the id of the base model that its price is found
    by; None if it is not known.
    """

    kind: ContestantKind
    name: str | None = None
    model: str
    prompt: Prompt
    temperature: float = 0.0
    repetition: int = 0
    base_model: str | None = None

    @classmethod
    def of_version(cls, settings: ClassificationConfig) -> Contestant:
        """Return a configuration version as it is."""
        return cls(
            kind=ContestantKind.ACTIVE_VERSION,
            model=settings.model,
            prompt=settings.prompt,
            temperature=settings.temperature,
        )

    @property
    def title(self) -> str:
        """What a report calls it, within a sentence."""
        return self.name or NAMES[self.kind]

    @property
    def digest(self) -> str:
        """32 hexadecimal characters, equal for contestants that would be asked the same."""
        again = [self.repetition] if self.repetition else []
        asked = json.dumps([self.model, self.prompt.to_wire(), self.temperature, *again], sort_keys=True)
        return hashlib.sha256(asked.encode()).hexdigest()[:32]


class EvaluatedDocument(WireModel):
    """A labelled document; identical documents have the same `group`.

    The custom model is asked about the first `asked_twice` pages once more. The job has images of its own documents; a
    document of another test set has a `key` and is drawn. `pages` is only an upper limit unless `pages_known`. One
    that is `out_of_scope` belongs to no class of the models, whatever its labels say.
    """

    document_id: str
    path: str
    group: str
    pages: int
    pages_known: bool = True
    asked_twice: int = 0
    sections: tuple[Section, ...]
    key: str | None = None
    etag: str | None = None
    out_of_scope: bool = False


class LeftOut(WireModel):
    """A document that is not in the scores, and why."""

    path: str
    reason: str


class EvaluationPlan(WireModel):
    """Everything that is fixed before the first answer. `margin` is the loss that "no worse" allows.

    The verdict is on the first contestant, beside the second. Of a job's evaluation these are the custom model and the
    base model.

    `classes` are those of the labels: the report names no others, which may belong to a version beyond its reader's
    scope. `is_other_test_set` says that the documents are not those that the job held out, `nearest_page` that the
    nearest training page answers, too.
    """

    test_set_id: str
    is_other_test_set: bool = False
    classes: tuple[str, ...]
    contestants: tuple[Contestant, ...]
    notes: tuple[str, ...] = ()
    majority_class: str
    nearest_page: bool = False
    metric: Metric
    margin: float = DEFAULT_MARGIN
    left_out: tuple[LeftOut, ...] = ()

    @property
    def first(self) -> Contestant:
        """The contestant that the verdict is on."""
        return self.contestants[0]

    @property
    def repetition(self) -> Contestant:
        """The first contestant when it is asked once more."""
        return self.first.model_copy(update={"repetition": 1})


class Planned(WireModel):
    """A plan and the documents that it asks about."""

    plan: EvaluationPlan
    documents: tuple[EvaluatedDocument, ...]


class StoredAnswer(ClassifiedPage):
    """An answer as it is stored, with the number of the evaluation that asked for it and what Bedrock counted."""

    asked_in: int = 0
    usage: Usage = Usage()


class DocumentAnswers(WireModel):
    """A contestant's answer for each page of a document, or why it has none.

    `unusable` says that the document is the reason: nobody can be asked about it. `usage` is of the answers that this
    evaluation asked for, and not of those that an earlier one had stored.
    """

    answers: tuple[ClassifiedPage, ...] = ()
    reason: str | None = None
    unusable: bool = False
    usage: Usage = Usage()


def page_digest(jpeg: bytes, text: str) -> str:
    """Return what is equal for pages that are asked about in the same way."""
    return hashlib.sha256(hashlib.sha256(jpeg).digest() + text.encode()).hexdigest()[:32]


def choose_documents(
    documents: Sequence[EvaluatedDocument], maximum_pages: int = MAXIMUM_PAGES
) -> tuple[list[EvaluatedDocument], list[LeftOut]]:
    """Choose documents of at most so many pages together, of each class in turn, and name the others. Deterministic."""
    by_class: defaultdict[str, list[EvaluatedDocument]] = defaultdict(list)
    for document in sorted(documents, key=lambda item: item.document_id):
        by_class[document.sections[0].class_name].append(document)
    in_turn = [document for turn in zip_longest(*(by_class[name] for name in sorted(by_class))) for document in turn]
    chosen: set[str] = set()
    pages = 0
    for document in filter(None, in_turn):
        if pages + document.pages <= maximum_pages:
            chosen.add(document.document_id)
            pages += document.pages
    reason = f"An evaluation asks about {maximum_pages} pages at most; this document was not drawn."
    return (
        [document for document in documents if document.document_id in chosen],
        [LeftOut(path=item.path, reason=reason) for item in documents if item.document_id not in chosen],
    )


def choose_metric(documents: Sequence[EvaluatedDocument]) -> Metric:
    """Choose what the verdict is about, from the labels alone: sections if most files are packets."""
    packets = sum(len(document.sections) > 1 for document in documents)
    return Metric.SECTIONS if 2 * packets > len(documents) else Metric.PAGES


def ask_twice(documents: Sequence[EvaluatedDocument], pages: int = REPEATED_PAGES) -> list[EvaluatedDocument]:
    """Mark so many pages, one of each document in turn, to be asked about once more."""
    marked = dict.fromkeys((item.document_id for item in documents), 0)
    left = min(pages, sum(item.pages for item in documents))
    while left:
        for document in documents:
            if left and marked[document.document_id] < document.pages:
                marked[document.document_id] += 1
                left -= 1
    return [item.model_copy(update={"asked_twice": marked[item.document_id]}) for item in documents]


def majority_class(documents: Iterable[tuple[Sequence[Section], int]]) -> str:
    """Return the class of most pages, of sections and pages of each training document; of equals the first by name."""
    counts: Counter[str] = Counter()
    for sections, pages in documents:
        for section in sections:
            counts[section.class_name] += pages if section.page_indices is None else len(section.page_indices)
    return min(counts, key=lambda name: (-counts[name], name))


def answer_always(class_name: str, pages: int) -> tuple[ClassifiedPage, ...]:
    """Return the answers that name one class on every page of a document of one section."""
    return tuple(
        ClassifiedPage(
            number=number, class_name=class_name, boundary=Boundary.START if number == 1 else Boundary.CONTINUE
        )
        for number in range(1, pages + 1)
    )
