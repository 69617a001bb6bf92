"""The evaluation of a job on the local runtime: started at its end, through the API, the state machine and Bedrock."""

from __future__ import annotations

import pytest

from idp_finetuning.evaluation.layout import EvaluationLayout
from idp_sdk.errors import Conflict
from tests.support.domain.evaluated import without_cost
from tests.support.pipeline.driver import Finished, Judged, Measured, Pipeline

pytestmark = pytest.mark.xdist_group("pipeline")


def test_a_completed_job_has_the_verdict_of_its_report(pipeline: Pipeline, finished: Finished) -> None:
    job = pipeline.evaluated(finished.job.id)
    assert job.evaluation
    assert job.evaluation.status == "COMPLETED"
    report = pipeline.sdk.finetuning.evaluation_report(job.id)
    assert (report.number, report.sentence) == (job.evaluation.number, job.evaluation.sentence)
    held_out = [item for item in pipeline.sdk.finetuning.documents(job.id) if item.side == "validation"]
    assert report.documents == len(held_out)
    assert report.pages == sum(item.pages or 0 for item in held_out)
    assert {item.kind for item in report.contestants} >= {"CUSTOM_MODEL", "BASE_MODEL", "MAJORITY_CLASS"}


def test_a_second_evaluation_finds_the_same_and_stores_no_new_answer(pipeline: Pipeline, finished: Finished) -> None:
    job = pipeline.evaluated(finished.job.id)
    before = pipeline.sdk.finetuning.evaluation_report(job.id)
    answers = EvaluationLayout(job_id=job.id, number=1).answer("", "").partition("answers/")[0] + "answers/"
    stored = pipeline.keys(answers)
    assert len(stored) == len(set(stored)) > 0
    again = pipeline.sdk.finetuning.evaluate_job(job.id).evaluation
    assert again
    assert again.number == before.number + 1
    pipeline.evaluated(job.id)
    after = pipeline.sdk.finetuning.evaluation_report(job.id)
    assert without_cost(after) == without_cost(before)
    assert pipeline.keys(answers) == stored


def test_another_test_set_is_asked_about_without_what_the_model_was_trained_with(judged: Judged) -> None:
    assert judged.begun.evaluation
    assert judged.begun.evaluation.test_set_id == judged.test_set_id
    assert "runs on other documents" in str(judged.refusal)
    assert judged.ended.evaluation
    assert (judged.ended.evaluation.status, judged.ended.evaluation.test_set_id) == ("COMPLETED", judged.test_set_id)
    assert (judged.report.test_set_id, judged.report.documents) == (judged.test_set_id, judged.unseen)
    left_out = {item.path: item.reason for item in judged.report.left_out}
    assert sorted(left_out) == ["bad/cut off.pdf", "bad/no pages.pdf", "copy.pdf"]
    assert left_out["copy.pdf"] == f"It is the training document '{judged.copied}'."


def test_models_are_asked_about_a_test_set_before_any_job_and_all_of_it_goes_with_the_test_set(
    measured: Measured,
) -> None:
    assert measured.first.report
    assert measured.second.report
    assert (measured.first.number, measured.second.number) == (1, 2)
    assert measured.first.report.documents == measured.unseen
    assert sorted(item.path for item in measured.first.report.left_out) == ["bad/cut off.pdf", "bad/no pages.pdf"]
    assert [item.name for item in measured.first.report.contestants[:2]] == ["Nova Lite v1", "Nova Pro v1"]
    assert sum(item.usage.calls for item in measured.first.report.contestants) > 0
    assert sum(item.usage.calls for item in measured.second.report.contestants) == 0
    assert without_cost(measured.second.report) == without_cost(measured.first.report)
    assert len(measured.pages) == measured.first.report.pages
    assert measured.left == []


def test_a_job_that_did_not_want_one_has_none(pipeline: Pipeline, finished: Finished) -> None:
    unwanted = pipeline.run(
        jobName="not evaluated",
        testSetId=finished.test_set_id,
        baseModel="us.amazon.nova-lite-v1:0",
        evaluate=False,
    )
    assert (unwanted.state.status, unwanted.state.evaluation) == ("COMPLETED", None)
    with pytest.raises(Conflict, match="it was not evaluated"):
        pipeline.sdk.finetuning.evaluation_report(unwanted.state.id)
