"""How failures read to the person whose job or document they ended."""

from __future__ import annotations

import json

import pytest

from idp_finetuning.jobs.failures import WorkflowError, document_rejection, job_failure
from idp_finetuning.jobs.job import JobStatus


def caught(name: str, message: str | None = None, **cause: object) -> WorkflowError:
    """What Step Functions' Catch writes for a Lambda that raised this."""
    content = {"errorMessage": message, "errorType": name, "stackTrace": ["secret.py"], **cause}
    return WorkflowError.model_validate({"Error": name, "Cause": json.dumps(content)})


@pytest.mark.parametrize(
    ("error", "stage", "begins"),
    [
        (caught("TestSetInvalid", "Insufficient documents: 9 found."), "VALIDATING", "Insufficient documents: 9"),
        (caught("TestSetInvalid", "Insufficient classes: 1 found."), "VALIDATING", "Insufficient classes: 1"),
        (caught("TestSetInvalid", "1 document has gaps."), "VALIDATING", "Validation failed: 1 document"),
        (caught("ModelUnavailable", "Not offered."), "VALIDATING", "Validation failed: Not offered."),
        (caught("DatasetUnusable", "3 of 20."), "GENERATING_DATA", "Generating training data failed: 3 of 20."),
        (caught("TrainingFailed", "bad data."), "TRAINING", "Training failed: bad data."),
        (caught("AwsCallRefused", "Denied."), "TRAINING", "Training failed: Denied."),
        (caught("DeploymentFailed", "quota."), "DEPLOYING", "Deployment failed: quota."),
        (caught("TransientError", "Throttled."), "DEPLOYING", "Deployment failed: Throttled."),
        (caught("TrainingFailed", "it was stopped."), "STOPPING", "Training failed: it was stopped."),
        (caught("DeploymentFailed", "no capacity."), "FAILED", "Deployment failed: no capacity."),
        (caught("JobStopping", "Job is being stopped."), "STOPPING", "The job failed: Job is being stopped."),
        (caught("AwsCallRefused", "Denied."), "DELETING", "Deletion failed: Denied."),
    ],
)
def test_a_failure_begins_with_the_guides_words_once(error: WorkflowError, stage: str, begins: str) -> None:
    failure = job_failure(error, JobStatus(stage))
    assert failure.message.startswith(begins)
    assert failure.code == error.error
    assert "secret.py" not in failure.message


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"Error": "KeyError"},
        {"Error": "KeyError", "Cause": ""},
        {"Error": "KeyError", "Cause": "plain text of a customer"},
        {"Error": "KeyError", "Cause": "[1, 2]"},
        {"Error": "KeyError", "Cause": "null"},
        {"Error": "KeyError", "Cause": '{"errorMessage": "a customer\'s name"}'},
        {"Error": "KeyError", "Cause": '{"errorMessage": null}'},
        {"Error": "KeyError", "Cause": "[" * 100_000},
        {"Error": "TestSetInvalid", "Cause": ""},
        {"Error": "TestSetInvalid", "Cause": '{"errorMessage": null}'},
        {"Error": "annotations", "Cause": "x"},
        {"Error": "States.DataLimitExceeded", "Cause": "x" * 32_768},
    ],
)
def test_an_unexpected_failure_says_where_to_look_and_quotes_nothing(content: dict[str, str]) -> None:
    failure = job_failure(WorkflowError.model_validate(content), JobStatus.TRAINING)
    assert failure.message == (
        f"Training failed: The step ended with {content.get('Error', 'an unknown error')}. See the execution in Step "
        "Functions and the function's log, then start the job again."
    )


@pytest.mark.parametrize("name", ["Lambda.Unknown", "Sandbox.Timedout", "Runtime.ExitError", "States.Timeout"])
def test_a_worker_that_died_reads_so_for_job_and_document(name: str) -> None:
    error = WorkflowError.model_validate({"Error": name, "Cause": "RequestId: 1 Error: killed"})
    assert "out of time or memory" in job_failure(error, JobStatus.GENERATING_DATA).message
    code, reason = document_rejection(error)
    assert code == "worker_ended"
    assert reason


@pytest.mark.parametrize(
    ("name", "code"),
    [("States.Timeout", "Timeout"), ("States.ItemReaderFailed", "ItemReaderFailed"), ("", "InternalError")],
)
def test_a_name_that_only_step_functions_may_give_is_shown_without_its_prefix(name: str, code: str) -> None:
    assert job_failure(WorkflowError.model_validate({"Error": name}), JobStatus.TRAINING).code == code


def test_a_huge_message_is_cut() -> None:
    failure = job_failure(caught("TrainingFailed", "x" * 200_000), JobStatus.TRAINING)
    assert len(failure.message) == 2000


def test_a_rejected_document_keeps_its_code_and_reason() -> None:
    error = caught("DocumentRejected", "label_mismatch: The labels have 3 pages: one too many.")
    assert document_rejection(error) == ("label_mismatch", "The labels have 3 pages: one too many.")


@pytest.mark.parametrize("content", [{}, {"Error": "KeyError", "Cause": '{"errorMessage": "a customer\'s name"}'}])
def test_a_document_that_broke_the_code_is_internal_and_quotes_nothing(content: dict[str, str]) -> None:
    code, reason = document_rejection(WorkflowError.model_validate(content))
    assert code == "internal"
    assert "customer" not in reason
