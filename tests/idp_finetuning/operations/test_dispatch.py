"""Arguments and errors at the API's edge."""

from __future__ import annotations

from typing import Any

import pytest

from idp_finetuning.adapters.tables.jobs import JobTable
from idp_finetuning.errors import AwsCallRefused, Conflict, SettingMissing, TransientError
from idp_finetuning.jobs.job import JobStatus
from idp_finetuning.operations.dispatch import error_response
from lambdas.resolver import handler
from tests.support.domain.fake_bedrock import client_error
from tests.support.domain.samples import job

SECRET = "s3cret-value"
START = {"jobName": "a", "testSetId": "docsplit", "baseModel": "us.amazon.nova-lite-v1:0"}


def resolve(field: str, groups: tuple[str, ...] = ("Author",), **arguments: Any) -> dict[str, Any]:
    """The resolver Lambda's answer to what AppSync sends."""
    identity = {"sub": "sub-1", "username": "author@example.com", "groups": list(groups)}
    return handler({"field": field, "arguments": arguments, "identity": identity}, None)


@pytest.mark.parametrize(
    ("field", "arguments", "message"),
    [
        ("getTestSet", {"testSetId": "\ud800"}, "testSetId has characters that are not UTF-8. Correct it."),
        ("startFinetuningJob", {"input": START | {"trainSplit": float("nan")}}, "input.trainSplit is not a number."),
        ("startClassification", {"input": {"pageTexts": ["a", "\udfff"]}}, "input.pageTexts.1 has characters that"),
    ],
)
def test_what_json_cannot_hold_is_refused(field: str, arguments: dict[str, Any], message: str) -> None:
    error = resolve(field, **arguments)["error"]
    assert error["type"] == "InvalidInput"
    assert error["message"].startswith(message)


@pytest.mark.parametrize(
    ("field", "arguments", "named"),
    [
        ("listFinetuningJobs", {"limit": 0}, "limit"),
        ("listFinetuningJobs", {"limit": 101}, "limit"),
        ("listTestSets", {"nextToken": SECRET * 300}, "nextToken"),
        ("listTestSets", {"nextToken": SECRET}, "nextToken"),
        ("getFinetuningJob", {"jobId": ""}, "jobId"),
        ("getFinetuningJob", {"jobId": SECRET * 10}, "jobId"),
        ("getTestSet", {"testSetId": SECRET * 10}, "testSetId"),
        ("validateTestSetForFinetuning", {"testSetId": "t", "trainSplit": 0.99}, "trainSplit"),
        ("validateTestSetForFinetuning", {"testSetId": "t", "baseModel": ""}, "baseModel"),
        ("startFinetuningJob", {"input": START | {"jobName": SECRET + "\n" + SECRET}}, "input.jobName"),
        ("startFinetuningJob", {"input": START | {"jobName": "   "}}, "input.jobName"),
        ("startFinetuningJob", {"input": START | {"jobName": SECRET * 30}}, "input.jobName"),
        ("startFinetuningJob", {"input": START | {"baseModel": SECRET}}, "baseModel"),
        ("startFinetuningJob", {"input": START | {"trainSplit": 0.4}}, "input.trainSplit"),
        ("startFinetuningJob", {"input": START | {"trainSplit": float("nan")}}, "input.trainSplit"),
        ("startFinetuningJob", {"input": START | {"hyperParameters": {"epochCount": 9}}}, "epochCount"),
        ("startFinetuningJob", {"input": START | {"hyperParameters": {"learningRate": 1}}}, "learningRate"),
        ("startFinetuningJob", {"input": START | {"clientToken": SECRET * 20}}, "input.clientToken"),
        ("createTestSet", {"input": {"name": SECRET + "/../"}}, "input.name"),
        ("createTestSet", {"input": {"name": SECRET + "\n"}}, "input.name"),
        ("createTestSet", {"input": {"name": "x" * 51}}, "input.name"),
        ("createTestSet", {"input": {"name": "x", "description": SECRET * 20}}, "input.description"),
        ("createTestSetUploads", {"testSetId": "t", "files": []}, "files"),
        (
            "createTestSetUploads",
            {"testSetId": "t", "files": [{"key": f"../{SECRET}", "size": 1, "md5": "0" * 32}]},
            "files.0.key",
        ),
        (
            "createTestSetUploads",
            {"testSetId": "t", "files": [{"key": "input/a", "size": 250_000_001, "md5": "0" * 32}]},
            "files.0.size",
        ),
        (
            "createTestSetUploads",
            {"testSetId": "t", "files": [{"key": "input/a", "size": 1, "md5": SECRET}]},
            "files.0.md5",
        ),
        (
            "createTestSetUploads",
            {"testSetId": "t", "files": [{"key": f"input/{n}", "size": 1, "md5": "0" * 32} for n in range(101)]},
            "files",
        ),
    ],
)
def test_a_wrong_argument_is_named_and_its_value_never_quoted(
    environment: dict[str, str], field: str, arguments: dict[str, Any], named: str
) -> None:
    error = resolve(field, **arguments)["error"]
    assert error["type"] == "InvalidInput"
    assert named in error["message"]
    assert SECRET not in error["message"]
    assert len(error["message"]) < 500


