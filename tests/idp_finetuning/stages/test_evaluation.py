"""The evaluation of a job: whatever fails or dies, no page is asked about twice and the job stays COMPLETED."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from idp_finetuning.adapters.buckets import DataBucket
from idp_finetuning.adapters.tables.config_versions import ConfigVersionTable
from idp_finetuning.adapters.tables.jobs import JobTable
from idp_finetuning.adapters.workflows import Workflow
from idp_finetuning.classification.config_versions import ClassificationConfig, ConfigVersion
from idp_finetuning.errors import CostTooHigh, InvalidInput, PriceUnknown, StaleState
from idp_finetuning.evaluation.layout import judged_prefix
from idp_finetuning.evaluation.plan import ContestantKind, EvaluationPlan
from idp_finetuning.evaluation.report import EvaluationReport
from idp_finetuning.jobs import life
from idp_finetuning.jobs.evaluation import EvaluationRequest, EvaluationRun
from idp_finetuning.jobs.failures import WorkflowError
from idp_finetuning.jobs.job import JobStatus
from idp_finetuning.jobs.layout import JobLayout
from idp_finetuning.stages.deploy import complete_job
from idp_finetuning.stages.evaluation_records import fail_job_evaluation
from idp_finetuning.stages.evaluation_start import end_evaluation
from idp_finetuning.stages.score_evaluation import score_evaluation
from idp_finetuning.training_data.examples import bound_tokens
from tests.idp_finetuning.conftest import client
from tests.support.domain.evaluated import without_cost
from tests.support.domain.evaluation_steps import (
    BASE,
    DEPLOYMENT,
    HELD_OUT,
    ID,
    LAYOUT,
    PROMPT,
    RUN,
    Evaluation,
    completed,
)
from tests.support.domain.fake_bedrock import client_error
from tests.support.domain.fake_converse import INPUT_TOKENS, OUTPUT_TOKENS, image_in


def test_the_job_gets_the_verdict_and_the_report_the_scores_of_all(evaluation: Evaluation) -> None:
    report = evaluation.evaluate()
    ended = evaluation.jobs.get(ID).evaluation
    assert ended
    assert (ended.status, ended.verdict, ended.gain) == ("COMPLETED", "BETTER", 1.0)
    assert ended.gain_lower is not None
    assert 0 < ended.gain_lower < 1
    assert ended.sentence == report.sentence
    accuracy = {item.kind: item.accuracy.value for item in report.contestants if item.accuracy}
    assert accuracy == {"CUSTOM_MODEL": 1.0, "BASE_MODEL": 0.0, "MAJORITY_CLASS": 0.5}
    assert (report.documents, report.pages, report.left_out) == (HELD_OUT, 2 * HELD_OUT, ())
    assert [item.finding for item in report.findings] == ["FIXED"] * 2 * HELD_OUT
    assert len(evaluation.data.read(LAYOUT.pages).splitlines()) == 2 * HELD_OUT
    assert evaluation.jobs.get(ID).status == "COMPLETED"


def test_pages_are_asked_about_once_a_contestant_with_temperature_zero_and_the_prompt_of_the_job(
    evaluation: Evaluation,
) -> None:
    evaluation.evaluate()
    asked = (evaluation.asked(DEPLOYMENT), evaluation.asked(BASE))
    assert asked == (2 * 2 * HELD_OUT, 2 * HELD_OUT)  # fewer than 50 pages, so all are asked about twice
    assert {request["inferenceConfig"]["temperature"] for request in evaluation.model.requests} == {0}


@pytest.mark.parametrize("given", ["amazon.nova-lite-v1:0", "amazon.nova-lite-v1:0:300k"])
def test_the_base_model_is_asked_through_its_inference_profile_however_the_job_names_it(
    evaluation: Evaluation, dynamodb: Any, given: str
) -> None:
    key = {"id": {"S": ID}, "item": {"S": "job"}}
    change = {"UpdateExpression": "SET baseModel = :given", "ExpressionAttributeValues": {":given": {"S": given}}}
    dynamodb.update_item(TableName="t-jobs", Key=key, **change)
    evaluation.evaluate()
    assert evaluation.asked(BASE) == 2 * HELD_OUT


def test_every_step_may_run_twice_without_another_call_or_another_end(evaluation: Evaluation) -> None:
    for document in evaluation.prepare():
        for _ in range(2):
            assert evaluation.ask(document) == "Finished"
    assert evaluation.prepare() == evaluation.prepare()
    evaluation.score()
    before = evaluation.jobs.get(ID)
    evaluation.score()
    assert evaluation.jobs.get(ID) == before
    assert len(evaluation.model.requests) == 3 * 2 * HELD_OUT


def test_a_second_evaluation_pays_for_nothing_that_was_answered(evaluation: Evaluation) -> None:
    first = evaluation.evaluate()
    asked = len(evaluation.model.requests)
    evaluation.jobs.update(ID, lambda found: life.begin_evaluation(found, 2, "Again."))
    second = evaluation.evaluate(EvaluationRun(job_id=ID, number=2))
    assert len(evaluation.model.requests) == asked
    assert without_cost(second) == without_cost(first)


OTHER_DEPLOYMENT = "arn:aws:bedrock:us-east-1:123456789012:custom-model-deployment/xxxxxxxxxxxx"


def costs(report: EvaluationReport) -> dict[str, tuple[int, float | None]]:
    """Calls of the contestants that are models, and what they cost."""
    return {item.kind: (item.usage.calls, item.cost) for item in report.contestants if item.model}


def test_an_evaluation_costs_what_it_asked_for_and_a_second_one_nothing(evaluation: Evaluation) -> None:
    call = (INPUT_TOKENS * 0.06 + OUTPUT_TOKENS * 0.24) / 1_000_000  # Nova Lite, and a deployment of it
    first = evaluation.evaluate()
    assert {kind: calls for kind, (calls, _) in costs(first).items()} == {"CUSTOM_MODEL": 40, "BASE_MODEL": 20}
    assert [cost for _, cost in costs(first).values()] == [pytest.approx(40 * call), pytest.approx(20 * call)]
    assert first.cost == pytest.approx(6 * HELD_OUT * call)
    assert first.prices_as_of
    evaluation.jobs.update(ID, lambda found: life.begin_evaluation(found, 2, "Again."))
    second = evaluation.evaluate(EvaluationRun(job_id=ID, number=2))
    assert (second.cost, costs(second)) == (0, {"CUSTOM_MODEL": (0, 0), "BASE_MODEL": (0, 0)})


def test_what_runs_that_ended_early_asked_for_counts_once(evaluation: Evaluation) -> None:
    for document in evaluation.prepare():
        asked = len(evaluation.model.requests)
        evaluation.seconds_left = lambda asked=asked: 60.0 if len(evaluation.model.requests) > asked + 2 else 900.0  # type: ignore[misc]
        assert evaluation.ask(document) == "Unfinished"
        evaluation.seconds_left = lambda: 900.0
        assert evaluation.ask(document) == "Finished"
    report = evaluation.score()
    assert sum(calls for calls, _ in costs(report).values()) == len(evaluation.model.requests)


@pytest.mark.parametrize(
    ("changes", "own", "total"),
    [
        ({}, True, True),
        ({"model": BASE, "temperature": 0}, True, True),
        (
            {"model": OTHER_DEPLOYMENT, "job_id": ID},
            True,
            True,
        ),
        (
            {"model": OTHER_DEPLOYMENT, "job_id": "gone"},
            False,
            False,
        ),
    ],
)
def test_the_active_versions_price_is_that_of_its_base_model_if_it_is_known(
    evaluation: Evaluation, dynamodb: Any, changes: dict[str, Any], own: bool, total: bool
) -> None:
    versions = ConfigVersionTable(dynamodb, "t-config-versions")
    versions.create(version(**changes))
    versions.activate("live")
    report = evaluation.evaluate()
    assert (costs(report)["ACTIVE_VERSION"][1] is not None, report.cost is not None) == (own, total)
    if changes.get("model") == BASE:  # asked with the base model at once
        assert report.cost == pytest.approx(len(evaluation.model.requests) * (costs(report)["BASE_MODEL"][1] or 0) / 20)


def limit(evaluation: Evaluation, maximum_cost: float) -> EvaluationRun:
    """Begin another evaluation, which may cost so much."""
    fail_job_evaluation(RUN, "Over.", jobs=evaluation.jobs)
    evaluation.jobs.update(
        ID, lambda found: life.begin_evaluation(found, 2, "Again.", EvaluationRequest(maximum_cost=maximum_cost))
    )
    return EvaluationRun(job_id=ID, number=2)


def test_an_evaluation_that_could_cost_more_than_its_limit_asks_nothing_and_says_how_much(
    evaluation: Evaluation,
) -> None:
    most = 60 * (bound_tokens(PROMPT) * 0.06 + 200 * 0.24) / 1_000_000
    with pytest.raises(CostTooHigh, match=rf"could cost \${most:.4f} for 60 answers .* maximumCost is \$0\.0100"):
        evaluation.prepare(limit(evaluation, 0.01))
    assert evaluation.model.requests == []


def test_an_evaluation_within_its_limit_costs_less_than_was_said(evaluation: Evaluation) -> None:
    most = 60 * (bound_tokens(PROMPT) * 0.06 + 200 * 0.24) / 1_000_000
    report = evaluation.evaluate(limit(evaluation, most))
    assert report.cost is not None
    assert 0 < report.cost <= most
    ended = evaluation.jobs.get(ID).evaluation
    assert ended
    assert ended.maximum_cost == most


def test_a_limit_cannot_be_kept_without_the_price_of_a_contestant(evaluation: Evaluation, dynamodb: Any) -> None:
    versions = ConfigVersionTable(dynamodb, "t-config-versions")
    versions.create(version(model=OTHER_DEPLOYMENT, job_id="gone"))
    versions.activate("live")
    with pytest.raises(PriceUnknown, match=f"No price of the model '{OTHER_DEPLOYMENT}' is known"):
        evaluation.prepare(limit(evaluation, 1_000))


class Killed(BaseException):
    """Stands for the end of the process: nothing catches it."""


@pytest.mark.parametrize("call", [1, 2, 7, 20])
def test_a_run_that_dies_costs_at_most_one_call_twice(evaluation: Evaluation, call: int) -> None:
    evaluation.make_dataset(held_out=6, pages=10)
    first, *others = evaluation.prepare()
    write = DataBucket.write_model
    written = 0

    def die(bucket: DataBucket, key: str, value: Any) -> None:
        nonlocal written
        written += "/answers/" in key
        if written == call and "/answers/" in key:
            raise Killed
        write(bucket, key, value)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(DataBucket, "write_model", die)
        with pytest.raises(Killed):
            evaluation.ask(first)
    for document in (first, *others):
        evaluation.ask(document)
    assert len(evaluation.model.requests) == 2 * 6 * 10 + 50 + 1
    assert evaluation.score().documents == 6


def test_a_document_that_takes_longer_than_a_run_goes_on_in_the_next(evaluation: Evaluation) -> None:
    (document, *_) = evaluation.prepare()
    evaluation.seconds_left = lambda: 900.0 if len(evaluation.model.requests) < 3 else 60.0
    assert evaluation.ask(document) == "Unfinished"
    evaluation.seconds_left = lambda: 900.0
    assert evaluation.ask(document) == "Finished"
    assert len(evaluation.model.requests) == 6


def refuse(evaluation: Evaluation, model: str, code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bedrock refuses every call to a model."""
    really = evaluation.model.converse

    def converse(**request: Any) -> dict[str, Any]:
        if request["modelId"] == model:
            raise client_error("Converse", code)
        return really(**request)

    monkeypatch.setattr(evaluation.model, "converse", converse)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("AccessDeniedException", "may not use the model"),
        ("ResourceNotFoundException", "has no model"),
        ("ValidationException", "refused the request"),
    ],
)
def test_without_the_base_model_the_custom_model_stands_alone_and_the_reason_is_said(
    evaluation: Evaluation, monkeypatch: pytest.MonkeyPatch, code: str, said: str
) -> None:
    refuse(evaluation, BASE, code, monkeypatch)
    report = evaluation.evaluate()
    ended = evaluation.jobs.get(ID).evaluation
    assert ended
    assert (ended.status, ended.verdict, ended.gain) == ("COMPLETED", None, None)
    assert "not known" in report.sentence
    assert said in report.sentence
    assert [item.kind for item in report.comparisons] == [ContestantKind.MAJORITY_CLASS]


