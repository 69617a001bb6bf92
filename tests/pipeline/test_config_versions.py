"""A version of a finished job: it carries the job's prompt, keeps the job, trains another, and is seen in scope."""

from __future__ import annotations

import pytest

from idp_finetuning.jobs.layout import JobLayout
from idp_finetuning.nova.prompt import TASK_PROMPT, Prompt
from tests.support.pipeline.driver import Finished, Pipeline
from tests.support.pipeline.versioned import DESCRIPTION, NAME, SYSTEM_PROMPT, Versioned

pytestmark = pytest.mark.xdist_group("pipeline")


def test_a_version_of_a_job_carries_its_deployment_and_its_prompt(
    pipeline: Pipeline, packets: Finished, versioned: Versioned
) -> None:
    config = versioned.made["classification"]
    trained = Prompt.model_validate_json(pipeline.read(JobLayout(job_id=packets.job.id).prompt))
    assert config["model"] == packets.job.custom_model_deployment_arn
    assert config["jobId"] == packets.job.id
    assert config["systemPrompt"] == trained.system_prompt
    assert config["classes"] == [item.to_wire() for item in trained.classes]
    assert versioned.made["warnings"] == []


def test_a_change_away_from_the_trained_prompt_is_warned_of(versioned: Versioned) -> None:
    (warning,) = versioned.changed["warnings"]
    assert warning.startswith("The system prompt and classes or their descriptions are not what the model of job")
    assert (versioned.activated["active"], versioned.activated["warnings"]) == (True, [warning])


def test_a_job_trains_with_the_prompt_and_the_descriptions_of_its_version(
    packets: Finished, versioned: Versioned
) -> None:
    assert versioned.job_version == NAME
    assert (versioned.job_prompt.system_prompt, versioned.job_prompt.task_prompt) == (SYSTEM_PROMPT, TASK_PROMPT)
    labelled = {section.class_name for document in packets.documents for section in document.sections}
    assert {item.name: item.description for item in versioned.job_prompt.classes} == dict.fromkeys(
        labelled, DESCRIPTION
    )


def test_a_job_whose_model_is_used_is_not_deleted(versioned: Versioned) -> None:
    assert versioned.deletion_of_job
    assert f"'{NAME}'" in versioned.deletion_of_job


def test_a_scoped_author_makes_and_sees_what_is_listed(versioned: Versioned) -> None:
    own = f"{NAME}-2"
    assert versioned.scoped == {
        "email": "author@example.com",
        "groups": ["Author"],
        "scope": "LISTED",
        "allowedConfigVersions": [NAME, own],
    }
    assert versioned.seen_by_scoped == (own, NAME)
    assert {NAME, own, "default"} <= set(versioned.listed)


def test_an_admin_sees_everyone_of_the_user_pool(pipeline: Pipeline, versioned: Versioned) -> None:
    assert {user.username for user in pipeline.connection.users} <= set(versioned.users)
