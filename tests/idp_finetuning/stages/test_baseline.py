"""An evaluation before any job: the answers are asked for once, and it is gone with its test set."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from idp_finetuning.adapters.tables.config_versions import ConfigVersionTable
from idp_finetuning.adapters.tables.test_sets import TestSetTable
from idp_finetuning.classification.config_versions import ClassificationConfig, ConfigVersion
from idp_finetuning.errors import Conflict, CostTooHigh, InvalidInput, PriceUnknown, StaleState, TestSetInvalid
from idp_finetuning.evaluation.baseline import BaselineRequest
from idp_finetuning.evaluation.layout import EvaluationLayout, baselines_prefix
from idp_finetuning.evaluation.report import EvaluationReport
from idp_finetuning.jobs.evaluation import EvaluationRun, EvaluationStatus
from idp_finetuning.jobs.failures import WorkflowError
from idp_finetuning.stages.evaluation_records import BaselineRecords
from idp_finetuning.stages.evaluation_start import end_evaluation
from tests.support.domain.coloured_test_set import ColouredTestSet, class_by_colour, reasons
from tests.support.domain.evaluated import without_cost
from tests.support.domain.evaluation_steps import BASE, PROMPT, Evaluation
from tests.support.domain.samples import coloured_pdf, ready_test_set

PRO = "us.amazon.nova-pro-v1:0"
RUN = EvaluationRun(test_set_id="extra", number=1)
REQUEST = BaselineRequest(base_models=(BASE, PRO), config_versions=("live",))
LAYOUT = EvaluationLayout.of(RUN)


class Baseline:
    """The steps over test set `extra`: Nova Lite is always right, Nova Pro never, the version as `live` says."""

    def __init__(self, evaluation: Evaluation, extra: ColouredTestSet, versions: ConfigVersionTable) -> None:
        self.steps = evaluation
        self.extra = extra
        self.versions = versions
        self.records = BaselineRecords(evaluation.data)
        evaluation.model.reply = self._reply

    def _reply(self, request: Mapping[str, Any]) -> str:
        name = class_by_colour(request)
        other = "letter" if name == "invoice" else "invoice"
        said = other if request["modelId"] == PRO else name
        return json.dumps({"class": said, "document_boundary": "start"})

    def evaluate(self, run: EvaluationRun = RUN, request: BaselineRequest = REQUEST) -> EvaluationReport:
        """From the record to the report."""
        self.records.begin("extra", run.number, request)
        return self.steps.evaluate(run)


@pytest.fixture
def baseline(s3: Any, evaluation: Evaluation, test_sets: TestSetTable, dynamodb: Any) -> Baseline:
    """A complete test set of eight documents of two pages, and a version that asks Nova Lite."""
    test_sets.create(ready_test_set("extra"))
    extra = ColouredTestSet(s3)
    extra.add_usual()
    versions = ConfigVersionTable(dynamodb, "t-config-versions")
    settings = ClassificationConfig(model=BASE, model_name="Nova Lite", temperature=0.5, **dict(PROMPT))
    versions.create(ConfigVersion(name="live", description="", classification=settings, revision=1))
    return Baseline(evaluation, extra, versions)


def test_base_models_and_versions_are_asked_about_all_documents(baseline: Baseline) -> None:
    report = baseline.evaluate()
    scores = [(item.kind, item.name, item.accuracy and item.accuracy.value) for item in report.contestants]
    assert scores == [
        ("BUILT_IN_PROMPT", "Nova Lite v1", 1.0),
        ("BUILT_IN_PROMPT", "Nova Pro v1", 0.0),
        ("CONFIG_VERSION", "configuration version 'live'", 1.0),
        ("MAJORITY_CLASS", "always naming the most frequent class", 0.5),
    ]
    assert (report.job_id, report.test_set_id, report.documents, report.pages) == (None, "extra", 8, 16)
    assert report.sentence.startswith("Nova Lite v1 is better than Nova Pro v1: +100.0 points")
    assert [item.name for item in report.comparisons] == [item.name for item in report.contestants[1:]]
    ended = baseline.records.find("extra", 1)
    assert ended
    assert (ended.status, ended.error_message) == ("COMPLETED", None)
    lines = baseline.steps.data.read(LAYOUT.pages).splitlines()
    assert [answer["name"] for answer in json.loads(lines[0])["answers"]] == [item[1] for item in scores]


def test_base_models_get_the_built_in_prompt_with_the_classes_of_the_labels(baseline: Baseline) -> None:
    baseline.evaluate()
    (request, *_) = [item for item in baseline.steps.model.requests if item["modelId"] == PRO]
    text = json.dumps(request["messages"][0]["content"], default=lambda _: "")
    assert "invoice" in text
    assert "letter" in text
    assert request["inferenceConfig"]["temperature"] == 0


def test_one_model_alone_is_held_against_the_most_frequent_class_and_its_errors_are_named(baseline: Baseline) -> None:
    report = baseline.evaluate(request=BaselineRequest(base_models=(PRO,)))
    assert "Nova Pro v1" in report.sentence
    assert "the most frequent class" in report.sentence
    assert {(item.finding, item.base) for item in report.findings} == {("BOTH_WRONG", None)}
    assert report.findings_count == 16


def test_a_second_evaluation_pays_for_nothing_that_was_answered(baseline: Baseline) -> None:
    first = baseline.evaluate()
    asked = len(baseline.steps.model.requests)
    second = baseline.evaluate(EvaluationRun(test_set_id="extra", number=2))
    assert len(baseline.steps.model.requests) == asked
    assert without_cost(second) == without_cost(first)
    alone = baseline.evaluate(EvaluationRun(test_set_id="extra", number=3), BaselineRequest(base_models=(PRO,)))
    assert len(baseline.steps.model.requests) == asked + 16  # as the first contestant it is asked twice
    assert alone.repeated_pages == 16


def test_what_cannot_be_used_is_left_out_by_name(baseline: Baseline) -> None:
    baseline.extra.add("broken.pdf", b"%PDF-1.4 nothing", {"invoice": None})
    baseline.extra.add("other pages.pdf", coloured_pdf((1, 0, 0)), {"invoice": [0], "letter": [1]})
    report = baseline.evaluate()
    assert set(reasons(report)) == {"broken.pdf", "other pages.pdf"}
    assert report.documents == 8


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"maximum_cost": 0.0001}, CostTooHigh),
        ({"base_models": ("us.amazon.nova-micro-v1:0",)}, InvalidInput),
        ({"config_versions": ("empty",)}, InvalidInput),
        ({"config_versions": ("unpriced",), "maximum_cost": 100.0}, PriceUnknown),
    ],
)
def test_what_may_not_be_asked_is_refused_before_the_first_answer(
    baseline: Baseline, changes: dict[str, Any], error: type[Exception]
) -> None:
    unpriced = ClassificationConfig(
        model="arn:aws:bedrock:us-east-1:123456789012:custom-model-deployment/aaaaaaaaaaaa",
        model_name="x",
        temperature=0.0,
        **dict(PROMPT),
    )
    for name, settings in {"unpriced": unpriced, "empty": unpriced.model_copy(update={"classes": ()})}.items():
        baseline.versions.create(ConfigVersion(name=name, description="", classification=settings, revision=1))
    with pytest.raises(error):
        baseline.evaluate(request=REQUEST.model_copy(update=changes))
    assert baseline.steps.model.requests == []


def test_a_failure_is_noted_and_a_step_that_comes_late_changes_nothing(baseline: Baseline) -> None:
    baseline.records.begin("extra", 1, REQUEST)
    (document, *_) = baseline.steps.prepare(RUN)
    cause = json.dumps({"errorMessage": "The first model is gone."})
    end_evaluation(RUN, WorkflowError(Error="InvalidInput", Cause=cause), records=baseline.steps.records)
    failed = baseline.records.find("extra", 1)
    assert failed
    assert (failed.status, failed.error_message) == ("FAILED", "The first model is gone.")
    assert failed.ended_at
    assert baseline.steps.ask(document, RUN) == "Finished"
    assert baseline.steps.model.requests == []
    with pytest.raises(StaleState):
        baseline.steps.prepare(RUN)
    end_evaluation(RUN, WorkflowError(Error="States.Timeout"), records=baseline.steps.records)
    assert baseline.records.find("extra", 1) == failed


def test_what_is_deleted_with_the_test_set_stays_deleted(baseline: Baseline) -> None:
    baseline.records.begin("extra", 1, REQUEST)
    first, second, *_ = baseline.steps.prepare(RUN)
    baseline.steps.ask(first, RUN)
    asked = len(baseline.steps.model.requests)
    baseline.steps.data.delete_prefix(baselines_prefix("extra"))
    assert baseline.steps.ask(second, RUN) == "Finished"
    end_evaluation(RUN, WorkflowError(Error="States.Timeout"), records=baseline.steps.records)
    assert len(baseline.steps.model.requests) == asked
    assert list(baseline.steps.data.list(baselines_prefix("extra"))) == []


def test_a_test_set_that_was_opened_again_is_not_read(baseline: Baseline, test_sets: TestSetTable) -> None:
    test_sets.close("extra")
    with pytest.raises(TestSetInvalid):
        baseline.evaluate()


def test_of_two_requests_at_once_one_begins(baseline: Baseline) -> None:
    begun = baseline.records.begin("extra", 1, REQUEST)
    assert baseline.records.begin("extra", 1, REQUEST) == begun
    with pytest.raises(Conflict):
        baseline.records.begin("extra", 1, BaselineRequest(base_models=(PRO,)))
    assert baseline.records.latest("extra") == begun
    assert begun.status is EvaluationStatus.RUNNING
