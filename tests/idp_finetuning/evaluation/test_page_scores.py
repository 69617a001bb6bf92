from __future__ import annotations

import random

import pytest
from sklearn.metrics import confusion_matrix, f1_score, precision_recall_fscore_support

from idp_finetuning.evaluation.judged import all_pages
from idp_finetuning.evaluation.page_scores import Confusion, PageScores, score_pages
from tests.support.judged import judged

CLASSES = ("invoice", "letter", "memo", "form")
NONE = "(none)"


def score(truths: list[str], given: list[str]) -> PageScores:
    documents = [
        judged(f"+{'?' if answer == NONE else answer}", [(truth, None)], path=f"{number}.pdf")
        for number, (truth, answer) in enumerate(zip(truths, given, strict=True))
    ]
    return score_pages(list(all_pages(documents)))


@pytest.mark.parametrize("seed", range(20))
def test_scores_are_those_of_scikit_learn_over_the_classes_with_support(seed: int) -> None:
    generator = random.Random(seed)
    count = generator.randint(1, 60)
    truths = generator.choices(CLASSES[: generator.randint(1, 3)], k=count)
    given = generator.choices((*CLASSES, NONE), k=count)
    present = sorted(set(truths))

    scores = score(truths, given)

    for average, found in (
        ("macro", scores.macro_f1),
        ("weighted", scores.weighted_f1),
        ("micro", scores.micro_f1),
    ):
        expected = f1_score(truths, given, labels=present, average=average, zero_division=0)
        assert found == pytest.approx(expected), average
    columns = precision_recall_fscore_support(truths, given, labels=present, zero_division=0)
    rows = [(item.precision, item.recall, item.f1, item.support) for item in scores.classes]
    assert [item.name for item in scores.classes] == present
    assert rows == [pytest.approx(row) for row in zip(*columns, strict=True)]
    names = [*CLASSES, NONE]
    matrix = confusion_matrix(truths, given, labels=names)
    found_pages = {(item.truth, item.given or NONE): item.pages for item in scores.confusions}
    assert found_pages == {
        (truth, answer): matrix[row, column]
        for row, truth in enumerate(names)
        for column, answer in enumerate(names)
        if matrix[row, column]
    }


def test_an_unusable_answer_is_wrong_and_has_a_column_of_its_own() -> None:
    scores = score(["invoice", "invoice", "letter"], ["invoice", NONE, "letter"])

    assert scores.unusable == 1
    assert scores.accuracy == pytest.approx(2 / 3)
    assert Confusion(truth="invoice", given=None, pages=1) in scores.confusions


def test_a_class_that_only_answers_have_lowers_no_mean_but_the_page_is_wrong() -> None:
    scores = score(["invoice", "invoice"], ["invoice", "memo"])

    assert [item.name for item in scores.classes] == ["invoice"]
    assert scores.macro_f1 == pytest.approx(2 / 3)
