"""Messages of the API in the words of the command line: commands for operations, options for inputs."""

from __future__ import annotations

import re

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
    "listDatasetDocuments": "finetuning report",
    "evaluateFinetuningJob": "finetuning evaluate",
    "startBaselineEvaluation": "testset evaluate",
    "getEvaluationReport": "finetuning evaluation",
    "listEvaluatedPages": "finetuning evaluation",
    "compareFinetuningJobs": "finetuning compare",
    "gateFinetuningJob": "finetuning gate",
    "getFinetuningJobPrompt": "finetuning prompt",
    "listAvailableModels": "models list",
    "createTestSet": "testset upload",
    "listTestSets": "testset list",
    "removeTestSetDocuments": "testset remove",
    "deleteTestSet": "testset delete",
    "listConfigVersions": "config-version list",
    "getConfigVersion": "config-version show",
    "createConfigVersion": "config-version create",
    "updateConfigVersion": "config-version update",
    "activateConfigVersion": "config-version activate",
    "rollbackConfigVersion": "config-version rollback",
    "deleteConfigVersion": "config-version delete",
    "createClassificationUpload": "classify",
    "startClassification": "classify",
    "getMyProfile": "whoami",
    "listUsers": "users list",
    "updateUser": "users scope",
}
OPTION_OF = {
    "jobName": "--name",
    "testSetId": "--test-set",
    "baseModel": "--base-model",
    "trainSplit": "--train-split",
    "epochCount": "--epochs",
    "batchSize": "--batch-size",
    "learningRate": "--learning-rate",
    "learningRateWarmupSteps": "--warmup-steps",
    "configVersion": "--config-version",
    "fromJob": "--from-job",
    "systemPrompt": "--system-prompt",
    "taskPrompt": "--task-prompt",
    "documentPath": "--document",
    "pageTexts": "--page-text",
    "allowedConfigVersions": "--allow",
    "onlyIfBetter": "--only-if-better",
    "evaluationTestSetId": "--evaluation-test-set",
    "maximumCost": "--maximum-cost",
    "minimumGain": "--minimum-gain",
    "maximumLossPerClass": "--maximum-loss-per-class",
}
# Inputs whose names are ordinary words: they mean an option only after `input.`.
OPTION_OF_WORD = {
    "repeat": "--repeat",
    "temperature": "--temperature",
    "description": "--description",
    "classes": "--classes",
    "model": "--model",
    "revision": "--revision",
}

_OPERATION = re.compile(rf"\b({'|'.join(COMMAND_OF)})\b")
_INPUT = re.compile(rf"\binput\.(?:\w+\.)*({'|'.join([*OPTION_OF, *OPTION_OF_WORD])})\b")
# Not in quotes, which have what users wrote.
_NAME = re.compile(rf"(?<![\w'.-])({'|'.join(OPTION_OF)})\b(?!')")
_PATTERN = re.compile(r"string should match pattern '[^']*'", re.IGNORECASE)


def in_cli_words(message: str) -> str:
    """Return a message of the API with its operations as commands, its inputs as options, and no pattern."""
    options = OPTION_OF | OPTION_OF_WORD
    message = _INPUT.sub(lambda found: options[found[1]], message)
    message = _NAME.sub(lambda found: OPTION_OF[found[1]], message)
    message = _PATTERN.sub("has a character that is not allowed, or is empty or too long", message)
    return _OPERATION.sub(lambda found: f"`idp-cli {COMMAND_OF[found[0]]}`", message)
