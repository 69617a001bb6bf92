from __future__ import annotations

import pytest

from idp_finetuning.errors import DocumentRejected
from idp_finetuning.evaluation.comparison import (
    Metric,
    Verdict,
    compare,
    find_agreement,
    primary_metric,
    score_share,
)
from idp_finetuning.evaluation.judged import JudgedDocument
from idp_finetuning.evaluation.wording import verdict_sentence
from tests.support.judged import judged


def documents(right: int, of: int, pages: int = 2, groups: int | None = None) -> list[JudgedDocument]:
    """Return documents of class a, of which the first are answered right and the rest as b."""
    return [
        judged(
            " ".join(["+a" if number < right else "+b"] + ["-a" if number < right else "-b"] * (pages - 1)),
            [("a", None)],
            path=f"{number}.pdf",
            group=f"group {number % groups}" if groups else None,
        )
        for number in range(of)
    ]


def test_a_model_that_is_right_where_the_other_is_wrong_is_better_and_the_other_worse() -> None:
    weak, strong = documents(5, 20), documents(19, 20)

    assert compare(weak, strong, Metric.PAGES).verdict is Verdict.BETTER
    assert compare(strong, weak, Metric.PAGES).verdict is Verdict.WORSE


def test_five_better_documents_prove_no_more_than_that_the_model_is_no_worse() -> None:
    five = compare(documents(15, 20), documents(20, 20), Metric.PAGES)
    two = compare(documents(18, 20), documents(20, 20), Metric.PAGES)

    assert (five.differing_units, five.verdict, five.detectable) == (5, Verdict.NO_WORSE, None)
    assert (two.differing_units, two.verdict, two.detectable) == (2, Verdict.NOT_PROVEN, None)


def test_identical_documents_are_one_unit() -> None:
    found = compare(documents(0, 12, groups=4), documents(12, 12, groups=4), Metric.PAGES)

    assert (found.units, found.items, found.verdict) == (4, 24, Verdict.NO_WORSE)


def test_equal_models_on_many_documents_are_no_worse_than_each_other() -> None:
    many = documents(290, 300)

    assert compare(many, many, Metric.PAGES, margin=0.03).verdict is Verdict.NO_WORSE
    assert compare(many[:20], many[:20], Metric.PAGES, margin=0.03).verdict is Verdict.NOT_PROVEN


def test_sections_are_the_metric_if_most_files_are_packets() -> None:
    packet = judged("+a +b", [("a", (0,)), ("b", (1,))])
    single = judged("+a -a", [("a", None)], path="b.pdf")

    assert primary_metric([packet, packet, single]) is Metric.SECTIONS
    assert primary_metric([packet, single]) is Metric.PAGES
    assert score_share([packet, judged("+a -a", [("a", (0,)), ("b", (1,))])], Metric.SECTIONS).value == 0.5


def test_answers_for_other_pages_than_the_labels_have_are_refused() -> None:
    with pytest.raises(DocumentRejected, match="2 pages, the document has 1"):
        score_share([judged("+a", [("a", (0, 1))])], Metric.PAGES)


def test_agreement_counts_the_second_models_errors() -> None:
    first = [judged("+a +a ?? +b", [("a", (0, 1)), ("b", (2, 3))])]
    second = [judged("+a +b ?? +a", [("a", (0, 1)), ("b", (2, 3))])]

    found = find_agreement(first, second)

    assert found.model_dump() == {"agreed": 1, "wrong_if_agreed": 0, "differed": 3, "wrong_if_differed": 3}
    assert (found.error_if_agreed, found.error_if_differed) == (0.0, 1.0)


def test_a_verdict_says_the_numbers_and_what_would_help() -> None:
    better = compare(documents(5, 20), documents(19, 20), Metric.PAGES)
    unclear = compare(documents(18, 20), documents(20, 20), Metric.PAGES)

    assert verdict_sentence(better, "the base model", "the custom model").startswith(
        "The custom model is better than the base model: +70.0 points in pages with the right class (95 % interval "
    )
    assert verdict_sentence(unclear, "the base model", "the custom model").endswith(
        "The models differ on 2 documents; below 6 nothing can be proven. Evaluate on more documents."
    )
