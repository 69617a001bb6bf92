"""How a failure reads to the person whose job it ended."""

from __future__ import annotations

import json
from typing import Any

from pydantic import Field

from idp_finetuning import errors
from idp_finetuning.errors import DeploymentFailed, DocumentRejected, FinetuningError, InternalError, TrainingFailed
from idp_finetuning.jobs.job import Failure, JobStatus
from idp_finetuning.text import hide_account
from idp_finetuning.wire import WireModel

STAGE_WORDS = {
    JobStatus.VALIDATING: "Validation failed",
    JobStatus.GENERATING_DATA: "Generating training data failed",
    JobStatus.TRAINING: "Training failed",
    JobStatus.DEPLOYING: "Deployment failed",
    JobStatus.DELETING: "Deletion failed",
}
_MESSAGE_CHARACTERS = 2000

# These errors say by themselves what failed, whatever status the job has by then.
_ERROR_STAGES = {TrainingFailed.__name__: JobStatus.TRAINING, DeploymentFailed.__name__: JobStatus.DEPLOYING}

# The guide's words for a test set that is too small; they take the place of the stage's.
_OTHER_WORDS = ("Insufficient documents", "Insufficient classes")

# How Step Functions names the failure of a worker that died or outlasted its time.
_WORKER_ENDED = frozenset({"Lambda.Unknown", "Sandbox.Timedout", "Runtime.ExitError", "States.Timeout"})


class WorkflowError(WireModel):
    """`$.error` as Step Functions' Catch writes it; the cause may be missing."""

    error: str = Field(default="", alias="Error")
    cause: str = Field(default="", alias="Cause")

    @property
    def text(self) -> str:
        """The exception's message if the cause is Lambda's JSON, else the cause itself."""
        try:
            cause: Any = json.loads(self.cause)
        except (ValueError, RecursionError):
            return self.cause
        return str(cause.get("errorMessage") or "") if isinstance(cause, dict) else self.cause

    @property
    def is_expected(self) -> bool:
        """Whether the error is of our tree, with a message written for people."""
        found = getattr(errors, self.error, None)
        return isinstance(found, type) and issubclass(found, FinetuningError)


def job_failure(error: WorkflowError, stage: JobStatus) -> Failure:
    """Return the failure of a job in this stage, for what its workflow caught."""
    if error.is_expected and error.text:
        message = error.text
    elif error.error in _WORKER_ENDED:
        message = "The step ran out of time or memory. Start the job again; if it fails again, see the function's log."
    else:
        message = (
            f"The step ended with {error.error or 'an unknown error'}. See the execution in Step Functions and the "
            "function's log, then start the job again."
        )
    # The execution's Fail state shows the code, and only Step Functions may give a name that begins with `States.`
    # [Amazon States Language, Errors].
    code = error.error.removeprefix("States.") or InternalError.__name__
    return stage_failure(_ERROR_STAGES.get(error.error, stage), code, message)


def evaluation_failure(error: WorkflowError) -> Failure:
    """Return why an evaluation ended, for what its workflow caught."""
    code = error.error.removeprefix("States.") or InternalError.__name__
    if error.is_expected and error.text:
        return Failure(code=code, message=hide_account(error.text)[:_MESSAGE_CHARACTERS])
    ended = "ran out of time or memory" if error.error in _WORKER_ENDED else f"ended with {code}"
    return Failure(
        code=code, message=f"A step {ended}. Evaluate again: answers that are there are not asked for again."
    )


def stage_failure(stage: JobStatus, code: str, message: str) -> Failure:
    """Return the failure of a job in this stage; its message begins with what failed, in the guide's words."""
    if not message.startswith(_OTHER_WORDS):
        message = f"{STAGE_WORDS.get(stage, 'The job failed')}: {message}"
    return Failure(code=code, message=hide_account(message)[:_MESSAGE_CHARACTERS])


def document_rejection(error: WorkflowError) -> tuple[str, str]:
    """Return code and reason of a document's rejection, for what its workflow caught."""
    if error.error == DocumentRejected.__name__:
        code, _, reason = error.text.partition(": ")
        return code, reason
    if error.error in _WORKER_ENDED:
        return "worker_ended", "The document ended or outlasted the worker that rendered it. Save it again or split it."
    return (
        "internal",
        f"The document could not be processed ({error.error or 'unknown error'}). See the function's log.",
    )