@pytest.mark.parametrize("field", ["startFinetuningJob", "createTestSet", "deleteFinetuningJob"])
@pytest.mark.parametrize("groups", [(), ("Reviewer",), ("Viewer",)])
def test_a_caller_without_a_role_is_refused_before_arguments_are_looked_at(
    environment: dict[str, str], field: str, groups: tuple[str, ...]
) -> None:
    assert resolve(field, groups, nonsense=1)["error"]["type"] == "Unauthorized"


def test_an_unknown_field_is_refused(environment: dict[str, str]) -> None:
    assert resolve("dropTables", ("Admin",))["error"]["type"] == "Unauthorized"


@pytest.mark.parametrize(
    "error", [AwsCallRefused("arn:aws:iam::1:role/x is not authorized"), SettingMissing("lacks JOBS_TABLE")]
)
def test_what_only_operators_can_mend_is_told_without_details(error: Exception) -> None:
    answer = error_response(error)["error"]  # type: ignore[arg-type]
    assert answer["type"] == "InternalError"
    assert str(error) not in answer["message"]


def test_an_error_of_ours_keeps_its_name_and_words() -> None:
    assert error_response(Conflict("Taken.")) == {"error": {"type": "Conflict", "message": "Taken."}}


def test_an_error_that_quotes_aws_says_nothing_of_the_account() -> None:
    said = "InvokeModel: User: arn:aws:sts::123456789012:assumed-role/r/f is not authorized. Ask account 123456789012."
    message = error_response(TransientError(said))["error"]["message"]
    assert message == "InvokeModel: User: (role) is not authorized. Ask account <account>."


def test_what_a_job_stored_of_aws_is_shown_without_the_account(environment: dict[str, str], jobs: JobTable) -> None:
    said = "arn:aws:iam::123456789012:role/bedrock"
    stored: dict[str, Any] = {
        "error_message": f"Training failed: {said}",
        "warnings": (f"See {said}",),
        "waiting_for": said,
    }
    found = jobs.create(job(status=JobStatus.FAILED, **stored), None, "")
    shown = resolve("getFinetuningJob", jobId=found.id)["data"]
    assert (shown["errorMessage"], shown["warnings"], shown["waitingFor"]) == (
        "Training failed: (role)",
        ["See (role)"],
        "(role)",
    )


@pytest.mark.parametrize(
    ("code", "error_type"), [("AccessDeniedException", "InternalError"), ("ThrottlingException", "TransientError")]
)
def test_a_failing_aws_call_is_an_error_of_the_api(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, code: str, error_type: str
) -> None:
    class Failing:
        def query(self, **_: Any) -> None:
            raise client_error("Query", code)

    monkeypatch.setattr("idp_finetuning.adapters.services.client", lambda service: Failing())
    assert resolve("listFinetuningJobs")["error"]["type"] == error_type
