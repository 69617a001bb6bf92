"""Twice is once: every function twice with one event, at once, in several orders of their calls."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from idp_finetuning.adapters.tables.jobs import JobTable
from idp_finetuning.adapters.tables.test_sets import TestSetTable
from tests.support.domain.fake_bedrock import FakeBedrock
from tests.support.domain.pipeline import SPECS, Pipeline
from tests.support.domain.samples import job, ready_test_set, upload_test_set
from tests.support.domain.situations import ago, deploying, messages, placed, trained, training
from tests.support.domain.turns import ORDERS, at_once

RUN = job().current_run.to_wire()
CAUGHT = RUN | {"error": {"Error": "TrainingFailed", "Cause": '{"errorMessage": "bad data."}'}}


def _training_over(jobs: JobTable, fake_bedrock: FakeBedrock) -> None:
    fake_bedrock.train(training(jobs, fake_bedrock).training_name, trainingMetrics={"trainingLoss": 0.5})


SITUATIONS: dict[str, tuple[str, dict[str, Any], Callable[[JobTable, FakeBedrock], object]]] = {
    "submits training": ("CreateCustomizationJob", RUN, lambda jobs, _: placed(jobs, "GENERATING_DATA")),
    "polls training": ("GetCustomizationJob", RUN, training),
    "sees the model": ("GetCustomizationJob", RUN, _training_over),
    "deploys": ("CreateModelDeployment", RUN, trained),
    "polls the deployment": ("GetModelDeployment", RUN, deploying),
    "completes": ("CompleteJob", RUN, lambda jobs, bedrock: deploying(jobs, bedrock, "Active")),
    "fails": ("EndJob", CAUGHT, training),
    "stops": ("EndJob", CAUGHT, lambda jobs, _: placed(jobs, "STOPPING")),
    "fails in deletion": ("EndJob", CAUGHT, lambda jobs, _: placed(jobs, "DELETING")),
    "reconciles": (
        "ReconcileJobs",
        {},
        lambda jobs, bedrock: training(jobs, bedrock, created_at=ago(hours=1)),
    ),
    "removes the deployment": (
        "DeleteModelDeployment",
        RUN,
        lambda jobs, _: placed(jobs, "DELETING"),
    ),
    "removes the model": ("DeleteCustomModel", RUN, lambda jobs, _: placed(jobs, "DELETING")),
    "removes the record": ("DeleteJobData", RUN, lambda jobs, _: placed(jobs, "DELETING")),
}


@pytest.mark.parametrize("order", ORDERS, ids=lambda order: "".join(map(str, order)))
@pytest.mark.parametrize("situation", SITUATIONS)
def test_two_runs_at_once_leave_what_one_leaves(
    pipeline: Pipeline,
    jobs: JobTable,
    fake_bedrock: FakeBedrock,
    monkeypatch: pytest.MonkeyPatch,
    situation: str,
    order: tuple[int, ...],
) -> None:
    function, event, arrange = SITUATIONS[situation]
    arrange(jobs, fake_bedrock)
    handler = pipeline.handler(function)
    first, second = at_once(lambda: handler(event, None), order, fake_bedrock, monkeypatch)
    if function != "ReconcileJobs":  # which of the two ended the job is what they answer
        assert first == second
    assert not isinstance(first, Exception)
    assert not [name for name, times in Counter(fake_bedrock.created).items() if times > 1]
    assert not [words for words, times in Counter(messages(jobs)).items() if times > 1]
    before = pipeline.state()
    handler(event, None)
    assert pipeline.state() == before


@pytest.mark.parametrize("order", ORDERS[:2], ids=lambda order: "".join(map(str, order)))
def test_two_runs_of_validation_at_once_leave_what_one_leaves(
    pipeline: Pipeline,
    jobs: JobTable,
    fake_bedrock: FakeBedrock,
    monkeypatch: pytest.MonkeyPatch,
    event: dict[str, Any],
    order: tuple[int, ...],
) -> None:
    handler = pipeline.handler("ValidateTestSet")
    first, second = at_once(lambda: handler(event, None), order, fake_bedrock, monkeypatch)
    assert first == second == {"key": f"jobs/{job().id}/manifest.json", "concurrency": 40}
    assert messages(jobs) == ["Converting documents to training data."]
    before = pipeline.state()
    handler(event, None)
    assert pipeline.state() == before


def test_two_runs_of_rendering_and_assembling_at_once_leave_what_one_leaves(
    pipeline: Pipeline,
    jobs: JobTable,
    test_sets: TestSetTable,
    fake_bedrock: FakeBedrock,
    monkeypatch: pytest.MonkeyPatch,
    s3: Any,
) -> None:
    upload_test_set(s3, pages=1)
    test_sets.create(ready_test_set())
    placed(jobs, "VALIDATING")
    pipeline.run("ValidateTestSet", RUN)
    manifest = json.loads(s3.get_object(Bucket="data", Key=f"jobs/{job().id}/manifest.json")["Body"].read())
    for number, document in enumerate(manifest):
        child = RUN | {"document": document}
        render = pipeline.handler("GenerateExample")
        if number == 0:
            assert at_once(lambda: render(child, None), ORDERS[0], fake_bedrock, monkeypatch) == [{}, {}]  # noqa: B023
        before = pipeline.run("GenerateExample", child) or pipeline.state()
        render(child, None)
        assert pipeline.state() == before
    assemble = pipeline.handler("AssembleDataset")
    assert at_once(lambda: assemble(RUN, None), ORDERS[0], fake_bedrock, monkeypatch) == [{}, {}]
    before = pipeline.state()
    assemble(RUN, None)
    assert pipeline.state() == before


@pytest.mark.parametrize("order", ORDERS, ids=lambda order: "".join(map(str, order)))
@pytest.mark.parametrize(
    ("field", "status"),
    [
        ("stopFinetuningJob", "TRAINING"),
        ("retryFinetuningJob", "FAILED"),
        ("deleteFinetuningJob", "FAILED"),
        ("evaluateFinetuningJob", "COMPLETED"),
    ],
)
def test_two_requests_at_once_move_a_job_once(
    pipeline: Pipeline,
    jobs: JobTable,
    fake_bedrock: FakeBedrock,
    monkeypatch: pytest.MonkeyPatch,
    field: str,
    status: str,
    order: tuple[int, ...],
) -> None:
    placed(jobs, status, error_stage="TRAINING")
    resolver = pipeline.handler("Resolver")
    identity = {"sub": "sub-1", "username": "author@example.com", "groups": ["Author"]}
    event = {"field": field, "arguments": {"jobId": job().id}, "identity": identity}
    answers = at_once(lambda: resolver(event, None), order, fake_bedrock, monkeypatch)
    errors = {answer["error"]["type"] for answer in answers if "error" in answer}
    assert errors <= {"Conflict"}
    assert len([answer for answer in answers if "data" in answer]) >= 1
    assert len(messages(jobs)) == 1
    assert jobs.get(job().id).run == (2 if field == "retryFinetuningJob" else 1)


def test_every_function_of_the_workflow_is_run_twice() -> None:
    """Rendering, counting, rejecting, validating, classifying, evaluating and deleting have tests of their own."""
    own = {"Resolver", "ReadLabels", "ValidateTestSet", "GenerateExample", "RejectDocument", "AssembleDataset"}
    own |= {"ClassifyDocument", "EndClassification", "CountPages", "DeleteTestSet"}
    own |= {"PrepareEvaluation", "EvaluateDocument", "ScoreEvaluation", "EndEvaluation"}
    assert {function for function, _, _ in SITUATIONS.values()} == SPECS.keys() - own
