from __future__ import annotations

import random

import pytest
from sklearn.metrics import adjusted_rand_score

from idp_finetuning.evaluation.judged import PageGroup
from idp_finetuning.evaluation.section_scores import adjusted_rand, score_as_accelerator, score_sections
from tests.support.judged import judged

# Pages 0-1 invoice, 2-3 letter, 4-5 letter. The start of the second letter is missed, and a false one is in the first
# section: given are 0, 1, 2-5.
PACKET = judged(
    "+invoice +invoice +letter -letter -letter -letter", [("invoice", (0, 1)), ("letter", (2, 3)), ("letter", (4, 5))]
)
PERFECT = judged("+memo", [("memo", None)], path="b.pdf")


def test_a_packet_with_a_missed_and_a_false_boundary() -> None:
    scores = score_sections([PACKET, PERFECT])

    assert scores.boundaries.model_dump() == {
        "labelled": 2, "given": 2, "right": 1, "precision": 0.5, "recall": 0.5, "f1": 0.5,
    }  # fmt: skip
    # Four true sections, four given; only the memo is exact.
    assert scores.sections.model_dump() == {
        "labelled": 4, "given": 4, "right": 1, "precision": 0.25, "recall": 0.25, "f1": 0.25,
    }  # fmt: skip
    # The memo alone has an IoU above 0.5: the rest have exactly 0.5.
    assert scores.panoptic_quality == pytest.approx(1 / 4)
    assert (scores.files, scores.files_without_error) == (2, 1)
    assert scores.split_ratio == 1.0


def test_a_section_found_in_greater_part_counts_for_panoptic_quality() -> None:
    document = judged("+a -a -a +b", [("a", (0, 1)), ("b", (2, 3))])

    scores = score_sections([document])

    # a: 2 of 3 pages, matched; b: 1 of 2 pages is no match. Half of the four sections is 2.
    assert scores.panoptic_quality == pytest.approx((2 / 3) / 2)
    assert scores.sections.right == 0


def test_panoptic_quality_of_pages_forgives_the_class() -> None:
    document = judged("+b -b", [("a", (0, 1))])

    scores = score_sections([document])

    assert (scores.panoptic_quality, scores.panoptic_quality_of_pages) == (0.0, 1.0)
    assert scores.files_without_error == 0


def test_interleaved_sections_are_found_by_their_pages() -> None:
    document = judged("+a +b -a -b", [("a", (0, 2)), ("b", (1, 3))])

    scores = score_sections([document])

    assert scores.sections.model_dump()["right"] == 0, "the answers make four sections of one page"
    assert (scores.sections.labelled, scores.sections.given) == (2, 4)
    assert scores.split_ratio == 2.0
    assert scores.adjusted_rand == pytest.approx(adjusted_rand_score([0, 1, 0, 1], [0, 1, 2, 3]))


def test_the_first_page_of_a_file_is_no_boundary_to_find() -> None:
    scores = score_sections([PERFECT])

    assert (scores.boundaries.labelled, scores.boundaries.given, scores.boundaries.f1) == (0, 0, 0.0)
    assert scores.adjusted_rand is None


def test_an_answer_without_a_boundary_is_wrong_either_way() -> None:
    missed = judged("+a ?b", [("a", (0,)), ("b", (1,))])
    too_many = judged("+a ?a", [("a", (0, 1))], path="b.pdf")
    no_class = judged("+a +?", [("a", (0,)), ("b", (1,))], path="c.pdf")

    scores = score_sections([missed, too_many, no_class])

    assert (scores.boundaries.labelled, scores.boundaries.given, scores.boundaries.right) == (2, 1, 0)


def test_an_unusable_class_finds_no_section() -> None:
    scores = score_sections([judged("?? ??", [("a", None)])])

    assert (scores.sections.right, scores.files_without_error) == (0, 0)
    assert scores.panoptic_quality == 0.0


@pytest.mark.parametrize("seed", range(30))
def test_adjusted_rand_is_scikit_learns(seed: int) -> None:
    generator = random.Random(seed)
    count = generator.randint(1, 12)
    true, given = (generator.choices(range(generator.randint(1, 5)), k=count) for _ in range(2))

    def groups(labels: list[int]) -> list[PageGroup]:
        return [
            PageGroup(class_name=None, pages=frozenset(page for page, other in enumerate(labels) if other == label))
            for label in sorted(set(labels))
        ]

    assert adjusted_rand(groups(true), groups(given)) == pytest.approx(adjusted_rand_score(true, given))


def test_the_accelerators_split_accuracy_ignores_what_was_found_too_much() -> None:
    scores = score_as_accelerator(
        [judged("+a +b -b", [("a", (0,)), ("b", (2, 1))]), judged("+c +c", [("d", None)], path="b")]
    )

    assert scores.page_level_accuracy == pytest.approx(3 / 5)
    assert scores.split_accuracy_without_page_order == pytest.approx(2 / 3)
    assert scores.split_accuracy_with_page_order == pytest.approx(1 / 3)
