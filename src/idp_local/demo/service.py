"""The fine-tuning API as the demo uses it: GraphQL in, models out."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import Any, Protocol

from pydantic import TypeAdapter, field_validator

from idp_finetuning.classification import Classification, ClassificationStatus, ClassificationUpload
from idp_finetuning.dataset import DatasetReport
from idp_finetuning.errors import ValidationRunning
from idp_finetuning.jobs import JobStatus, TrainingMetrics
from idp_finetuning.test_sets import TestSetFile, TestSetUpload
from idp_finetuning.wire import WireModel
from idp_local.client import GraphQLError

VALIDATION_POLL_SECONDS = 2
CLASSIFICATION_POLL_SECONDS = 0.5

_CREATE_TEST_SET = "mutation ($input: CreateTestSetInput!) { createTestSet(input: $input) { id } }"
_CREATE_UPLOADS = """
mutation ($testSetId: ID!, $files: [TestSetFileInput!]!) {
  createTestSetUploads(testSetId: $testSetId, files: $files) { key present url fields { name value } }
}"""
_COMPLETE_TEST_SET = "mutation ($testSetId: ID!) { completeTestSet(testSetId: $testSetId) { fileCount } }"
_VALIDATE = """
query ($testSetId: ID!, $baseModel: String) {
  validateTestSetForFinetuning(testSetId: $testSetId, baseModel: $baseModel) {
    isValid documentCount classCount classDistribution trainCount validationCount warnings errors
  }
}"""
_MODELS = "query { listAvailableModels { baseModels { id name label minimumRecords validationSupported } } }"
_START = "mutation ($input: StartFinetuningJobInput!) { startFinetuningJob(input: $input) { %s } }"
_JOB = "query ($jobId: ID!) { getFinetuningJob(jobId: $jobId) { %s } }"
_JOB_FIELDS = """
id status trainingMetrics { trainingLoss validationLoss } customModelDeploymentArn errorStage errorCode errorMessage
"""
_REPORT = """
query ($jobId: ID!) {
  getDatasetReport(jobId: $jobId) {
    found accepted rejected
    train { documents pages classes { name documents pages } }
    validation { documents pages classes { name documents pages } }
    rejectedDocuments { key code reason }
    warnings
  }
}"""
_CREATE_VERSION = (
    "mutation ($input: CreateConfigVersionInput!) { createConfigVersion(input: $input) { name warnings } }"
)
_CREATE_CLASSIFICATION_UPLOAD = """
mutation ($input: ClassificationUploadInput!) {
  createClassificationUpload(input: $input) { key url fields { name value } }
}"""
_CLASSIFICATION_FIELDS = """
id status document configVersion model modelName createdBy createdAt completedAt pageCount
pages { number className boundary } sections { className startPage endPage } warnings errorCode errorMessage
"""
_CLASSIFY = "mutation ($input: StartClassificationInput!) { startClassification(input: $input) { %s } }"
_CLASSIFICATION = "query ($id: ID!) { getClassification(classificationId: $id) { %s } }"

_UPLOADS = TypeAdapter(tuple[TestSetUpload, ...])


class GraphQL(Protocol):
    """Sends a GraphQL operation as a signed-in user; answers `data`, raises on errors."""

    def execute(self, query: str, variables: dict[str, Any]) -> dict[str, Any]:
        """The `data` of the answer."""


class Validation(WireModel):
    """The API's verdict on a test set; the distribution counts sections, largest class first."""

    is_valid: bool
    document_count: int
    class_count: int
    class_distribution: dict[str, int]
    train_count: int
    validation_count: int
    warnings: tuple[str, ...]
    errors: tuple[str, ...]

    @field_validator("class_distribution", mode="before")
    @classmethod
    def _from_json(cls, value: object) -> object:
        return json.loads(value) if isinstance(value, str) else value  # AWSJSON is a string


class OfferedModel(WireModel):
    """A base model as the API lists it."""

    id: str
    name: str
    label: str
    minimum_records: int
    validation_supported: bool


class JobState(WireModel):
    """A fine-tuning job at one moment."""

    id: str
    status: JobStatus
    training_metrics: TrainingMetrics | None = None
    custom_model_deployment_arn: str | None = None
    error_stage: JobStatus | None = None
    error_code: str | None = None
    error_message: str | None = None


