"""What a failed command says: one sentence on stderr, and its exit code."""

from __future__ import annotations

import os
import re
import sys

import click

from idp_cli.output import printable
from idp_cli.session import FAILED
from idp_sdk.errors import IDPError, NotConfigured, NotSignedIn, Unauthorized

NOT_ALLOWED = 3

# The API's messages name its operations; here they are commands.
COMMAND_OF = {
    "validateTestSetForFinetuning": "finetuning validate",
    "createFinetuningJob": "finetuning create",
    "getFinetuningJob": "finetuning status",
    "listFinetuningJobs": "finetuning list",
    "stopFinetuningJob": "finetuning stop",
    "retryFinetuningJob": "finetuning retry",
    "deleteFinetuningJob": "finetuning delete",
    "listFinetuningJobEvents": "finetuning events",
    "getDatasetReport": "finetuning report",
    "getFinetuningJobPrompt": "finetuning prompt",
    "listAvailableModels": "models list",
    "createTestSet": "testset upload",
    "listTestSets": "testset list",
    "deleteTestSet": "testset delete",
    "listConfigVersions": "config-version list",
    "getConfigVersion": "config-version show",
    "createConfigVersion": "config-version create",
    "updateConfigVersion": "config-version update",
    "activateConfigVersion": "config-version activate",
    "deleteConfigVersion": "config-version delete",
    "createClassificationUpload": "classify",
    "startClassification": "classify",
    "getMyProfile": "whoami",
    "listUsers": "users list",
    "updateUser": "users scope",
}
# So are its inputs: `input.hyperParameters.epochCount: ...`.
OPTION_OF = {
    "jobName": "--name",
    "testSetId": "--test-set",
    "baseModel": "--base-model",
    "trainSplit": "--train-split",
    "epochCount": "--epochs",
    "learningRate": "--learning-rate",
    "learningRateWarmupSteps": "--warmup-steps",
    "configVersion": "--config-version",
    "fromJob": "--from-job",
    "systemPrompt": "--system-prompt",
    "taskPrompt": "--task-prompt",
    "temperature": "--temperature",
    "description": "--description",
}
_INPUT = re.compile(rf"\binput\.(?:\w+\.)?({'|'.join(OPTION_OF)}): ")
_OPERATION = re.compile(rf"\b({'|'.join(COMMAND_OF)})\b")


_PROFILED = re.compile(r"\bidp-cli (?:login|configure FILE)")


def told(error: Exception, profile: str | None = None) -> int:
    """Tells the error and answers the exit code; what nobody expects is named without its text, which may be a secret.

    Commands that it advises are for the profile that was named.

    `IDP_DEBUG` set to anything lets the exception through, for those who mend this program.
    """
    if os.environ.get("IDP_DEBUG"):
        raise error
    sentence = _sentence(error)
    if profile:
        sentence = _PROFILED.sub(lambda found: f"{found[0]} --profile {profile}", sentence)
    click.echo(f"{_label()} {printable(sentence)}", err=True)
    return NOT_ALLOWED if isinstance(error, (NotConfigured, NotSignedIn, Unauthorized)) else FAILED


def _sentence(error: Exception) -> str:
    if isinstance(error, IDPError):
        message = _INPUT.sub(lambda found: f"{OPTION_OF[found[1]]}: ", error.message)
        return _OPERATION.sub(lambda found: f"`idp-cli {COMMAND_OF[found[0]]}`", message)
    if isinstance(error, OSError):
        place = f"'{error.filename}': " if error.filename else ""
        return f"{place}{error.strerror or type(error).__name__}."
    return f"{type(error).__name__} that nobody expected. IDP_DEBUG=1 shows where it came from; please report it."


def _label() -> str:
    coloured = sys.stderr.isatty() and not os.environ.get("NO_COLOR")
    return click.style("Error:", fg="red", bold=True) if coloured else "Error:"
