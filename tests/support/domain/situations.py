"""Jobs as they stand at each stage, with what Bedrock has of them by then."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from idp_finetuning.adapters.bedrock import Bedrock
from idp_finetuning.adapters.buckets import DataBucket
from idp_finetuning.adapters.tables.jobs import JobTable
from idp_finetuning.jobs.job import FinetuningJob, JobEvent, JobStatus
from idp_finetuning.jobs.life import Outcome
from idp_finetuning.stages.deploy import create_model_deployment
from idp_finetuning.stages.train import create_customization_job, get_customization_job
from idp_finetuning.wire import timestamp
from tests.idp_finetuning.conftest import client
from tests.support.domain.fake_bedrock import FakeBedrock
from tests.support.domain.samples import job

ROLE = "arn:aws:iam::123456789012:role/bedrock"


def ago(**span: float) -> str:
    """A moment before now."""
    return timestamp(datetime.now(UTC) - timedelta(**span))


def placed(jobs: JobTable, status: str, job_id: str = job().id, **changes: Any) -> FinetuningJob:
    """A job in a status, recorded a moment ago."""
    recent = {"created_at": timestamp(), "updated_at": timestamp(), "stage_started_at": timestamp()}
    return jobs.create(job(job_id, status=JobStatus(status), **(recent | changes)), None, "")


def rewrite(jobs: JobTable, job_id: str, **fields: Any) -> FinetuningJob:
    """Changes the record in a way that no stage or operation does."""
    return jobs.update(job_id, lambda job: Outcome(job.model_copy(update={**fields, "revision": job.revision + 1})))


def training(jobs: JobTable, fake_bedrock: FakeBedrock, job_id: str = job().id, **changes: Any) -> FinetuningJob:
    """A job whose customization job is in progress."""
    made = placed(jobs, "GENERATING_DATA", job_id, **changes)
    bedrock = Bedrock(fake_bedrock)
    create_customization_job(
        made.current_run, jobs=jobs, bedrock=bedrock, data_bucket="data", role_arn=ROLE, deployment_name="t"
    )
    return jobs.get(made.id)


def trained(jobs: JobTable, fake_bedrock: FakeBedrock, **changes: Any) -> FinetuningJob:
    """A job whose custom model is there."""
    made = training(jobs, fake_bedrock, **changes)
    fake_bedrock.train(made.training_name)
    data = DataBucket(client("s3"), "data")
    get_customization_job(made.current_run, jobs=jobs, bedrock=Bedrock(fake_bedrock), data=data)
    return jobs.get(made.id)


def deploying(jobs: JobTable, fake_bedrock: FakeBedrock, deployment: str = "Creating", **changes: Any) -> FinetuningJob:
    """A job whose deployment is in this status."""
    made = trained(jobs, fake_bedrock, **changes)
    create_model_deployment(made.current_run, jobs=jobs, bedrock=Bedrock(fake_bedrock), deployment_name="t")
    fake_bedrock.deployments[made.deployment_name]["status"] = deployment
    return jobs.get(made.id)


def standing(jobs: JobTable, fake_bedrock: FakeBedrock, status: str) -> FinetuningJob:
    """A job in one of the four stages, with what Bedrock has by then."""
    if status == "TRAINING":
        return training(jobs, fake_bedrock)
    return deploying(jobs, fake_bedrock) if status == "DEPLOYING" else placed(jobs, status)


def history(jobs: JobTable, job_id: str = job().id) -> list[JobEvent]:
    """The history of a job, oldest first."""
    return list(reversed(jobs.events.page(job_id, limit=100, next_token=None).items))


def messages(jobs: JobTable, job_id: str = job().id) -> list[str]:
    """The messages of its history, oldest first."""
    return [event.message for event in history(jobs, job_id)]
