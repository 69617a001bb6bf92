"""startBaselineEvaluation, getBaselineEvaluation and listBaselinePages through the schema."""

from __future__ import annotations

from typing import Any

import pytest

from idp_finetuning.adapters.buckets import DataBucket
from idp_finetuning.adapters.tables.test_sets import TestSetTable
from idp_finetuning.adapters.tables.users import UserTable
from idp_finetuning.classification.scopes import UserRecord
from idp_finetuning.evaluation.layout import EvaluationLayout
from idp_finetuning.jobs.evaluation import EvaluationRun, EvaluationStatus
from idp_finetuning.stages.delete_test_set import DeleteTestSetEvent, delete_test_set
from idp_finetuning.stages.evaluation_records import BaselineRecords
from tests.idp_finetuning.conftest import client
from tests.support.domain.api import ApiError, call
from tests.support.domain.evaluated import evaluation_report, pages_of_report
from tests.support.domain.fake_bedrock import client_error
from tests.support.domain.samples import ready_test_set

LITE, PRO = "us.amazon.nova-lite-v1:0", "us.amazon.nova-pro-v1:0"
ADMIN = ("Admin",)


@pytest.fixture(autouse=True)
def complete(environment: dict[str, str], test_sets: TestSetTable) -> None:
    """A test set that a model can be asked about."""
    test_sets.create(ready_test_set())


def start(*base_models: str, **arguments: Any) -> Any:
    """Start an evaluation of the test set."""
    return call("startBaselineEvaluation", testSetId="docsplit", baseModels=list(base_models), **arguments)


def executions(environment: dict[str, str]) -> list[str]:
    """Names of the executions that were started."""
    arn = environment["EVALUATION_STATE_MACHINE_ARN"]
    return [item["name"] for item in client("stepfunctions").list_executions(stateMachineArn=arn)["executions"]]


def status_is(monkeypatch: pytest.MonkeyPatch, status: str) -> None:
    """Every execution there is has this status."""
    describe = client("stepfunctions").describe_execution
    monkeypatch.setattr(
        client("stepfunctions"), "describe_execution", lambda **given: describe(**given) | {"status": status}
    )


