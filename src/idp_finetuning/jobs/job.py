"""Fine-tuning jobs: the record, its statuses and which status may follow which."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import StrEnum

from pydantic import Field, field_validator

from idp_finetuning.nova.base_models import HyperParameters
from idp_finetuning.nova.prompt import DocumentClass
from idp_finetuning.wire import WireModel


class JobStatus(StrEnum):
    """Where a job stands; beyond the guide's statuses STOPPING, STOPPED and DELETING."""

    VALIDATING = "VALIDATING"
    GENERATING_DATA = "GENERATING_DATA"
    TRAINING = "TRAINING"
    DEPLOYING = "DEPLOYING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    STOPPING = "STOPPING"
    STOPPED = "STOPPED"
    DELETING = "DELETING"


STAGES = (JobStatus.VALIDATING, JobStatus.GENERATING_DATA, JobStatus.TRAINING, JobStatus.DEPLOYING)
ENDED = frozenset({JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.STOPPED})
UNFINISHED = frozenset({*STAGES, JobStatus.STOPPING, JobStatus.DELETING})

# A status may follow itself, for every handler may run twice; a job fails and stops once, for the first reason.
MAY_BECOME_FROM: Mapping[JobStatus, frozenset[JobStatus]] = {
    JobStatus.VALIDATING: frozenset({JobStatus.VALIDATING}),
    JobStatus.GENERATING_DATA: frozenset({JobStatus.VALIDATING, JobStatus.GENERATING_DATA}),
    JobStatus.TRAINING: frozenset({JobStatus.GENERATING_DATA, JobStatus.TRAINING}),
    JobStatus.DEPLOYING: frozenset({JobStatus.TRAINING, JobStatus.DEPLOYING}),
    JobStatus.COMPLETED: frozenset({JobStatus.DEPLOYING, JobStatus.COMPLETED}),
    JobStatus.FAILED: frozenset(STAGES),
    JobStatus.STOPPING: frozenset({*STAGES, JobStatus.STOPPING}),
    JobStatus.STOPPED: frozenset({JobStatus.STOPPING}),
    JobStatus.DELETING: frozenset({*ENDED, JobStatus.DELETING}),
}

# What the history of a job says of a transition that has no words of its own.
TRANSITIONS: Mapping[JobStatus, str] = {
    JobStatus.VALIDATING: "Checking the test set.",
    JobStatus.GENERATING_DATA: "Converting documents to training data.",
    JobStatus.TRAINING: "Submitting the customization job to Bedrock.",
    JobStatus.DEPLOYING: "Creating the on-demand deployment.",
    JobStatus.COMPLETED: "The model is ready to use.",
    JobStatus.FAILED: "The job failed.",
    JobStatus.STOPPING: "Stopping was asked for.",
    JobStatus.STOPPED: "The job is stopped.",
    JobStatus.DELETING: "Deletion was asked for.",
}


class JobRun(WireModel):
    """One run of a job's workflow: every write names it, so that nothing left of an earlier run changes a later one."""

    job_id: str
    number: int


class TrainingMetrics(WireModel):
    """Losses Bedrock reported; None where it has not, or never will for this model."""

    training_loss: float | None = None
    validation_loss: float | None = None


class DocumentCounts(WireModel):
    """Documents of the data set; `rejected` is None until it has been assembled."""

    found: int
    train: int
    validation: int
    rejected: int | None = None


class JobConfiguration(WireModel):
    """What a job took from a configuration version when it was started; later revisions do not change it."""

    config_version: str
    revision: int
    system_prompt: str
    task_prompt: str
    classes: tuple[DocumentClass, ...]


class JobSummary(WireModel):
    """A job as lists show it."""

    id: str
    job_name: str
    test_set_id: str
    test_set_name: str
    base_model: str
    base_model_name: str
    status: JobStatus
    created_at: str
    updated_at: str
    custom_model_deployment_arn: str | None = None
    error_message: str | None = None


class FinetuningJob(JobSummary):
    """The whole record of a job. Times end in Z.

    `revision` counts its changes; `used_by` names the configuration versions on its model, and is written by their
    transactions alone.
    """

    train_split: float
    hyper_parameters: HyperParameters
    config_version: str | None = None
    created_by: str
    client_token: str | None = None
    revision: int = 0
    used_by: tuple[str, ...] = Field(default=(), exclude=True)
    run: int = 1
    stage_started_at: str | None = None
    training_attempt: int = 1
    deployment_attempt: int = 1
    deletion_attempt: int = 0
    training_started_at: str | None = None
    training_completed_at: str | None = None
    deployment_completed_at: str | None = None
    customization_job_arn: str | None = None
    customization_job_status: str | None = None
    custom_model_arn: str | None = None
    training_metrics: TrainingMetrics | None = None
    documents: DocumentCounts | None = None
    validation_records: int = 0
    warnings: tuple[str, ...] = ()
    error_stage: JobStatus | None = None
    error_code: str | None = None
    waiting_for: str | None = None

    @field_validator("used_by", mode="before")
    @classmethod
    def _in_order(cls, value: Collection[str]) -> tuple[str, ...]:
        return tuple(sorted(value))  # DynamoDB keeps it as a set

    @property
    def current_run(self) -> JobRun:
        """The run that may write."""
        return JobRun(job_id=self.id, number=self.run)

    @property
    def execution_name(self) -> str:
        """Name of the workflow's execution of this run."""
        return self.id if self.run == 1 else f"{self.id}-run-{self.run}"

    @property
    def deletion_name(self) -> str:
        """Name of the deletion's execution."""
        return f"{self.id}-deletion-{self.deletion_attempt}"


class JobEvent(WireModel):
    """A transition or a notable fact in the life of a job."""

    at: str
    type: str
    message: str


class Failure(WireModel):
    """How a job failed: error name and a message a person can act on."""

    code: str
    message: str
