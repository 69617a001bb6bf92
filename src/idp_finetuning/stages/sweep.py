"""What no job owns: stop its training, remove data of deleted jobs, and report the rest."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from idp_finetuning.adapters.bedrock import Bedrock
from idp_finetuning.adapters.bedrock_account import NamedResource
from idp_finetuning.adapters.buckets import DataBucket
from idp_finetuning.adapters.tables.jobs import JobTable
from idp_finetuning.errors import JobNotFound
from idp_finetuning.jobs.bedrock_names import is_job_id, job_id_in
from idp_finetuning.jobs.job import ENDED, FinetuningJob
from idp_finetuning.jobs.layout import JOBS_PREFIX, JobLayout
from idp_finetuning.jobs.ownership import is_abandoned
from idp_finetuning.wire import WireModel


class SweepResult(WireModel):
    """Names of trainings it stopped and of orphans it left alone, and ids of deleted jobs whose data it removed."""

    stopped_training: tuple[str, ...] = ()
    orphans: tuple[str, ...] = ()
    removed_data: tuple[str, ...] = ()


def sweep(
    *, jobs: JobTable, bedrock: Bedrock, data: DataBucket, deployment_name: str, older_than: timedelta
) -> SweepResult:
    """Examine this deployment's resources in Bedrock and the data of all jobs, if older than this.

    A training is stopped if its job is gone, or was ended by a user or a deadline. That of a job that failed otherwise
    is only named: a retry adopts it.
    """
    stopped, orphans = [], []
    for found in bedrock.named_resources(older_than=older_than):
        owner = _find_owner(found.name, jobs)
        if owner and (_is_unfinished(owner) or _owns(owner, found)):
            continue
        if not bedrock.is_of(deployment_name, found.arn):
            continue
        # A retry may adopt it at any time; if it does so after this check, the job fails and can be retried.
        if found.is_training and is_abandoned(_find_owner(found.name, jobs)):
            bedrock.stop_customization_job(found.arn)
            stopped.append(found.name)
        elif not _is_unfinished(_find_owner(found.name, jobs)):
            orphans.append(f"{found.kind} {found.name}")
    removed = []
    latest = datetime.now(UTC) - older_than
    for layout in _data_without_job(jobs, data):
        # First, because it takes two calls at every pass, and to list all versions of a whole job takes dozens.
        if _lost_its_record(layout, data):
            orphans.append(f"data {layout.prefix}")
        elif not data.was_written_since(layout.prefix, latest):
            data.delete_prefix(layout.prefix)
            removed.append(layout.job_id)
    return SweepResult(stopped_training=tuple(stopped), orphans=tuple(orphans), removed_data=tuple(removed))


def _data_without_job(jobs: JobTable, data: DataBucket) -> Iterator[JobLayout]:
    known = set(jobs.ids())
    for job_id in data.folders(JOBS_PREFIX):
        if job_id not in known and is_job_id(job_id) and not _find(job_id, jobs):
            yield JobLayout(job_id=job_id)


def _lost_its_record(layout: JobLayout, data: DataBucket) -> bool:
    """Check whether the record was lost rather than deleted: a lost table must not take paid training with it.

    A function still running when its job was deleted may write afterwards, but no function writes both of these.
    """
    return all(any(file.key == key for file in data.list(key)) for key in (layout.manifest, layout.report))


def _find_owner(name: str, jobs: JobTable) -> FinetuningJob | None:
    job_id = job_id_in(name)
    return _find(job_id, jobs) if job_id else None


def _find(job_id: str, jobs: JobTable) -> FinetuningJob | None:
    try:
        return jobs.get(job_id)
    except JobNotFound:
        return None


def _is_unfinished(job: FinetuningJob | None) -> bool:
    return job is not None and job.status not in ENDED


def _owns(job: FinetuningJob, found: NamedResource) -> bool:
    """Return whether an ended job has the resource; a training that still runs is nobody's then."""
    return not found.is_training and found.name in (job.training_name, job.deployment_name)
