"""Completed jobs, users and configuration versions that tests start from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from idp_finetuning.adapters.buckets import DataBucket
from idp_finetuning.adapters.tables.jobs import JobTable
from idp_finetuning.jobs.job import FinetuningJob, JobStatus
from idp_finetuning.jobs.layout import JobLayout
from idp_finetuning.nova.prompt import DocumentClass, Prompt
from tests.idp_finetuning.conftest import client
from tests.support.domain.fake_bedrock import PREFIX
from tests.support.domain.samples import job

CLASSES = (DocumentClass(name="invoice", description="Asks for money."), DocumentClass(name="letter"))
TRAINED = Prompt(system_prompt="You sort post.", classes=CLASSES)


def completed_job(
    jobs: JobTable, data: DataBucket, job_id: str = "6f1c2b1e-0000-4000-8000-000000000001", **changes: Any
) -> FinetuningJob:
    """A job that ended with a deployed model, and the prompt it trained with."""
    deployment = f"{PREFIX}custom-model-deployment/{job_id[-12:]}"
    made = jobs.create(
        job(job_id, status=JobStatus.COMPLETED, custom_model_deployment_arn=deployment, **changes), None, ""
    )
    data.write_model(JobLayout(job_id=made.id).prompt, TRAINED)
    return made


def new_user(user_pool: str, email: str, groups: Sequence[str] = ("Author",)) -> str:
    """Id (`sub`) of a new user of the pool who has never signed in."""
    cognito = client("cognito-idp")
    made = cognito.admin_create_user(
        UserPoolId=user_pool,
        Username=email,
        UserAttributes=[{"Name": "email", "Value": email}],
        MessageAction="SUPPRESS",
    )["User"]
    for group in groups:
        cognito.admin_add_user_to_group(UserPoolId=user_pool, Username=made["Username"], GroupName=group)
    return next(str(entry["Value"]) for entry in made["Attributes"] if entry["Name"] == "sub")
