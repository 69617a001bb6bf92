"""The operations of the API that the SDK sends, with the types of their arguments and results."""

from __future__ import annotations

from typing import Any

from idp_finetuning.classification.classification import Classification, ClassificationUpload
from idp_finetuning.classification.scopes import User
from idp_finetuning.evaluation.baseline import BaselineEvaluation
from idp_finetuning.evaluation.cost import CostBound
from idp_finetuning.evaluation.gate import GateResult
from idp_finetuning.evaluation.report import EvaluatedPage, EvaluationReport
from idp_finetuning.evaluation.two_jobs import JobComparison
from idp_finetuning.nova.prompt import Prompt
from idp_finetuning.test_sets.test_set import TestSet, TestSetUpload
from idp_finetuning.training_data.dataset import DatasetReport
from idp_finetuning.training_data.dataset_documents import DatasetDocument
from idp_finetuning.training_data.loss_curve import LossCurve
from idp_sdk.documents import Operation, mutation, query
from idp_sdk.jobs import Job, JobEvent, JobSummary, Validation
from idp_sdk.results import AvailableModels, ConfigVersion, Page

_PAGE = {"limit": "Int", "nextToken": "String"}

VALIDATE_TEST_SET = query(
    "validateTestSetForFinetuning",
    Validation,
    testSetId="ID!",
    baseModel="String",
    trainSplit="Float",
    repeat="Int",
)
# The SDK always sends a client token with it: the same token and input return the same job.
CREATE_JOB = mutation("createFinetuningJob", Job, idempotent=True, input="StartFinetuningJobInput!")
GET_JOB = query("getFinetuningJob", Job, jobId="ID!")
LIST_JOBS = query(
    "listFinetuningJobs",
    Page[JobSummary],
    status="FinetuningJobStatus",
    baseModel="String",
    testSetId="ID",
    namePrefix="String",
    **_PAGE,
)
STOP_JOB = mutation("stopFinetuningJob", Job, jobId="ID!")
RETRY_JOB = mutation("retryFinetuningJob", Job, jobId="ID!")
DELETE_JOB = mutation("deleteFinetuningJob", bool, jobId="ID!")
LIST_JOB_EVENTS = query("listFinetuningJobEvents", Page[JobEvent], jobId="ID!", **_PAGE)
GET_LOSS_CURVE = query("getLossCurve", LossCurve, jobId="ID!")
GET_REPORT = query("getDatasetReport", DatasetReport, jobId="ID!")
LIST_DATASET_DOCUMENTS = query("listDatasetDocuments", Page[DatasetDocument], jobId="ID!", **_PAGE)
# While an evaluation runs, a repeated call starts no other.
EVALUATE_JOB = mutation(
    "evaluateFinetuningJob",
    Job,
    idempotent=True,
    jobId="ID!",
    testSetId="ID",
    outOfScopeTestSetId="ID",
    builtInPrompt="Boolean",
    maximumPages="Int",
    maximumCost="Float",
)
ESTIMATE_EVALUATION = query(
    "estimateEvaluation",
    CostBound,
    jobId="ID!",
    testSetId="ID",
    outOfScopeTestSetId="ID",
    builtInPrompt="Boolean",
    maximumPages="Int",
)
GET_EVALUATION_REPORT = query("getEvaluationReport", EvaluationReport, jobId="ID!")
LIST_EVALUATED_PAGES = query("listEvaluatedPages", Page[EvaluatedPage], jobId="ID!", **_PAGE)
START_BASELINE = mutation(
    "startBaselineEvaluation",
    BaselineEvaluation,
    idempotent=True,
    testSetId="ID!",
    baseModels="[String!]",
    configVersions="[ID!]",
    maximumPages="Int",
    maximumCost="Float",
)
GET_BASELINE = query("getBaselineEvaluation", BaselineEvaluation, testSetId="ID!", number="Int")
LIST_BASELINE_PAGES = query("listBaselinePages", Page[EvaluatedPage], testSetId="ID!", number="Int", **_PAGE)
COMPARE_JOBS = query("compareFinetuningJobs", JobComparison, jobId="ID!", otherJobId="ID!")
GATE_JOB = query("gateFinetuningJob", GateResult, jobId="ID!", minimumGain="Float", maximumLossPerClass="Float")
GET_JOB_PROMPT = query("getFinetuningJobPrompt", Prompt, jobId="ID!")

LIST_MODELS = query("listAvailableModels", AvailableModels)

LIST_TEST_SETS = query("listTestSets", Page[TestSet], **_PAGE)
GET_TEST_SET = query("getTestSet", TestSet, testSetId="ID!")
CREATE_TEST_SET = mutation("createTestSet", TestSet, input="CreateTestSetInput!")
CREATE_TEST_SET_UPLOADS = mutation(
    "createTestSetUploads",
    tuple[TestSetUpload, ...],
    idempotent=True,
    testSetId="ID!",
    files="[TestSetFileInput!]!",
)
COMPLETE_TEST_SET = mutation("completeTestSet", TestSet, idempotent=True, testSetId="ID!")
# Without a token: the documents of a repeated call are gone already, which is an error that says so.
REMOVE_TEST_SET_DOCUMENTS = mutation("removeTestSetDocuments", TestSet, testSetId="ID!", paths="[String!]!")
DELETE_TEST_SET = mutation("deleteTestSet", bool, testSetId="ID!")

LIST_CONFIG_VERSIONS = query("listConfigVersions", Page[ConfigVersion], **_PAGE)
GET_CONFIG_VERSION = query("getConfigVersion", ConfigVersion, name="ID!")
CREATE_CONFIG_VERSION = mutation("createConfigVersion", ConfigVersion, input="CreateConfigVersionInput!")
UPDATE_CONFIG_VERSION = mutation("updateConfigVersion", ConfigVersion, input="UpdateConfigVersionInput!")
ACTIVATE_CONFIG_VERSION = mutation(
    "activateConfigVersion", ConfigVersion, idempotent=True, name="ID!", onlyIfBetter="Boolean"
)
# A repeated call would take the first one back.
ROLLBACK_CONFIG_VERSION = mutation("rollbackConfigVersion", ConfigVersion)
DELETE_CONFIG_VERSION = mutation("deleteConfigVersion", bool, name="ID!")

CREATE_CLASSIFICATION_UPLOAD = mutation(
    "createClassificationUpload", ClassificationUpload, idempotent=True, input="ClassificationUploadInput!"
)
START_CLASSIFICATION = mutation("startClassification", Classification, input="StartClassificationInput!")
GET_CLASSIFICATION = query("getClassification", Classification, classificationId="ID!")

GET_MY_PROFILE = query("getMyProfile", User)
LIST_USERS = query("listUsers", Page[User], **_PAGE)
UPDATE_USER = mutation("updateUser", User, idempotent=True, input="UpdateUserInput!")

OPERATIONS: tuple[Operation[Any], ...] = tuple(
    value for value in list(globals().values()) if isinstance(value, Operation)
)
