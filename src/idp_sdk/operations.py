"""The GraphQL operations the SDK sends, and which of them may safely be sent twice."""

from __future__ import annotations

from typing import NamedTuple


class Operation(NamedTuple):
    """A GraphQL document with one field, and whether sending it again does no more than sending it once."""

    field: str
    document: str
    repeatable: bool


def _query(field: str, arguments: dict[str, str], selection: str) -> Operation:
    return Operation(field, _document("query", field, arguments, selection), repeatable=True)


def _mutation(field: str, arguments: dict[str, str], selection: str = "", *, repeatable: bool = False) -> Operation:
    return Operation(field, _document("mutation", field, arguments, selection), repeatable=repeatable)


def _document(kind: str, field: str, arguments: dict[str, str], selection: str) -> str:
    declared = ", ".join(f"${name}: {type_}" for name, type_ in arguments.items())
    passed = ", ".join(f"{name}: ${name}" for name in arguments)
    selected = f" {{ {' '.join(selection.split())} }}" if selection else ""
    if not arguments:
        return f"{kind} {{ {field}{selected} }}"
    return f"{kind} ({declared}) {{ {field}({passed}){selected} }}"


_JOB = """
id jobName testSetId testSetName baseModel baseModelName status trainSplit
hyperParameters { epochCount learningRate learningRateWarmupSteps }
configVersion createdBy createdAt trainingStartedAt trainingCompletedAt deploymentCompletedAt updatedAt
customizationJobArn customizationJobStatus customModelArn customModelDeploymentArn
trainingMetrics { trainingLoss validationLoss }
documents { found train validation rejected }
warnings waitingFor run errorStage errorCode errorMessage
"""
_JOB_SUMMARY = """
id jobName testSetId testSetName baseModel baseModelName status createdAt updatedAt
customModelDeploymentArn errorMessage
"""
_SPLIT = "{ documents pages classes { name documents pages } }"
_TEST_SET = "id name description fileCount status createdAt"
_POST = "key url fields { name value }"
_CONFIG_VERSION = """
name description active builtIn revision warnings createdAt createdBy updatedAt updatedBy
classification { model modelName jobId systemPrompt taskPrompt temperature classes { name description } }
"""
_CLASSIFICATION = """
id status document configVersion model modelName createdBy createdAt completedAt pageCount
pages { number className boundary }
sections { className startPage endPage }
warnings errorCode errorMessage
"""
_USER = "id username email groups scope allowedConfigVersions"
_PAGE = {"limit": "Int", "nextToken": "String"}
_JOB_ID = {"jobId": "ID!"}
_TEST_SET_ID = {"testSetId": "ID!"}
_NAME = {"name": "ID!"}

VALIDATE_TEST_SET = _query(
    "validateTestSetForFinetuning",
    {"testSetId": "ID!", "baseModel": "String", "trainSplit": "Float"},
    "isValid documentCount classCount classDistribution trainCount validationCount warnings errors",
)
# The SDK always sends a client token with it: the same token and input answer with the same job.
CREATE_JOB = _mutation("createFinetuningJob", {"input": "StartFinetuningJobInput!"}, _JOB, repeatable=True)
GET_JOB = _query("getFinetuningJob", _JOB_ID, _JOB)
LIST_JOBS = _query("listFinetuningJobs", _PAGE, f"items {{ {_JOB_SUMMARY} }} nextToken")
STOP_JOB = _mutation("stopFinetuningJob", _JOB_ID, _JOB)
RETRY_JOB = _mutation("retryFinetuningJob", _JOB_ID, _JOB)
DELETE_JOB = _mutation("deleteFinetuningJob", _JOB_ID)
LIST_JOB_EVENTS = _query("listFinetuningJobEvents", _JOB_ID | _PAGE, "items { at type message } nextToken")
GET_REPORT = _query(
    "getDatasetReport",
    _JOB_ID,
    f"found accepted rejected train {_SPLIT} validation {_SPLIT} rejectedDocuments {{ key code reason }} warnings",
)
GET_JOB_PROMPT = _query("getFinetuningJobPrompt", _JOB_ID, "systemPrompt taskPrompt classes { name description }")

LIST_MODELS = _query(
    "listAvailableModels",
    {},
    """
    baseModels { id name provider label minimumRecords maximumRecords validationSupported offered }
    customModels { id name baseModel status jobId }
    """,
)

LIST_TEST_SETS = _query("listTestSets", _PAGE, f"items {{ {_TEST_SET} }} nextToken")
GET_TEST_SET = _query("getTestSet", _TEST_SET_ID, _TEST_SET)
CREATE_TEST_SET = _mutation("createTestSet", {"input": "CreateTestSetInput!"}, _TEST_SET)
CREATE_TEST_SET_UPLOADS = _mutation(
    "createTestSetUploads",
    {"testSetId": "ID!", "files": "[TestSetFileInput!]!"},
    f"{_POST} present",
    repeatable=True,
)
COMPLETE_TEST_SET = _mutation("completeTestSet", _TEST_SET_ID, _TEST_SET, repeatable=True)
DELETE_TEST_SET = _mutation("deleteTestSet", _TEST_SET_ID)

LIST_CONFIG_VERSIONS = _query("listConfigVersions", _PAGE, f"items {{ {_CONFIG_VERSION} }} nextToken")
GET_CONFIG_VERSION = _query("getConfigVersion", _NAME, _CONFIG_VERSION)
CREATE_CONFIG_VERSION = _mutation("createConfigVersion", {"input": "CreateConfigVersionInput!"}, _CONFIG_VERSION)
UPDATE_CONFIG_VERSION = _mutation("updateConfigVersion", {"input": "UpdateConfigVersionInput!"}, _CONFIG_VERSION)
ACTIVATE_CONFIG_VERSION = _mutation("activateConfigVersion", _NAME, _CONFIG_VERSION, repeatable=True)
DELETE_CONFIG_VERSION = _mutation("deleteConfigVersion", _NAME)

CREATE_CLASSIFICATION_UPLOAD = _mutation(
    "createClassificationUpload", {"input": "ClassificationUploadInput!"}, _POST, repeatable=True
)
START_CLASSIFICATION = _mutation("startClassification", {"input": "StartClassificationInput!"}, _CLASSIFICATION)
GET_CLASSIFICATION = _query("getClassification", {"classificationId": "ID!"}, _CLASSIFICATION)

GET_MY_PROFILE = _query("getMyProfile", {}, _USER)
LIST_USERS = _query("listUsers", _PAGE, f"items {{ {_USER} }} nextToken")
UPDATE_USER = _mutation("updateUser", {"input": "UpdateUserInput!"}, _USER, repeatable=True)

OPERATIONS: tuple[Operation, ...] = tuple(value for value in list(globals().values()) if isinstance(value, Operation))
