"""What the API returns of fine-tuning jobs and of test sets checked for them. Times are UTC."""

from __future__ import annotations

import json

from pydantic import Field, field_validator

from idp_finetuning.evaluation.expectation import ExpectedEvaluation
from idp_finetuning.jobs.evaluation import EvaluationStatus
from idp_finetuning.jobs.job import ENDED, DocumentCounts, JobStatus, TrainingMetrics
from idp_finetuning.nova.hyper_parameters import HyperParameters
from idp_finetuning.wire import UtcTime, WireModel


class Validation(WireModel):
    """Whether a test set can be used for fine-tuning; the distribution counts labelled sections.

    With a base model, `evaluation` says what the held-out documents can prove.
    """

    is_valid: bool
    document_count: int
    class_count: int
    class_distribution: dict[str, int]
    train_count: int
    validation_count: int
    warnings: tuple[str, ...]
    errors: tuple[str, ...]
    evaluation: ExpectedEvaluation | None = None

    @field_validator("class_distribution", mode="before")
    @classmethod
    def _parse_json(cls, value: object) -> object:
        return json.loads(value) if isinstance(value, str) else value  # AWSJSON is a string


class JobEvaluation(WireModel):
    """The latest evaluation of a job's model, on another test set or, without one, on what the job held out.

    `gain` is the share of right items of the custom model minus the base model's, with its 95 % limits (0.1 is 10
    points); `verdict` is "BETTER", "WORSE", "NO_WORSE" or "NOT_PROVEN". On `differing_documents` of `documents` the two
    were not equally good. All are None without answers of the base model.
    """

    number: int
    status: EvaluationStatus
    test_set_id: str | None = None
    out_of_scope_test_set_id: str | None = None
    built_in_prompt: bool = False
    maximum_pages: int | None = None
    maximum_cost: float | None = None
    started_at: UtcTime
    ended_at: UtcTime | None = None
    verdict: str | None = None
    gain: float | None = None
    gain_lower: float | None = None
    gain_upper: float | None = None
    documents: int | None = None
    differing_documents: int | None = None
    sentence: str | None = None
    error_message: str | None = None


class JobSummary(WireModel):
    """A job as lists show it. `base_model` is the id it was created with, `base_model_name` the short name.

    `stage_started_at` says since when it has its status, `evaluation` whether its model is better.
    """

    id: str
    name: str = Field(alias="jobName")
    test_set_id: str
    test_set_name: str
    base_model: str
    base_model_name: str
    status: JobStatus
    created_at: UtcTime
    updated_at: UtcTime
    created_by: str
    stage_started_at: UtcTime | None = None
    custom_model_deployment_arn: str | None = None
    error_message: str | None = None
    evaluation: JobEvaluation | None = None

    @property
    def ended(self) -> bool:
        """Whether it is COMPLETED, FAILED or STOPPED."""
        return self.status in ENDED


class Job(JobSummary):
    """A fine-tuning job at one moment."""

    test_set_version: int | None = None
    train_split: float
    hyper_parameters: HyperParameters
    repeat: int = 1
    config_version: str | None = None
    training_started_at: UtcTime | None = None
    training_completed_at: UtcTime | None = None
    deployment_completed_at: UtcTime | None = None
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
    evaluation_test_set_id: str | None = None
    notify_address: str | None = None


class JobEvent(WireModel):
    """An event in the life of a job; `type` is the job's status at that time."""

    at: UtcTime
    type: str
    message: str
