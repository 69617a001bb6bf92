"""What the API says of fine-tuning jobs and of the test sets they are to train on. Times are aware datetimes in UTC."""

from __future__ import annotations

import json
from datetime import datetime

from pydantic import Field, field_validator

from idp_finetuning.jobs.job import ENDED, JobStatus
from idp_sdk.results import Result


class Validation(Result):
    """Whether a test set can be fine-tuned with; the distribution counts labelled sections in the test set's order."""

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


class HyperParameters(Result):
    """Of the training: epochs 1–5, learning rate 1e-6–1e-4, warm-up steps 0–100. None in a request: the default."""

    epoch_count: int | None = None
    learning_rate: float | None = None
    learning_rate_warmup_steps: int | None = None


class TrainingMetrics(Result):
    """Losses Bedrock has reported so far; None where it has not, or never will for the base model."""

    training_loss: float | None = None
    validation_loss: float | None = None


class DocumentCounts(Result):
    """Documents of the data set; `rejected` is None until it has been assembled."""

    found: int
    train: int
    validation: int
    rejected: int | None = None


class JobSummary(Result):
    """A job as lists show it. `base_model` is the id it was created with, `base_model_name` the short name."""

    id: str
    name: str = Field(alias="jobName")
    test_set_id: str
    test_set_name: str
    base_model: str
    base_model_name: str
    status: JobStatus
    created_at: datetime
    updated_at: datetime
    custom_model_deployment_arn: str | None = None
    error_message: str | None = None

    @property
    def ended(self) -> bool:
        """Whether it is COMPLETED, FAILED or STOPPED: nothing more happens by itself."""
        return self.status in ENDED


class Job(JobSummary):
    """A fine-tuning job at one moment."""

    train_split: float
    hyper_parameters: HyperParameters
    config_version: str | None = None
    created_by: str
    training_started_at: datetime | None = None
    training_completed_at: datetime | None = None
    deployment_completed_at: datetime | None = None
    customization_job_arn: str | None = None
    customization_job_status: str | None = None
    custom_model_arn: str | None = None
    training_metrics: TrainingMetrics | None = None
    documents: DocumentCounts | None = None
    warnings: tuple[str, ...] = ()
    waiting_for: str | None = None
    run: int
    error_stage: JobStatus | None = None
    error_code: str | None = None


class JobEvent(Result):
    """A transition or a notable fact in the life of a job; `type` is the job's status at that time."""

    at: datetime
    type: str
    message: str


class ClassReport(Result):
    """Documents and pages of one class."""

    name: str
    documents: int
    pages: int


class SplitReport(Result):
    """One side of the split."""

    documents: int
    pages: int
    classes: tuple[ClassReport, ...]


class RejectedDocument(Result):
    """A document that could not be used: its key, a one-word code and the reason."""

    key: str
    code: str
    reason: str


class DatasetReport(Result):
    """What became of every document: found = accepted + rejected. The first 1,000 rejected ones are named."""

    found: int
    accepted: int
    rejected: int
    train: SplitReport
    validation: SplitReport
    rejected_documents: tuple[RejectedDocument, ...]
    warnings: tuple[str, ...]


class DocumentClass(Result):
    """A class of documents, as the prompt names and describes it."""

    name: str
    description: str = ""


class Prompt(Result):
    """The prompt a job trains with."""

    system_prompt: str
    task_prompt: str
    classes: tuple[DocumentClass, ...]