def test_an_evaluation_is_started_once_and_the_same_request_returns_it(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    status_is(monkeypatch, "RUNNING")
    first = start("amazon.nova-lite-v1:0", LITE, PRO)  # two names of one model
    assert (first["number"], first["status"], first["baseModels"]) == (1, "RUNNING", [LITE, PRO])
    assert start(LITE, PRO) == first
    assert len(executions(environment)) == 1
    with pytest.raises(ApiError, match="Conflict: Evaluation 1 of test set 'docsplit' runs, and asks others"):
        start(LITE)
    assert call("getBaselineEvaluation", testSetId="docsplit") == first


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"baseModels": []}, "InvalidInput: Name one to 8"),
        ({"baseModels": ["nova"]}, "InvalidInput"),
        ({"configVersions": ["never-made"]}, "ConfigVersionNotFound"),
        ({"configVersions": ["default"]}, "InvalidInput: Configuration version 'default' has no classes"),
        ({"baseModels": [LITE], "maximumCost": 0}, "InvalidInput"),
        ({"baseModels": ["us.amazon.nova-2-pro-v1:0"], "maximumCost": 1}, "InvalidInput|PriceUnknown"),
        ({"baseModels": [LITE], "testSetId": "gone"}, "TestSetNotFound"),
    ],
)
def test_what_cannot_be_evaluated_is_refused(
    environment: dict[str, str], arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(ApiError, match=message):
        call("startBaselineEvaluation", ADMIN, **({"testSetId": "docsplit"} | arguments))
    assert executions(environment) == []


def test_a_test_set_that_is_not_complete_is_not_evaluated(test_sets: TestSetTable) -> None:
    test_sets.close("docsplit")
    with pytest.raises(ApiError, match="TestSetInvalid"):
        start(LITE)


def test_one_that_was_begun_and_not_started_is_started_by_the_same_request(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    really = client("stepfunctions").start_execution

    def refuse(**_: Any) -> None:
        raise client_error("StartExecution", "AccessDeniedException")

    monkeypatch.setattr(client("stepfunctions"), "start_execution", refuse)
    with pytest.raises(ApiError, match="InternalError"):
        start(LITE)
    failed = call("getBaselineEvaluation", testSetId="docsplit")
    assert (failed["status"], "could not be started" in failed["errorMessage"]) == ("FAILED", True)
    monkeypatch.setattr(client("stepfunctions"), "start_execution", really)
    assert start(LITE)["number"] == 2
    assert len(executions(environment)) == 1


def test_one_whose_execution_ended_without_a_word_has_failed_and_the_next_is_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    start(LITE)
    status_is(monkeypatch, "ABORTED")
    found = call("getBaselineEvaluation", testSetId="docsplit")
    assert (found["status"], found["errorMessage"]) == ("FAILED", "Its execution was ABORTED. Evaluate again.")
    assert start(PRO)["number"] == 2


def end(data: DataBucket) -> None:
    """What the workflow leaves of evaluation 1."""
    run = EvaluationRun(test_set_id="docsplit", number=1)
    layout = EvaluationLayout.of(run)
    report = evaluation_report().model_copy(update={"job_id": None, "test_set_id": "docsplit"})
    data.write(
        layout.pages, b"".join(page.model_dump_json(by_alias=True).encode() + b"\n" for page in pages_of_report())
    )
    data.write_model(layout.report, report)
    BaselineRecords(data).end(run, status=EvaluationStatus.COMPLETED)


def test_the_report_comes_with_the_evaluation_and_the_pages_in_parts(data: DataBucket) -> None:
    with pytest.raises(ApiError, match="Conflict: Test set 'docsplit' has no evaluation before training"):
        call("getBaselineEvaluation", testSetId="docsplit")
    start(LITE)
    with pytest.raises(ApiError, match="Conflict: Evaluation 1 of test set 'docsplit' has no report: it is RUNNING"):
        call("listBaselinePages", testSetId="docsplit")
    end(data)
    found = call("getBaselineEvaluation", testSetId="docsplit", number=1)
    assert (found["status"], found["report"]["documents"], found["report"]["jobId"]) == ("COMPLETED", 12, None)
    first = call("listBaselinePages", testSetId="docsplit", limit=5)
    rest = call("listBaselinePages", testSetId="docsplit", limit=100, nextToken=first["nextToken"])
    assert len(first["items"]) + len(rest["items"]) == 12
    with pytest.raises(ApiError, match="Conflict: Test set 'docsplit' has no evaluation 2"):
        call("getBaselineEvaluation", testSetId="docsplit", number=2)


def test_a_version_beyond_the_scope_is_neither_asked_nor_shown(dynamodb: Any, data: DataBucket) -> None:
    users = UserTable(dynamodb, "t-users")
    users.put(UserRecord(id="sub-1", allowed_config_versions=("claims",), updated_at="", updated_by=""))
    classes = {"classes": [{"name": "invoice"}, {"name": "letter"}]}
    for name in ("claims", "secret"):
        call("createConfigVersion", ADMIN, input={"name": name, "classification": classes})
    with pytest.raises(ApiError, match="Unauthorized: Configuration version 'secret' is not in your scope"):
        start(configVersions=["secret"])
    assert start(configVersions=["claims"])["configVersions"] == ["claims"]
    end(data)
    call("startBaselineEvaluation", ADMIN, testSetId="docsplit", configVersions=["claims", "secret"])
    for field in ("getBaselineEvaluation", "listBaselinePages"):
        with pytest.raises(ApiError, match="Unauthorized: Configuration version 'secret' is not in your scope"):
            call(field, testSetId="docsplit")
        call(field, testSetId="docsplit", number=1)


def test_a_test_set_is_kept_while_it_is_evaluated_and_goes_with_its_evaluations(
    test_sets: TestSetTable, documents_bucket: Any, data: DataBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = start(LITE)
    status_is(monkeypatch, "RUNNING")
    with pytest.raises(ApiError, match="Conflict: Evaluation 1 of test set 'docsplit' runs"):
        call("deleteTestSet", testSetId="docsplit")
    assert call("getTestSet", testSetId="docsplit")["status"] == "READY"
    end(data)
    assert call("deleteTestSet", testSetId="docsplit") is True
    test_set = test_sets.get("docsplit")
    event = DeleteTestSetEvent(test_set_id=test_set.id, created_at=test_set.created_at)
    delete_test_set(event, test_sets=test_sets, bucket=documents_bucket, data=data)
    assert list(data.list("evaluations/")) == []
    test_sets.create(ready_test_set())
    again = start(LITE)
    assert (again["number"], again["startedAt"] > begun["startedAt"]) == (1, True)
