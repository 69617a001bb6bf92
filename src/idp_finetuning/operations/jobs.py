"""Operations on fine-tuning jobs."""

from __future__ import annotations

import hashlib
import json
from uuid import uuid4

from pydantic import Field, field_validator

from idp_finetuning.adapters.services import Services
from idp_finetuning.base_models import HyperParameters, find_base_model
from idp_finetuning.clock import timestamp
from idp_finetuning.dataset import SHOWN_REJECTIONS, DatasetReport
from idp_finetuning.errors import Conflict, TestSetInvalid
from idp_finetuning.jobs import ENDED, FinetuningJob, JobStatus
from idp_finetuning.layout import JobLayout
from idp_finetuning.operations.identity import Identity
from idp_finetuning.test_sets import TestSetStatus
from idp_finetuning.text import is_one_line
from idp_finetuning.wire import WireModel

DEFAULT_TRAIN_SPLIT = 0.9


class PageArguments(WireModel):
    """Arguments of a list: how many items (1 to 100), and where to go on."""

    limit: int | None = Field(default=None, ge=1, le=100)
    next_token: str | None = Field(default=None, max_length=2000)

    @property
    def size(self) -> int:
        """Items a page."""
        return self.limit or 50


class JobArguments(WireModel):
    """Arguments that name a job."""

    job_id: str = Field(min_length=1, max_length=100)


class StartFinetuningJobInput(WireModel):
    """What a new job is made of."""

    job_name: str = Field(min_length=1, max_length=256)
    test_set_id: str = Field(min_length=1, max_length=100)
    base_model: str = Field(min_length=1, max_length=200)
    train_split: float | None = Field(default=None, ge=0.5, le=0.95)
    hyper_parameters: HyperParameters | None = None
    client_token: str | None = Field(default=None, min_length=1, max_length=128)

    @field_validator("job_name")
    @classmethod
    def _readable(cls, value: str) -> str:
        value = value.strip()
        if not value or not is_one_line(value):
            raise ValueError("a job name has at least one visible character and no control characters")
        return value

    @property
    def digest(self) -> str:
        """The same for the same request, whatever its token."""
        content = self.model_dump(mode="json", exclude={"client_token"})
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


class StartArguments(WireModel):
    """Arguments of startFinetuningJob."""

    input: StartFinetuningJobInput


def list_finetuning_jobs(arguments: PageArguments, identity: Identity, services: Services) -> WireModel:
    """Jobs, newest first."""
    return services.jobs.list(limit=arguments.size, next_token=arguments.next_token)


def get_finetuning_job(arguments: JobArguments, identity: Identity, services: Services) -> WireModel:
    """One job."""
    return services.jobs.get(arguments.job_id)


def get_dataset_report(arguments: JobArguments, identity: Identity, services: Services) -> WireModel:
    """What became of every document of a job. Raises Conflict while the data set is not assembled."""
    job = services.jobs.get(arguments.job_id)
    report = services.data.read_model(JobLayout(job_id=job.id).report, DatasetReport)
    if report is None:
        raise Conflict(f"Job '{job.id}' is {job.status} and has no data set report yet. Ask again once it is TRAINING.")
    shown = report.rejected_documents[:SHOWN_REJECTIONS]
    return report.model_copy(update={"rejected_documents": shown})


def start_finetuning_job(arguments: StartArguments, identity: Identity, services: Services) -> WireModel:
    """Records a new job and starts its workflow; the same client token and input answer with the same job."""
    request = arguments.input
    model = find_base_model(request.base_model)
    test_set = services.test_sets.get(request.test_set_id)
    if test_set.status is not TestSetStatus.READY:
        raise TestSetInvalid(
            f"Test set '{test_set.id}' is not ready: its upload is still in progress. Complete the upload first."
        )
    now = timestamp()
    token = f"token#{identity.sub}#{request.client_token}" if request.client_token else None
    new_id = str(uuid4())
    job = services.jobs.create(
        FinetuningJob(
            id=new_id,
            job_name=request.job_name,
            test_set_id=test_set.id,
            test_set_name=test_set.name,
            base_model=request.base_model,
            base_model_name=model.short_name,
            status=JobStatus.VALIDATING,
            train_split=DEFAULT_TRAIN_SPLIT if request.train_split is None else request.train_split,
            hyper_parameters=request.hyper_parameters or HyperParameters(),
            created_by=identity.username,
            client_token=token,
            created_at=now,
            updated_at=now,
        ),
        token,
        request.digest,
    )
    if job.status is JobStatus.VALIDATING:
        _start_workflow(job, services, is_new=job.id == new_id)
    return job


def _start_workflow(job: FinetuningJob, services: Services, *, is_new: bool) -> None:
    """Starts the workflow; a repeated request starts what an earlier one may have left unstarted."""
    try:
        services.finetuning.start(job.id, name=job.id)
    except Exception as error:
        if not is_new:
            raise  # the first request may well have started it
        # No job may stay VALIDATING with no workflow behind it, whatever kept it from starting.
        services.jobs.move(
            job.id,
            JobStatus.FAILED,
            error_code=type(error).__name__,
            error_message="Validation failed: the workflow could not be started. Start the job again.",
            error_stage=JobStatus.VALIDATING,
        )
        raise


def delete_finetuning_job(arguments: JobArguments, identity: Identity, services: Services) -> bool:
    """Starts the deletion of an ended job and everything it left; a deletion that stopped half-way starts again."""
    job = services.jobs.get(arguments.job_id)
    if job.status not in ENDED and job.status is not JobStatus.DELETING:
        raise Conflict(f"Job '{job.id}' is {job.status}. Delete it when it is COMPLETED or FAILED.")
    if job.status is JobStatus.DELETING and services.deletion.is_running(_deletion_name(job)):
        return True
    doomed = services.jobs.move(job.id, JobStatus.DELETING, deletion_attempt=job.deletion_attempt + 1)
    services.deletion.start(job.id, name=_deletion_name(doomed))
    return True


def _deletion_name(job: FinetuningJob) -> str:
    return f"{job.id}-deletion-{job.deletion_attempt}"
