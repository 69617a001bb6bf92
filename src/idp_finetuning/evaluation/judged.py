"""What a model said about each page of labelled documents, beside the truth."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property

from idp_finetuning.classification.classification import ClassifiedPage, make_sections
from idp_finetuning.nova.prompt import Boundary, PageLabel
from idp_finetuning.test_sets.sections import Section
from idp_finetuning.training_data.examples import page_labels
from idp_finetuning.wire import WireModel


class JudgedPage(WireModel):
    """A page's label and the answer about it; None for the parts of an answer that cannot be used."""

    truth: PageLabel
    class_name: str | None
    boundary: Boundary | None

    @property
    def class_right(self) -> bool:
        """Whether the answer names the label's class."""
        return self.class_name == self.truth.class_name

    @property
    def boundary_right(self) -> bool:
        """Whether the answer has the label's boundary."""
        return self.boundary is self.truth.boundary


class PageGroup(WireModel):
    """A section as scores compare it: its class and its pages, from 0."""

    class_name: str | None
    pages: frozenset[int]


class JudgedDocument(WireModel):
    """A labelled file and one answer for each of its pages, in the order of the pages.

    `group` is the same for documents that the split keeps together, such as identical files: they are one unit of
    chance. Raises DocumentRejected where it is used if labels and answers differ in their pages.
    """

    path: str
    group: str
    sections: tuple[Section, ...]
    answers: tuple[ClassifiedPage, ...]

    @cached_property
    def pages(self) -> tuple[JudgedPage, ...]:
        """Each page with its truth. An answer without a class of the list is wrong everywhere, its boundary too."""
        truths = page_labels(self.sections, len(self.answers))
        return tuple(
            JudgedPage(
                truth=truth,
                class_name=answer.class_name,
                boundary=answer.boundary if answer.class_name else None,
            )
            for truth, answer in zip(truths, self.answers, strict=True)
        )

    @cached_property
    def true_sections(self) -> tuple[PageGroup, ...]:
        """The sections of the labels."""
        everything = range(len(self.answers))
        return tuple(
            PageGroup(
                class_name=section.class_name,
                pages=frozenset(everything if section.page_indices is None else section.page_indices),
            )
            for section in self.sections
        )

    @cached_property
    def given_sections(self) -> tuple[PageGroup, ...]:
        """The sections that a classification makes of the answers."""
        return tuple(
            PageGroup(class_name=made.class_name, pages=frozenset(range(made.start_page - 1, made.end_page)))
            for made in make_sections(self.answers)
        )

    @property
    def is_packet(self) -> bool:
        """Whether the file has several documents in it."""
        return len(self.sections) > 1

    @property
    def without_error(self) -> bool:
        """Whether the sections are exactly those of the labels."""
        return set(self.given_sections) == set(self.true_sections)


def all_pages(documents: Sequence[JudgedDocument]) -> Iterator[JudgedPage]:
    """Yield the pages of all documents."""
    return (page for document in documents for page in document.pages)