class FinetuningService:
    """The operations the demo needs, as one signed-in user."""

    def __init__(self, graphql: GraphQL) -> None:
        self._graphql = graphql

    def create_test_set(self, name: str, description: str) -> str:
        """Id of the new test set."""
        data = self._graphql.execute(_CREATE_TEST_SET, {"input": {"name": name, "description": description}})
        return str(data["createTestSet"]["id"])

    def create_uploads(self, test_set_id: str, files: Sequence[TestSetFile]) -> tuple[TestSetUpload, ...]:
        """Where to send each of at most 100 files, in their order."""
        variables = {"testSetId": test_set_id, "files": [file.to_wire() for file in files]}
        return _UPLOADS.validate_python(self._graphql.execute(_CREATE_UPLOADS, variables)["createTestSetUploads"])

    def complete_test_set(self, test_set_id: str) -> int:
        """Ends the upload; answers the number of documents."""
        data = self._graphql.execute(_COMPLETE_TEST_SET, {"testSetId": test_set_id})
        return int(data["completeTestSet"]["fileCount"])

    def validate(self, test_set_id: str, base_model: str | None = None) -> Validation:
        """The verdict on a test set, for a base model where one is given; waits while labels are still being read."""
        variables = {"testSetId": test_set_id, "baseModel": base_model}
        while True:
            try:
                data = self._graphql.execute(_VALIDATE, variables)
            except GraphQLError as error:
                if error.error_type != ValidationRunning.__name__:
                    raise
                time.sleep(VALIDATION_POLL_SECONDS)
            else:
                return Validation.model_validate(data["validateTestSetForFinetuning"])

    def base_models(self) -> tuple[OfferedModel, ...]:
        """The base models in the API's order: recommended before legacy."""
        data = self._graphql.execute(_MODELS, {})
        return tuple(OfferedModel.model_validate(model) for model in data["listAvailableModels"]["baseModels"])

    def start_job(self, test_set_id: str, base_model: str, job_name: str) -> JobState:
        """Starts a fine-tuning job."""
        variables = {"input": {"testSetId": test_set_id, "baseModel": base_model, "jobName": job_name}}
        data = self._graphql.execute(_START % _JOB_FIELDS, variables)
        return JobState.model_validate(data["startFinetuningJob"])

    def job(self, job_id: str) -> JobState:
        """The job now."""
        data = self._graphql.execute(_JOB % _JOB_FIELDS, {"jobId": job_id})
        return JobState.model_validate(data["getFinetuningJob"])

    def create_version(self, name: str, job_id: str) -> tuple[str, ...]:
        """Creates a configuration version with a completed job's model and prompt; answers what to know about it."""
        data = self._graphql.execute(_CREATE_VERSION, {"input": {"name": name, "fromJob": job_id}})
        return tuple(data["createConfigVersion"]["warnings"])

    def create_classification_upload(self, file_name: str, size: int, md5: str) -> ClassificationUpload:
        """Where to send a document that is to be classified."""
        data = self._graphql.execute(
            _CREATE_CLASSIFICATION_UPLOAD, {"input": {"fileName": file_name, "size": size, "md5": md5}}
        )
        return ClassificationUpload.model_validate(data["createClassificationUpload"])

    def classify(self, **given: Any) -> Classification:
        """Starts a classification with these members of StartClassificationInput and waits for its end."""
        data = self._graphql.execute(_CLASSIFY % _CLASSIFICATION_FIELDS, {"input": given})
        now = Classification.model_validate(data["startClassification"])
        while now.status is ClassificationStatus.RUNNING:
            time.sleep(CLASSIFICATION_POLL_SECONDS)
            data = self._graphql.execute(_CLASSIFICATION % _CLASSIFICATION_FIELDS, {"id": now.id})
            now = Classification.model_validate(data["getClassification"])
        return now

    def report(self, job_id: str) -> DatasetReport:
        """What became of every document."""
        return DatasetReport.model_validate(self._graphql.execute(_REPORT, {"jobId": job_id})["getDatasetReport"])
