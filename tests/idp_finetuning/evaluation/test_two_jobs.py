"""Two jobs are compared on the documents that both held out, and on nothing else."""

from __future__ import annotations

from idp_finetuning.evaluation.comparison import Verdict
from idp_finetuning.evaluation.report import EvaluatedPage
from idp_finetuning.evaluation.scoring import evaluated_pages
from idp_finetuning.evaluation.two_jobs import compare_jobs
from tests.support.domain.evaluated import BASE, CUSTOM, answer, documents, plan


def pages(count: int, *, wrong: int) -> list[EvaluatedPage]:
    """The pages of an evaluation of so many documents, of which the custom model has the first ones wrong."""
    asked = documents(count)
    right = {item.document_id: answer(item.sections[0].class_name) for item in asked}
    given = right | {item.document_id: answer(None) for item in asked[:wrong]}
    return list(evaluated_pages(plan(), asked, {CUSTOM.digest: given, BASE.digest: right}))


def test_the_better_of_two_models_is_named() -> None:
    found = compare_jobs(pages(12, wrong=9), pages(12, wrong=0), "the old model", "the new model")
    assert found
    assert (found.documents, found.pages, found.comparison.verdict) == (12, 12, Verdict.BETTER)
    assert found.sentence.startswith("The new model is better than the old model: +75.0 points")
    back = compare_jobs(pages(12, wrong=0), pages(12, wrong=9), "the new model", "the old model")
    assert back
    assert back.comparison.verdict is Verdict.WORSE


def test_documents_that_only_one_job_held_out_are_left_out() -> None:
    found = compare_jobs(pages(12, wrong=0), pages(20, wrong=0)[8:], "a", "b")
    assert found
    assert (found.documents, found.comparison.difference.value) == (4, 0.0)
    assert compare_jobs(pages(4, wrong=0), pages(12, wrong=0)[4:], "a", "b") is None
