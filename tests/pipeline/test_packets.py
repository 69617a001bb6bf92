"""Packets in the accelerator's layout: classes and boundaries of the records, and what a deletion leaves."""

from __future__ import annotations

import json
from typing import Any

import pytest

from idp_finetuning.jobs.job import JobStatus
from idp_local.bedrock.dataset import check
from idp_local.bedrock.foundation_models import MODELS
from idp_sdk import Job
from tests.support.pipeline.documents import EXPECTED
from tests.support.pipeline.driver import Finished, Pipeline

pytestmark = pytest.mark.xdist_group("pipeline")


def answers(pipeline: Pipeline, key: str) -> list[tuple[str, str]]:
    """Class and boundary of each record, in order."""
    targets = [json.loads(r["messages"][1]["content"][0]["text"]) for r in pipeline.records(key)]
    return [(target["class"], target["document_boundary"]) for target in targets]


def test_pages_of_a_packet_train_on_what_its_section_files_say(pipeline: Pipeline, packets: Finished) -> None:
    prefix = f"jobs/{packets.job.id}/"
    assert answers(pipeline, f"{prefix}dataset/train.jsonl") == EXPECTED * 9
    assert answers(pipeline, f"{prefix}dataset/validation.jsonl") == EXPECTED


@pytest.mark.parametrize("split", ["train", "validation"])
def test_both_files_of_a_v1_model_break_no_rule_of_nova(pipeline: Pipeline, packets: Finished, split: str) -> None:
    key = f"jobs/{packets.job.id}/dataset/{split}.jsonl"
    uri = f"s3://{pipeline.connection.data_bucket}/{key}"
    model = MODELS["amazon.nova-pro-v1:0:300k"]
    read = check(
        uri, [pipeline.read(key)], model, lambda image: pipeline.read(image.key), validation=split == "validation"
    )
    assert len(list(read)) == len(pipeline.records(key))


def test_a_v1_model_reports_both_losses(packets: Finished) -> None:
    assert packets.job.status is JobStatus.COMPLETED, packets.job.error_message
    assert packets.job.training_metrics
    assert packets.job.training_metrics.training_loss is not None
    assert packets.job.training_metrics.validation_loss is not None


def test_a_second_job_of_the_same_name_completes_too(packets: Finished, deleted: Job) -> None:
    assert deleted.status is JobStatus.COMPLETED, deleted.error_message
    assert deleted.custom_model_deployment_arn != packets.job.custom_model_deployment_arn


def test_the_deletion_of_a_job_leaves_nothing(pipeline: Pipeline, deleted: Job) -> None:
    versions: dict[str, Any] = pipeline.s3.list_object_versions(
        Bucket=pipeline.connection.data_bucket, Prefix=f"jobs/{deleted.id}/"
    )
    assert "Versions" not in versions
    assert "DeleteMarkers" not in versions
    deployments = pipeline.bedrock.list_custom_model_deployments()["modelDeploymentSummaries"]
    assert deleted.custom_model_deployment_arn not in [entry["customModelDeploymentArn"] for entry in deployments]
    models = pipeline.bedrock.list_custom_models()["modelSummaries"]
    assert not [entry for entry in models if deleted.id.replace("-", "") in entry["modelName"]]
