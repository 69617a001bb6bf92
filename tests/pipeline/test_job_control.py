"""What is paid for is used again, what was left half-way is finished, and what nobody owns is named."""

from __future__ import annotations

import pytest

from tests.pipeline.control import Controlled
from tests.pipeline.driver import Pipeline

pytestmark = pytest.mark.xdist_group("pipeline")


def test_a_retry_after_training_deploys_the_model_that_is_there(controlled: Controlled) -> None:
    assert controlled.failed_in_deployment["errorStage"] == "DEPLOYING"
    assert controlled.completed["customModelArn"] == controlled.failed_in_deployment["customModelArn"]
    assert controlled.completed["run"] == 3


def test_the_deployment_of_an_earlier_attempt_is_gone(controlled: Controlled, pipeline: Pipeline) -> None:
    found = pipeline.bedrock.list_custom_model_deployments(modelArnEquals=controlled.completed["customModelArn"])
    arns = [summary["customModelDeploymentArn"] for summary in found["modelDeploymentSummaries"]]
    assert arns == [controlled.completed["customModelDeploymentArn"]]


def test_a_deletion_whose_execution_never_ran_is_started_by_the_reconciliation(controlled: Controlled) -> None:
    assert controlled.resumed_deletion


def test_what_no_job_owns_is_named_by_its_kind(controlled: Controlled) -> None:
    paid, lost = (job_id.replace("-", "") for job_id in (controlled.paid, controlled.lost))
    assert {name.rsplit(" ", 1)[0] for name in controlled.orphans if paid in name} == {"custom model", "deployment"}
    assert {name.rsplit(" ", 1)[0] for name in controlled.orphans if lost in name} == {"customization job"}
