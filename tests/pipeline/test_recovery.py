"""What happens when a stage comes late, a document is gone, a deletion stops half-way, or labels take long."""

from __future__ import annotations

from typing import Any

import pytest

from idp_finetuning.jobs.job import JobStatus
from idp_sdk import Job
from tests.pipeline.conftest import MOVING_STAGES
from tests.support.pipeline.driver import Finished, Pipeline

pytestmark = pytest.mark.xdist_group("pipeline")


def test_a_stage_that_comes_late_changes_nothing_on_an_ended_job(
    pipeline: Pipeline, packets: Finished, late_runs: dict[str, str]
) -> None:
    assert late_runs == dict.fromkeys(MOVING_STAGES, "StaleState")
    assert pipeline.sdk.finetuning.get_job(packets.job.id) == packets.job


def test_a_document_removed_after_validation_is_rejected_with_that_reason(lost_document: dict[str, Any]) -> None:
    assert lost_document["errorType"] == "DocumentRejected"
    assert "The file is no longer there." in lost_document["errorMessage"]


def test_a_job_without_a_usable_document_fails_before_training(hopeless: Job) -> None:
    assert hopeless.status is JobStatus.FAILED
    assert hopeless.error_stage is JobStatus.GENERATING_DATA
    assert hopeless.custom_model_deployment_arn is None


def test_a_deletion_that_stopped_half_way_is_finished_by_the_next(pipeline: Pipeline, hopeless: Job) -> None:
    assert pipeline.keys(f"jobs/{hopeless.id}/") == []


def test_labels_that_take_long_are_read_in_the_background(
    pipeline: Pipeline, read_in_background: tuple[str, dict[str, Any]]
) -> None:
    test_set_id, answer = read_in_background
    assert answer["error"]["type"] == "ValidationRunning"
    assert pipeline.sdk.finetuning.validate_test_set(test_set_id).document_count == 10