def test_a_model_throttled_for_good_is_given_up_after_a_run_and_named(
    evaluation: Evaluation, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse(evaluation, BASE, "ThrottlingException", monkeypatch)
    for document in evaluation.prepare():
        status = "Unfinished"
        while status != "Finished":
            left = iter(range(900, 0, -40))  # each look at the clock is 40 seconds after the last
            evaluation.seconds_left = lambda left=left: float(next(left, 0))  # type: ignore[misc]
            status = evaluation.ask(document)
    report = evaluation.score()
    assert "throttled" in report.sentence
    assert (report.documents, evaluation.asked(DEPLOYMENT)) == (HELD_OUT, 2 * 2 * HELD_OUT)


def test_without_the_custom_model_the_evaluation_fails_and_the_job_stays_completed(
    evaluation: Evaluation, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse(evaluation, DEPLOYMENT, "ResourceNotFoundException", monkeypatch)
    for document in evaluation.prepare():
        evaluation.ask(document)
    with pytest.raises(InvalidInput, match="has no model") as refused:
        evaluation.score()
    cause = json.dumps({"errorMessage": refused.value.message})
    end_evaluation(RUN, WorkflowError(Error="InvalidInput", Cause=cause), records=evaluation.records)
    after = evaluation.jobs.get(ID)
    assert after.evaluation
    assert (after.status, after.evaluation.status) == ("COMPLETED", "FAILED")
    assert "has no model" in str(after.evaluation.error_message)


def test_a_document_without_an_answer_is_left_out_by_name_and_for_all(
    evaluation: Evaluation, monkeypatch: pytest.MonkeyPatch
) -> None:
    really = evaluation.model.converse

    def converse(**request: Any) -> dict[str, Any]:
        if request["modelId"] == BASE and image_in(request).startswith(b"3."):
            raise client_error("Converse", "ValidationException")
        return really(**request)

    monkeypatch.setattr(evaluation.model, "converse", converse)
    report = evaluation.evaluate()
    assert report.documents == HELD_OUT - 1
    ((path, reason),) = [(item.path, item.reason) for item in report.left_out]
    assert path == "3.pdf"
    assert reason.startswith("The base model with the same prompt did not answer: Bedrock refused")


def test_a_job_that_is_deleted_meanwhile_costs_no_further_call_and_gets_no_verdict(evaluation: Evaluation) -> None:
    first, second, *_ = evaluation.prepare()
    evaluation.ask(first)
    asked = len(evaluation.model.requests)
    evaluation.jobs.move(completed().current_run, JobStatus.DELETING)
    assert evaluation.ask(second) == "Finished"
    score_evaluation(RUN, records=evaluation.records, data=evaluation.data)
    assert evaluation.data.read_model(LAYOUT.report, EvaluationReport) is None
    with pytest.raises(StaleState):
        evaluation.prepare()
    evaluation.jobs.delete(evaluation.jobs.get(ID))
    score_evaluation(RUN, records=evaluation.records, data=evaluation.data)
    assert evaluation.ask(second) == "Finished"
    end_evaluation(RUN, WorkflowError(Error="JobNotFound"), records=evaluation.records)
    assert len(evaluation.model.requests) == asked


def test_a_job_without_held_out_documents_says_so(evaluation: Evaluation) -> None:
    evaluation.make_dataset(held_out=0)
    with pytest.raises(InvalidInput, match="held no usable document out"):
        evaluation.prepare()


def version(**changes: Any) -> ConfigVersion:
    values: dict[str, Any] = {
        "model": "us.amazon.nova-pro-v1:0",
        "model_name": "Nova Pro",
        "temperature": 0.5,
        **dict(PROMPT),
    }
    return ConfigVersion(
        name="live", description="", classification=ClassificationConfig(**(values | changes)), revision=1
    )


@pytest.mark.parametrize(
    ("changes", "asked"),
    [
        ({}, ["CUSTOM_MODEL", "BASE_MODEL", "ACTIVE_VERSION"]),
        ({"classes": ()}, ["CUSTOM_MODEL", "BASE_MODEL"]),
        ({"model": DEPLOYMENT, "temperature": 0}, ["CUSTOM_MODEL", "BASE_MODEL"]),
        ({"model": BASE, "temperature": 0}, ["CUSTOM_MODEL", "BASE_MODEL", "ACTIVE_VERSION"]),
    ],
)
def test_the_active_version_takes_part_as_it_is(
    evaluation: Evaluation, dynamodb: Any, changes: dict[str, Any], asked: list[str]
) -> None:
    versions = ConfigVersionTable(dynamodb, "t-config-versions")
    versions.create(version(**changes))
    versions.activate("live")
    evaluation.evaluate()
    plan = evaluation.data.read_model(LAYOUT.plan, EvaluationPlan)
    assert plan
    assert [item.kind for item in plan.contestants] == asked
    assert evaluation.asked(BASE) == 2 * HELD_OUT  # equal contestants share their answers
    assert bool(plan.notes) == (len(asked) == 2)


def test_fifty_pages_are_asked_about_twice_and_what_changes_is_counted_and_decides_nothing(
    evaluation: Evaluation,
) -> None:
    evaluation.make_dataset(held_out=10, pages=8)
    seen: dict[bytes, int] = {}

    def reply(request: Mapping[str, Any]) -> str:
        if request["modelId"] == DEPLOYMENT:
            page = image_in(dict(request))
            seen[page] = seen.get(page, 0) + 1
            if seen[page] == 2 and page.startswith(b"3."):
                return "I cannot tell."
        return evaluation.reply(request)

    evaluation.model.reply = reply
    report = evaluation.evaluate()
    assert evaluation.asked(DEPLOYMENT) == 80 + 50
    assert {document.asked_twice for document in evaluation.prepare_again()} == {5}
    assert (report.repeated_pages, report.flipped_pages) == (50, 5)
    assert {item.kind: item.accuracy.value for item in report.contestants if item.accuracy}[
        ContestantKind.CUSTOM_MODEL
    ] == 1.0


def test_a_thousand_held_out_pages_are_the_most(evaluation: Evaluation) -> None:
    evaluation.make_dataset(held_out=30, pages=50)
    chosen = evaluation.prepare()
    assert sum(document.pages for document in chosen) == 1_000
    assert {document.sections[0].class_name for document in chosen} == {"invoice", "letter"}
    plan = evaluation.data.read_model(LAYOUT.plan, EvaluationPlan)
    assert plan
    assert len(plan.left_out) == 10
    assert "1000 pages at most" in plan.left_out[0].reason


# ---- The start


def workflow(arn: str) -> Workflow:
    return Workflow(client("stepfunctions"), arn, training_poll_seconds=1, deployment_poll_seconds=1)


def started(environment: dict[str, str]) -> list[tuple[str, Any]]:
    arn = environment["EVALUATION_STATE_MACHINE_ARN"]
    found = client("stepfunctions").list_executions(stateMachineArn=arn)["executions"]
    inputs = [client("stepfunctions").describe_execution(executionArn=item["executionArn"])["input"] for item in found]
    return sorted((item["name"], json.loads(given)["number"]) for item, given in zip(found, inputs, strict=True))


@pytest.mark.parametrize("evaluate", [True, False])
def test_the_end_of_a_job_starts_one_evaluation_if_it_is_wanted(
    environment: dict[str, str], jobs: JobTable, evaluate: bool
) -> None:
    deploying = jobs.create(completed(status=JobStatus.DEPLOYING, evaluation=None, evaluate=evaluate), None, "")
    for _ in range(2):
        complete_job(deploying.current_run, jobs=jobs, evaluation=workflow(environment["EVALUATION_STATE_MACHINE_ARN"]))
    after = jobs.get(ID)
    assert after.status == "COMPLETED"
    assert started(environment) == ([(f"{ID}-evaluation-1", 1)] if evaluate else [])
    assert (after.evaluation is not None) == evaluate


def test_an_evaluation_that_cannot_be_started_fails_and_the_job_is_completed_all_the_same(
    environment: dict[str, str], jobs: JobTable
) -> None:
    deploying = jobs.create(completed(status=JobStatus.DEPLOYING, evaluation=None), None, "")
    complete_job(
        deploying.current_run, jobs=jobs, evaluation=workflow(f"{environment['EVALUATION_STATE_MACHINE_ARN']}x")
    )
    after = jobs.get(ID)
    assert after.evaluation
    assert (after.status, after.evaluation.status) == ("COMPLETED", "FAILED")
    assert "could not be started" in str(after.evaluation.error_message)


def begin(evaluation: Evaluation, **request: Any) -> EvaluationRun:
    """Another evaluation that asks for this."""
    fail_job_evaluation(RUN, "Over.", jobs=evaluation.jobs)
    asked = EvaluationRequest(**request)
    evaluation.jobs.update(ID, lambda found: life.begin_evaluation(found, 2, "Again.", asked))
    return EvaluationRun(job_id=ID, number=2)


def test_the_base_model_with_the_built_in_prompt_takes_part_by_choice(evaluation: Evaluation) -> None:
    own = PROMPT.model_copy(update={"system_prompt": "You sort the post."})
    evaluation.data.write_model(JobLayout(job_id=ID).prompt, own)
    report = evaluation.evaluate(begin(evaluation, built_in_prompt=True))
    assert [item.kind for item in report.contestants] == [
        "CUSTOM_MODEL",
        "BASE_MODEL",
        "BUILT_IN_PROMPT",
        "MAJORITY_CLASS",
    ]
    assert evaluation.asked(BASE) == 2 * 2 * HELD_OUT
    texts = {request["system"][0]["text"] for request in evaluation.model.requests if request["modelId"] == BASE}
    assert texts == {own.system_prompt, PROMPT.system_prompt}


def test_it_is_not_asked_twice_if_the_jobs_prompt_is_the_built_in_one(evaluation: Evaluation) -> None:
    report = evaluation.evaluate(begin(evaluation, built_in_prompt=True))
    assert "The job's prompt is the built-in one." in report.notes
    assert evaluation.asked(BASE) == 2 * HELD_OUT


def test_no_more_pages_are_asked_about_than_were_allowed(evaluation: Evaluation) -> None:
    report = evaluation.evaluate(begin(evaluation, maximum_pages=13))
    assert (report.documents, report.pages) == (6, 12)
    assert len(report.left_out) == HELD_OUT - 6
    assert all("13 pages at most" in item.reason for item in report.left_out)


def test_a_report_says_how_many_other_models_the_test_set_has_judged(evaluation: Evaluation) -> None:
    for digest in ("a" * 32, "b" * 32):
        evaluation.data.write(f"{judged_prefix('docsplit')}{digest}", b"")
    evaluation.data.write(f"{judged_prefix('another')}{'c' * 32}", b"")
    assert evaluation.evaluate().judged_before == 2
    again = evaluation.evaluate(begin(evaluation))  # of the same model
    assert again.judged_before == 2
    assert len(list(evaluation.data.list(judged_prefix("docsplit")))) == 3
