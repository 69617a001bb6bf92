"""What is paid for is used again, what was left half-way is finished, and what nobody owns is named."""

from __future__ import annotations

import pytest

from idp_finetuning.jobs.bedrock_names import job_id_in
from tests.support.local.call_log import calls
from tests.support.pipeline.control import Controlled
from tests.support.pipeline.driver import Pipeline

pytestmark = pytest.mark.xdist_group("pipeline")


def test_a_retry_after_training_deploys_the_model_that_is_there(controlled: Controlled) -> None:
    assert controlled.failed_in_deployment["errorStage"] == "DEPLOYING"
    assert controlled.completed["customModelArn"] == controlled.failed_in_deployment["customModelArn"]
    assert controlled.completed["run"] == 3


def test_the_deployment_of_an_earlier_attempt_is_gone(controlled: Controlled, pipeline: Pipeline) -> None:
    found = pipeline.bedrock.list_custom_model_deployments(modelArnEquals=controlled.completed["customModelArn"])
    arns = [summary["customModelDeploymentArn"] for summary in found["modelDeploymentSummaries"]]
    assert arns == [controlled.completed["customModelDeploymentArn"]]


def test_a_job_whose_execution_was_aborted_in_training_completes_with_that_training(
    controlled: Controlled, pipeline: Pipeline
) -> None:
    assert (controlled.resumed["status"], controlled.resumed["run"]) == ("COMPLETED", 2)
    arn = controlled.resumed["customizationJobArn"]
    assert pipeline.bedrock.get_model_customization_job(jobIdentifier=arn)["status"] == "Completed"
    stopped = [
        call.parameters["jobIdentifier"]
        for call in calls(pipeline.directory)
        if call.operation == "StopModelCustomizationJob"
    ]
    assert arn not in stopped


def test_a_deletion_whose_execution_never_ran_is_started_by_the_reconciliation(controlled: Controlled) -> None:
    assert controlled.resumed_deletion


def test_what_no_job_owns_is_named_by_its_kind(controlled: Controlled) -> None:
    in_bedrock = [name for name in controlled.orphans if not name.startswith("data ")]
    assert {name.rsplit(" ", 1)[0] for name in in_bedrock} == {"custom model", "deployment"}
    assert {job_id_in(name) for name in in_bedrock} == {controlled.paid}
    data = {f"data jobs/{job_id}/" for job_id in (controlled.paid, controlled.lost)}
    assert data == set(controlled.orphans) - set(in_bedrock)


def test_training_nobody_waits_for_is_stopped(controlled: Controlled, pipeline: Pipeline) -> None:
    (name,) = controlled.stopped_training
    assert job_id_in(name) == controlled.lost
    assert pipeline.bedrock.get_model_customization_job(jobIdentifier=name)["status"] in ("Stopping", "Stopped")


def test_what_was_written_after_a_deletion_is_removed(controlled: Controlled, pipeline: Pipeline) -> None:
    assert set(controlled.deleted) <= set(controlled.removed_data)
    assert not [key for job_id in controlled.deleted for key in pipeline.keys(f"jobs/{job_id}/")]
    assert pipeline.keys(f"jobs/{controlled.lost}/") != []
