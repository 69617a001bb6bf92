"""Operations that read fine-tuning jobs."""

from __future__ import annotations

from idp_finetuning.adapters.services import Services
from idp_finetuning.errors import Conflict
from idp_finetuning.jobs.job import FinetuningJob, JobEvent, JobSummary
from idp_finetuning.jobs.layout import JobLayout
from idp_finetuning.operations.arguments import JobArguments, PageArguments
from idp_finetuning.operations.identity import Identity
from idp_finetuning.pagination import Page
from idp_finetuning.training_data.dataset import SHOWN_REJECTIONS, DatasetReport


class JobEventsArguments(PageArguments, JobArguments):
    """Arguments of listFinetuningJobEvents."""


def list_finetuning_jobs(arguments: PageArguments, identity: Identity, services: Services) -> Page[JobSummary]:
    """Return jobs, newest first."""
    return services.jobs.list(limit=arguments.size, next_token=arguments.next_token)


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


def list_finetuning_job_events(arguments: JobEventsArguments, identity: Identity, services: Services) -> Page[JobEvent]:
    """Return the history of a job, newest first."""
    job = services.jobs.get(arguments.job_id)
    return services.jobs.events.page(job.id, limit=arguments.size, next_token=arguments.next_token)
