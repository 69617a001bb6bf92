"""Operations that start and delete jobs, through the schema, every field of every answer selected."""

from __future__ import annotations

import json
from typing import Any

import pytest

from idp_finetuning.adapters.tables.jobs import JobTable
from idp_finetuning.adapters.tables.test_sets import TestSetTable
from idp_finetuning.errors import TransientError
from idp_finetuning.jobs.job import JobStatus
from idp_finetuning.test_sets.test_set import TestSetStatus
from tests.idp_finetuning.conftest import client
from tests.support.domain.api import ApiError, call
from tests.support.domain.fake_bedrock import FakeBedrock, client_error
from tests.support.domain.samples import job, ready_test_set

START = {"jobName": "My classifier", "testSetId": "docsplit", "baseModel": "us.amazon.nova-lite-v1:0"}


@pytest.fixture(autouse=True)
def ready(environment: dict[str, str], test_sets: TestSetTable) -> None:
    """A ready test set's record."""
    test_sets.create(ready_test_set())


def executions(environment: dict[str, str], machine: str = "FINETUNING") -> list[dict[str, Any]]:
    """Executions of a state machine, with their inputs."""
    stepfunctions = client("stepfunctions")
    arn = environment[f"{machine}_STATE_MACHINE_ARN"]
    found = stepfunctions.list_executions(stateMachineArn=arn)["executions"]
    return [stepfunctions.describe_execution(executionArn=item["executionArn"]) for item in found]


def test_a_job_may_be_evaluated_on_another_test_set(test_sets: TestSetTable) -> None:
    test_sets.create(ready_test_set("extra"))
    started = call("startFinetuningJob", input=START | {"evaluationTestSetId": "extra"})
    assert started["evaluationTestSetId"] == "extra"
    with pytest.raises(ApiError, match=r"Conflict: Job '.*' will evaluate its model on test set 'extra'"):
        call("deleteTestSet", testSetId="extra")


def test_an_owner_may_ask_for_an_e_mail_where_there_is_any(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ApiError, match="InvalidInput: This deployment sends no e-mail"):
        call("startFinetuningJob", input=START | {"notifyOwner": True})
    monkeypatch.setenv("NOTIFICATION_SENDER", "finetuning@example.com")
    with pytest.raises(ApiError, match="UserNotFound"):
        call("startFinetuningJob", input=START | {"notifyOwner": True})
    client("cognito-idp").admin_create_user(
        UserPoolId=environment["USER_POOL_ID"],
        Username="author@example.com",
        UserAttributes=[{"Name": "email", "Value": "author@example.com"}],
    )
    assert call("startFinetuningJob", input=START | {"notifyOwner": True})["notifyAddress"] == "author@example.com"
    assert call("startFinetuningJob", input=START | {"notifyOwner": False})["notifyAddress"] is None


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"evaluationTestSetId": "docsplit"}, "InvalidInput: evaluationTestSetId is the test set to train with"),
        ({"evaluationTestSetId": "extra", "evaluate": False}, "InvalidInput: evaluationTestSetId contradicts evaluate"),
        ({"evaluationTestSetId": "gone"}, "TestSetNotFound"),
        ({"evaluationTestSetId": "closed"}, "TestSetInvalid: .* is being deleted"),
    ],
)
def test_an_evaluation_that_cannot_be_is_refused_before_anything_is_paid_for(
    environment: dict[str, str], test_sets: TestSetTable, given: dict[str, Any], words: str
) -> None:
    for name in ("extra", "closed"):
        test_sets.create(ready_test_set(name))
    test_sets.close("closed")
    with pytest.raises(ApiError, match=words):
        call("startFinetuningJob", input=START | given)
    assert executions(environment) == []


def test_a_started_job_is_recorded_and_its_workflow_runs(environment: dict[str, str]) -> None:
    started = call("startFinetuningJob", input=START)
    assert (started["status"], started["baseModel"], started["baseModelName"]) == (
        "VALIDATING",
        "us.amazon.nova-lite-v1:0",
        "Nova Lite",
    )
    assert (started["trainSplit"], started["createdBy"]) == (0.9, "author@example.com")
    assert started["hyperParameters"] == {
        "epochCount": 2,
        "batchSize": None,
        "learningRate": 1e-5,
        "learningRateWarmupSteps": 10,
    }
    assert (started["repeat"], started["warnings"]) == (1, [])
    assert call("getFinetuningJob", jobId=started["id"]) == started
    (execution,) = executions(environment)
    assert execution["name"] == started["id"]
    assert json.loads(execution["input"]) == {
        "jobId": started["id"],
        "number": 1,
        "startAt": "VALIDATING",
        "trainingPollSeconds": 60,
        "deploymentPollSeconds": 60,
    }


