"""Operations that read fine-tuning jobs."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from idp_finetuning.adapters.services import Services
from idp_finetuning.errors import Conflict
from idp_finetuning.jobs.job import FinetuningJob, JobEvent, JobFilter, JobSummary
from idp_finetuning.jobs.layout import JobLayout
from idp_finetuning.operations.arguments import BaseModelId, Id, JobArguments, PageArguments
from idp_finetuning.operations.identity import Identity
from idp_finetuning.operations.lines import read_page_of_lines
from idp_finetuning.pagination import Page
from idp_finetuning.training_data.dataset import SHOWN_REJECTIONS, DatasetReport
from idp_finetuning.training_data.dataset_documents import DatasetDocument
from idp_finetuning.training_data.loss_curve import LossCurve


class ListJobsArguments(PageArguments, JobFilter):
    """Arguments of listFinetuningJobs."""

    base_model: BaseModelId | None = None
    test_set_id: Id | None = None
    name_prefix: Annotated[str, Field(min_length=1, max_length=256)] | None = None


class JobEventsArguments(PageArguments, JobArguments):
    """Arguments of listFinetuningJobEvents."""


class DatasetDocumentsArguments(PageArguments, JobArguments):
    """Arguments of listDatasetDocuments."""


def list_finetuning_jobs(arguments: ListJobsArguments, identity: Identity, services: Services) -> Page[JobSummary]:
    """Return the jobs that match, newest first."""
    return services.jobs.list(limit=arguments.size, next_token=arguments.next_token, shown=arguments)


def get_finetuning_job(arguments: JobArguments, identity: Identity, services: Services) -> FinetuningJob:
    """Return one job. Raises JobNotFound."""
    return services.jobs.get(arguments.job_id)


def get_dataset_report(arguments: JobArguments, identity: Identity, services: Services) -> DatasetReport:
    """Return what became of every document of a job. Raises Conflict while the data set is not assembled."""
    job = services.jobs.get(arguments.job_id)
    report = services.data.read_model(JobLayout(job_id=job.id).report, DatasetReport)
    if report is None:
        raise Conflict(f"Job '{job.id}' is {job.status} and has no data set report yet. Ask again once it is TRAINING.")
    shown = report.rejected_documents[:SHOWN_REJECTIONS]
    return report.model_copy(update={"rejected_documents": shown})


def get_loss_curve(arguments: JobArguments, identity: Identity, services: Services) -> LossCurve:
    """Return the losses of the training step by step. Raises Conflict until it has ended."""
    job = services.jobs.get(arguments.job_id)
    curve = services.data.read_model(JobLayout(job_id=job.id).loss_curve, LossCurve)
    if curve is None and not job.training_completed_at:
        raise Conflict(f"Job '{job.id}' is {job.status} and has no losses yet. Ask again once its training has ended.")
    return curve or LossCurve()


def list_dataset_documents(
    arguments: DatasetDocumentsArguments, identity: Identity, services: Services
) -> Page[DatasetDocument]:
    """Return what became of each document of a job, the held-out ones first. Raises Conflict if it is not known."""
    job = services.jobs.get(arguments.job_id)
    layout = JobLayout(job_id=job.id)
    page = read_page_of_lines(services.data, layout.documents, DatasetDocument, arguments)
    if not page.items:
        raise Conflict(
            f"Job '{job.id}' is {job.status} and has no list of its documents, which is made before it is TRAINING."
        )
    return page


def list_finetuning_job_events(arguments: JobEventsArguments, identity: Identity, services: Services) -> Page[JobEvent]:
    """Return the history of a job, newest first."""
    job = services.jobs.get(arguments.job_id)
    return services.jobs.events.page(job.id, limit=arguments.size, next_token=arguments.next_token)
