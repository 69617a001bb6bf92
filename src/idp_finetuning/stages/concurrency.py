"""The concurrency of a job's Map, from the account's limit and the jobs that convert documents beside it."""

from __future__ import annotations

from collections.abc import Iterator

from idp_finetuning.adapters.account_limits import AccountLimits
from idp_finetuning.adapters.aws_calls import aws_calls
from idp_finetuning.adapters.lambda_handler import logger
from idp_finetuning.adapters.tables.jobs import JobTable
from idp_finetuning.errors import FinetuningError, JobNotFound
from idp_finetuning.jobs.concurrency import share_concurrency
from idp_finetuning.jobs.job import FinetuningJob, JobStatus


def choose_concurrency(job_id: str, wanted: int, *, jobs: JobTable, limits: AccountLimits) -> int:
    """Return how many documents of this job may be converted at once."""
    # A job that is being validated converts documents a moment later.
    others = [
        job.map_concurrency if job.status is JobStatus.GENERATING_DATA else None
        for job in _unfinished(jobs)
        if job.id != job_id and job.status in (JobStatus.VALIDATING, JobStatus.GENERATING_DATA)
    ]
    return share_concurrency(wanted, unreserved=_read_unreserved(limits), others=others)


def _read_unreserved(limits: AccountLimits) -> int | None:
    """Return None and log why if the limit cannot be read: a small share is better than no job."""
    try:
        with aws_calls():
            unreserved = limits.unreserved_concurrency()
    except FinetuningError as error:
        logger.warning("the account's concurrency is not known", extra={"reason": error.message})
        return None
    if unreserved is None:
        logger.warning("the account's concurrency is not known", extra={"reason": "Lambda did not say."})
    return unreserved


def _unfinished(jobs: JobTable) -> Iterator[FinetuningJob]:
    for job_id in jobs.unfinished():
        try:
            yield jobs.get(job_id)
        except JobNotFound:
            continue  # deleted meanwhile