@pytest.mark.parametrize(
    ("base_model", "given", "sent"),
    [
        ("us.amazon.nova-2-lite-v1:0", {}, {"epochCount": 2, "batchSize": 1, "learningRate": 1e-5}),
        (
            "us.amazon.nova-2-lite-v1:0",
            {"learningRateWarmupSteps": 5, "batchSize": None},
            {"epochCount": 2, "batchSize": 1, "learningRate": 1e-5, "learningRateWarmupSteps": 5},
        ),
    ],
)
def test_the_job_records_the_hyperparameters_that_its_model_is_sent(
    environment: dict[str, str], base_model: str, given: dict[str, Any], sent: dict[str, Any]
) -> None:
    started = call("startFinetuningJob", input=START | {"baseModel": base_model, "hyperParameters": given, "repeat": 4})
    assert {name: value for name, value in started["hyperParameters"].items() if value is not None} == sent
    assert started["repeat"] == 4


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"hyperParameters": {"batchSize": 1}}, "Nova Lite v1 has no hyperparameter batchSize. Nova Lite v1 takes "),
        ({"hyperParameters": {"epochCount": 6}}, "The value of epochCount is out of range. Nova Lite v1 takes "),
        ({"repeat": 5}, "repeat: input should be less than or equal to 4"),
        ({"repeat": 0}, "repeat: input should be greater than or equal to 1"),
    ],
)
def test_what_the_model_does_not_take_starts_nothing(
    environment: dict[str, str], given: dict[str, Any], words: str
) -> None:
    with pytest.raises(ApiError) as refused:
        call("startFinetuningJob", input=START | given)
    assert refused.value.error_type == "InvalidInput"
    assert words in refused.value.message
    assert call("listFinetuningJobs")["items"] == []


def test_a_model_the_account_does_not_offer_is_refused_at_the_start(
    environment: dict[str, str], fake_bedrock: FakeBedrock
) -> None:
    with pytest.raises(ApiError, match=r"ModelUnavailable: .* It offers: amazon\.nova-2-lite-v1:0:256k, ") as refused:
        call("startFinetuningJob", input=START | {"baseModel": "us.amazon.nova-2-pro-v1:0"})
    assert "Nova 2 Pro" in refused.value.message
    assert call("listFinetuningJobs")["items"] == []
    assert executions(environment) == []


@pytest.mark.parametrize("code", ["AccessDeniedException", "ThrottlingException"])
def test_a_list_of_models_that_cannot_be_read_is_only_a_warning(
    environment: dict[str, str], fake_bedrock: FakeBedrock, code: str
) -> None:
    fake_bedrock.failures["ListFoundationModels"] = [code]
    (warning,) = call("startFinetuningJob", input=START)["warnings"]
    assert warning.startswith("Whether this account offers the base model could not be checked")


def test_a_model_near_its_end_is_a_warning_from_the_start(
    environment: dict[str, str], fake_bedrock: FakeBedrock
) -> None:
    fake_bedrock.lifecycles["amazon.nova-lite-v1:0:300k"] = {"status": "LEGACY"}
    (warning,) = call("startFinetuningJob", input=START)["warnings"]
    assert warning.startswith("Nova Lite v1 is LEGACY in Bedrock.")


def test_create_is_start(environment: dict[str, str]) -> None:
    assert call("createFinetuningJob", input=START)["status"] == "VALIDATING"
    assert len(executions(environment)) == 1


def test_a_repeated_request_with_its_token_makes_one_job_and_one_execution(environment: dict[str, str]) -> None:
    request = START | {"clientToken": "t1", "hyperParameters": {"epochCount": None}}
    first = call("startFinetuningJob", input=request)
    assert call("createFinetuningJob", input=request)["id"] == first["id"]
    with pytest.raises(ApiError, match="Conflict"):
        call("startFinetuningJob", input=request | {"jobName": "Other"})
    assert call("startFinetuningJob", sub="sub-2", input=request)["id"] != first["id"]
    assert len(executions(environment)) == 2


def test_a_repeated_request_answers_with_its_job_though_the_test_set_is_gone(
    environment: dict[str, str], dynamodb: Any
) -> None:
    request = START | {"clientToken": "t1"}
    first = call("startFinetuningJob", input=request)
    dynamodb.delete_item(TableName=environment["TEST_SETS_TABLE"], Key={"id": {"S": START["testSetId"]}})
    assert call("startFinetuningJob", input=request)["id"] == first["id"]
    with pytest.raises(ApiError, match="TestSetNotFound"):
        call("startFinetuningJob", input=START)


