"""ValidateTestSet warns where the account is near Bedrock's quotas, and nothing more comes of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from idp_finetuning.adapters.tables.jobs import JobTable
from tests.support.domain.fake_account import FakeServiceQuotas
from tests.support.domain.fake_bedrock import PREFIX, FakeBedrock
from tests.support.domain.pipeline import Pipeline
from tests.support.domain.samples import job


def about_the_account(jobs: JobTable) -> list[str]:
    """The job's warnings that are about the account."""
    return [words for words in jobs.get(job().id).warnings if "this account" in words.lower()]


def test_an_account_full_of_models_is_a_warning_of_the_job(
    pipeline: Pipeline, jobs: JobTable, fake_bedrock: FakeBedrock, event: dict[str, Any]
) -> None:
    arn = f"{PREFIX}custom-model/amazon.nova-lite-v1:0:300k/"
    fake_bedrock.models = {f"model-{number}": f"{arn}{number:012d}" for number in range(99)}
    pipeline.run("ValidateTestSet", event, times=2)
    (warning,) = about_the_account(jobs)
    assert warning.startswith(
        "This account holds 99 custom models, and the quota is 100, as Service Quotas says. Delete"
    )
    assert fake_bedrock.requests["ListCustomModels"][0] == {"isOwned": True}
    asked = fake_bedrock.requests["ListModelCustomizationJobs"][0]
    assert asked.keys() == {"creationTimeAfter"}
    assert timedelta(days=30) < datetime.now(UTC) - asked["creationTimeAfter"] < timedelta(days=365)


@pytest.mark.parametrize("code", ["AccessDeniedException", "TooManyRequestsException", "NoSuchResourceException"])
def test_quotas_that_cannot_be_asked_for_are_those_of_the_file(
    pipeline: Pipeline,
    jobs: JobTable,
    fake_bedrock: FakeBedrock,
    fake_service_quotas: FakeServiceQuotas,
    event: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
    code: str,
) -> None:
    arn = f"{PREFIX}custom-model/amazon.nova-lite-v1:0:300k/"
    fake_bedrock.models = {f"model-{number}": f"{arn}{number:012d}" for number in range(99)}
    fake_service_quotas.failure = code
    pipeline.run("ValidateTestSet", event, times=2)
    (warning,) = about_the_account(jobs)
    assert "Service Quotas could not be asked, so quotas.json says so." in warning
    (line,) = (record for record in caplog.records if record.getMessage() == "Service Quotas could not be asked")
    assert line.levelname == "WARNING"
    assert code in line.__dict__["reason"]


def test_an_account_with_room_is_no_warning(pipeline: Pipeline, jobs: JobTable, event: dict[str, Any]) -> None:
    pipeline.run("ValidateTestSet", event)
    assert about_the_account(jobs) == []


@pytest.mark.parametrize("code", ["AccessDeniedException", "ThrottlingException"])
@pytest.mark.parametrize("operation", ["ListCustomModels", "ListModelCustomizationJobs", "ListCustomModelDeployments"])
def test_a_list_that_fails_is_a_warning_and_the_job_goes_on(
    pipeline: Pipeline, jobs: JobTable, fake_bedrock: FakeBedrock, event: dict[str, Any], operation: str, code: str
) -> None:
    fake_bedrock.failures[operation] = [code]
    pipeline.run("ValidateTestSet", event)
    (warning,) = about_the_account(jobs)
    assert warning.startswith("How near this account is to Bedrock's quotas could not be checked: ")
    assert jobs.get(job().id).status == "GENERATING_DATA"
