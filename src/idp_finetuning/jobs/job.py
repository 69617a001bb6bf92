"""Fine-tuning jobs: the record, its statuses, and the names it has in Step Functions and Bedrock."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum

from pydantic import Field, field_validator

from idp_finetuning.jobs.bedrock_names import bedrock_name
from idp_finetuning.jobs.evaluation import EvaluationRun, EvaluationStatus, JobEvaluation
from idp_finetuning.nova.hyper_parameters import HyperParameters
from idp_finetuning.nova.prompt import DocumentClass
from idp_finetuning.wire import WireModel


class JobStatus(StrEnum):
    """The states of a job; beyond the guide's statuses STOPPING, STOPPED and DELETING."""

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


class JobRun(WireModel):
    """One run of a job's workflow.

    Every write names it, so that no step left of an earlier run changes the job of a later one.
    """

    job_id: str
    number: int


class TrainingMetrics(WireModel):
    """Losses that Bedrock reported; None if it has not, or never does for this model."""

    training_loss: float | None = None
    validation_loss: float | None = None


class DocumentCounts(WireModel):
    """Documents of the data set; `rejected` is None until the data set is assembled."""

    found: int
    train: int
    validation: int
    rejected: int | None = None


class JobConfiguration(WireModel):
    """Snapshot of the configuration version a job was started with; later revisions do not change it."""

    config_version: str
    revision: int
    system_prompt: str
    task_prompt: str
    classes: tuple[DocumentClass, ...]


class JobSummary(WireModel):
    """A job as lists show it. `stage_started_at` says since when it has its status."""

    id: str
    job_name: str
    test_set_id: str
    test_set_name: str
    base_model: str
    base_model_name: str
    status: JobStatus
    created_at: str
    updated_at: str
    created_by: str
    stage_started_at: str | None = None
    custom_model_deployment_arn: str | None = None
    error_message: str | None = None
    evaluation: JobEvaluation | None = None


class JobFilter(WireModel):
    """Which jobs a list shows; None: any. A prefix of the name matches in upper and lower case."""

    status: JobStatus | None = None
    base_model: str | None = None
    test_set_id: str | None = None
    name_prefix: str | None = None

    def matches(self, job: JobSummary) -> bool:
        """Return whether the list shows the job."""
        return (
            self.status in (None, job.status)
            and self.base_model in (None, job.base_model)
            and self.test_set_id in (None, job.test_set_id)
            and job.job_name.casefold().startswith((self.name_prefix or "").casefold())
        )


class DeployedJob(WireModel):
    """A job that has, or had, a deployment, as the choice of a model needs it."""

    id: str
    job_name: str
    base_model_name: str
    status: JobStatus
    created_at: str
    custom_model_deployment_arn: str


class FinetuningJob(JobSummary):
    """The whole record of a job. Times end in Z.

    `hyper_parameters` are those sent to Bedrock; each training page is `repeat` records. `training_begun_at` and
    `deployment_begun_at` say since when Bedrock may have this attempt's customization job or deployment, although its
    ARN is not known. `restarts` counts how often a lost workflow was started again in this stage. `revision` counts its
    changes. `used_by` names the configuration versions that use its model; only their transactions write it.
    `evaluate` says whether its end starts an evaluation, `evaluation_test_set_id` on which documents if not on those
    that it holds out. `notify_address` gets an e-mail when the job and its evaluation have ended, once for each run;
    `notified_run` is the last that it got one for.
    """

    test_set_version: int | None = None
    train_split: float
    hyper_parameters: HyperParameters
    repeat: int = 1
    config_version: str | None = None
    created_by_sub: str | None = None
    client_token: str | None = None
    revision: int = 0
    used_by: tuple[str, ...] = Field(default=(), exclude=True)
    run: int = 1
    restarts: int = 0
    restarted_at: str | None = None
    training_attempt: int = 1
    deployment_attempt: int = 1
    deletion_attempt: int = 0
    training_begun_at: str | None = None
    training_started_at: str | None = None
    training_completed_at: str | None = None
    deployment_begun_at: str | None = None
    deployment_started_at: str | None = None
    deployment_completed_at: str | None = None
    customization_job_arn: str | None = None
    customization_job_status: str | None = None
    custom_model_arn: str | None = None
    training_metrics: TrainingMetrics | None = None
    documents: DocumentCounts | None = None
    validation_records: int = 0
    omitted_hyper_parameters: tuple[str, ...] = ()
    map_concurrency: int | None = None
    warnings: tuple[str, ...] = ()
    error_stage: JobStatus | None = None
    error_code: str | None = None
    waiting_for: str | None = None
    evaluate: bool = True
    evaluation_test_set_id: str | None = None
    notify_address: str | None = None
    notified_run: int = 0

    @field_validator("used_by", mode="before")
    @classmethod
    def _sort(cls, value: Collection[str]) -> tuple[str, ...]:
        return tuple(sorted(value))  # DynamoDB stores a set

    @property
    def current_run(self) -> JobRun:
        """The only run that may change the job."""
        return JobRun(job_id=self.id, number=self.run)

    @property
    def execution_name(self) -> str:
        """Name of this run's execution of the workflow."""
        return self.id if self.run == 1 else f"{self.id}-run-{self.run}"

    @property
    def deletion_name(self) -> str:
        """Name of the deletion's execution."""
        return f"{self.id}-deletion-{self.deletion_attempt}"

    @property
    def is_completed(self) -> bool:
        """Whether the model can be used."""
        return self.status is JobStatus.COMPLETED

    @property
    def evaluation_run(self) -> EvaluationRun | None:
        """The evaluation that runs, if one does: the only one that may change the job."""
        running = self.evaluation and self.evaluation.status is EvaluationStatus.RUNNING
        return EvaluationRun(job_id=self.id, number=self.evaluation.number) if running and self.evaluation else None

    @property
    def is_notification_due(self) -> bool:
        """Whether it has ended and the e-mail about that has not been sent."""
        waits = self.notify_address is not None and self.notified_run != self.run
        return waits and self.status in ENDED and self.evaluation_run is None

    @property
    def evaluation_name(self) -> str:
        """Name of the latest evaluation's execution."""
        return f"{self.id}-evaluation-{self.evaluation.number if self.evaluation else 1}"

    @property
    def training_names(self) -> tuple[str, ...]:
        """Names of the customization jobs and custom models of all attempts, the first one first."""
        attempts = range(1, self.training_attempt + 1)
        return tuple(bedrock_name(self.job_name, self.id, "training", attempt) for attempt in attempts)

    @property
    def training_name(self) -> str:
        """Name of this attempt's customization job, and of the custom model it makes."""
        return self.training_names[-1]

    @property
    def deployment_names(self) -> tuple[str, ...]:
        """Names of the deployments of all attempts, the first one first."""
        attempts = range(1, self.deployment_attempt + 1)
        return tuple(bedrock_name(self.job_name, self.id, "deployment", attempt) for attempt in attempts)

    @property
    def deployment_name(self) -> str:
        """Name of this attempt's deployment."""
        return self.deployment_names[-1]


class JobEvent(WireModel):
    """An entry of a job's history: a transition or a notable change; `type` is the status the job has then."""

    at: str
    type: str
    message: str


class Failure(WireModel):
    """How a job failed: error name and a message a person can act on."""

    code: str
    message: str