def test_of_two_requests_with_one_token_at_once_the_slower_fails_nothing_of_the_faster(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    request = START | {"clientToken": "t1"}
    first = call("startFinetuningJob", input=request)

    def fail(*_: object, **__: object) -> None:
        raise TransientError("throttled")

    find_by_token = JobTable.find_by_token
    asked: list[str] = []

    def not_yet(table: JobTable, token_id: str, digest: str) -> Any:
        asked.append(token_id)
        return find_by_token(table, token_id, digest) if len(asked) > 1 else None

    monkeypatch.setattr(JobTable, "find_by_token", not_yet)
    monkeypatch.setattr("idp_finetuning.adapters.workflows.Workflow.start", fail)
    with pytest.raises(ApiError, match="TransientError"):
        call("startFinetuningJob", input=request)
    assert [job["id"] for job in call("listFinetuningJobs")["items"]] == [first["id"]]
    assert call("getFinetuningJob", jobId=first["id"])["status"] == "VALIDATING"


def test_two_jobs_of_one_name_without_tokens_are_two_jobs(environment: dict[str, str]) -> None:
    assert call("startFinetuningJob", input=START)["id"] != call("startFinetuningJob", input=START)["id"]


def test_no_job_stays_unfinished_where_its_workflow_does_not_start(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise TransientError("throttled")

    monkeypatch.setattr("idp_finetuning.adapters.workflows.Workflow.start", fail)
    with pytest.raises(ApiError, match="TransientError"):
        call("startFinetuningJob", input=START)
    (listed,) = call("listFinetuningJobs")["items"]
    assert listed["status"] == "FAILED"
    assert listed["errorMessage"].startswith("Validation failed: the workflow could not be started")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (client_error("StartExecution", "AccessDeniedException"), "AwsCallRefused"),
        (client_error("StartExecution", "ThrottlingException"), "TransientError"),
        (ValueError("secret"), "InternalError"),
    ],
)
def test_a_start_that_failed_is_told_in_words_of_ours(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, error: Exception, code: str
) -> None:
    def fail(**_: object) -> None:
        raise error

    with monkeypatch.context() as patched:
        patched.setattr(client("stepfunctions"), "start_execution", fail, raising=False)
        with pytest.raises(ApiError):
            call("startFinetuningJob", input=START)
    (listed,) = call("listFinetuningJobs")["items"]
    shown = call("getFinetuningJob", jobId=listed["id"])
    assert (shown["errorCode"], shown["errorStage"]) == (code, "VALIDATING")
    assert "Retry the job; if that fails again, ask the operator" in shown["errorMessage"]
    assert str(error) not in shown["errorMessage"]


@pytest.mark.parametrize("test_set_id", ["unknown", "docsplit/input", ".."])
def test_a_job_on_no_test_set_is_not_made(environment: dict[str, str], test_set_id: str) -> None:
    with pytest.raises(ApiError, match="TestSetNotFound"):
        call("startFinetuningJob", input=START | {"testSetId": test_set_id})
    assert call("listFinetuningJobs")["items"] == []


def test_a_job_on_a_test_set_being_uploaded_is_not_made(test_sets: TestSetTable) -> None:
    test_sets.create(ready_test_set().model_copy(update={"id": "new", "status": TestSetStatus.UPLOADING}))
    with pytest.raises(ApiError, match="TestSetInvalid: Test set 'new' is not ready"):
        call("startFinetuningJob", input=START | {"testSetId": "new"})


@pytest.mark.parametrize("status", ["VALIDATING", "GENERATING_DATA", "TRAINING", "DEPLOYING"])
def test_a_running_job_is_not_deleted(environment: dict[str, str], jobs: JobTable, status: str) -> None:
    running = jobs.create(job(status=JobStatus(status)), None, "")
    with pytest.raises(ApiError, match=f"Conflict: Job '{running.id}' is {status}"):
        call("deleteFinetuningJob", jobId=running.id)
    assert executions(environment, "DELETION") == []
    assert jobs.get(running.id) == running


@pytest.mark.parametrize("status", ["COMPLETED", "FAILED"])
def test_an_ended_job_is_deleted_once_and_asking_again_is_fine(
    environment: dict[str, str], jobs: JobTable, status: str
) -> None:
    ended = jobs.create(job(status=JobStatus(status)), None, "")
    assert call("deleteFinetuningJob", jobId=ended.id) is True
    assert call("deleteFinetuningJob", jobId=ended.id) is True
    assert call("getFinetuningJob", jobId=ended.id)["status"] == "DELETING"
    assert [e["name"] for e in executions(environment, "DELETION")] == [f"{ended.id}-deletion-1"]


def test_a_deletion_that_stopped_half_way_starts_again(environment: dict[str, str], jobs: JobTable) -> None:
    ended = jobs.create(job(status=JobStatus.COMPLETED), None, "")
    call("deleteFinetuningJob", jobId=ended.id)
    (execution,) = executions(environment, "DELETION")
    client("stepfunctions").stop_execution(executionArn=execution["executionArn"])
    assert call("deleteFinetuningJob", jobId=ended.id) is True
    names = {e["name"] for e in executions(environment, "DELETION")}
    assert names == {f"{ended.id}-deletion-1", f"{ended.id}-deletion-2"}
