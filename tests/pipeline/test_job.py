"""A fine-tuning job from labelled documents to a deployed model, seen through the API and in S3."""

from __future__ import annotations

import hashlib
import json
import re
from collections import defaultdict
from typing import Any

import pytest

from idp_finetuning.jobs.job import JobStatus
from idp_finetuning.training_data.page_notes import split_notes
from idp_local.bedrock.dataset import check
from idp_local.bedrock.foundation_models import MODELS
from tests.pipeline.conftest import JOB_NAME
from tests.support.pipeline.driver import Finished, Pipeline
from tests.support.pipeline.guide import operation, selected

pytestmark = pytest.mark.xdist_group("pipeline")


def test_a_job_goes_through_every_status_of_the_guide(finished: Finished) -> None:
    assert finished.followed.seen == (
        JobStatus.VALIDATING,
        JobStatus.GENERATING_DATA,
        JobStatus.TRAINING,
        JobStatus.DEPLOYING,
        JobStatus.COMPLETED,
    )


def test_the_custom_model_beats_the_majority_class_on_held_out_pages(pipeline: Pipeline, finished: Finished) -> None:
    custom, majority = pipeline.scores(finished.job)
    assert custom.pages == majority.pages > 20
    assert custom.accuracy > majority.accuracy + 0.3


def test_every_document_is_accepted_or_rejected_with_its_reason(pipeline: Pipeline, finished: Finished) -> None:
    report = pipeline.sdk.finetuning.report(finished.job.id)
    reasons = {rejected.key.split("/input/")[1]: rejected.code for rejected in report.rejected_documents}
    assert report.found == len(finished.documents) == report.accepted + report.rejected
    assert reasons == {"bad/no pages.pdf": "damaged", "bad/cut off.pdf": "damaged"}


def test_no_page_image_stands_on_both_sides_of_the_split(pipeline: Pipeline, finished: Finished) -> None:
    sides: defaultdict[str, set[str]] = defaultdict(set)
    for split in ("train", "validation"):
        for key in pipeline.keys(f"jobs/{finished.job.id}/examples/{split}/"):
            _, records = split_notes(pipeline.read(key))
            for record in map(json.loads, records.splitlines()):
                uri = record["messages"][0]["content"][1]["image"]["source"]["s3Location"]["uri"]
                page = pipeline.read(uri.removeprefix(f"s3://{pipeline.connection.data_bucket}/"))
                sides[hashlib.sha256(page).hexdigest()].add(split)
    assert {"train"} in sides.values()
    assert {"validation"} in sides.values()
    assert {"train", "validation"} not in sides.values()


def test_the_training_data_breaks_no_rule_of_nova(pipeline: Pipeline, finished: Finished) -> None:
    key = f"jobs/{finished.job.id}/dataset/train.jsonl"
    uri = f"s3://{pipeline.connection.data_bucket}/{key}"
    model = MODELS["amazon.nova-2-lite-v1:0:256k"]
    records = list(check(uri, [pipeline.read(key)], model, lambda image: pipeline.read(image.key)))
    assert len(records) == pipeline.sdk.finetuning.report(finished.job.id).train.pages >= 200


def test_nova_2_gets_no_validation_file_and_reports_no_validation_loss(pipeline: Pipeline, finished: Finished) -> None:
    assert f"jobs/{finished.job.id}/dataset/validation.jsonl" not in pipeline.keys(f"jobs/{finished.job.id}/dataset/")
    assert finished.job.training_metrics
    assert finished.job.training_metrics.training_loss is not None
    assert finished.job.training_metrics.validation_loss is None


def test_the_guides_queries_answer_every_field_they_select(pipeline: Pipeline, finished: Finished) -> None:
    data = pipeline.client.execute(operation("GetFinetuningJob"), {"jobId": finished.job.id})["getFinetuningJob"]
    assert set(data) == set(selected("GetFinetuningJob"))
    assert {name for name, value in data.items() if value is None} == {"errorMessage"}
    assert data["jobName"] == JOB_NAME
    assert data["baseModel"] == "us.amazon.nova-2-lite-v1:0"
    assert all(data[name].endswith("Z") for name in data if name.endswith("At"))

    validation = pipeline.client.execute(operation("ValidateTestSet"), {"testSetId": finished.test_set_id})
    verdict = validation["validateTestSetForFinetuning"]
    assert verdict["isValid"] is True
    assert verdict["trainCount"] + verdict["validationCount"] == verdict["documentCount"] == len(finished.documents)

    models = pipeline.client.execute(operation("ListAvailableModels"))["listAvailableModels"]
    custom = next(model for model in models["customModels"] if model["name"] == JOB_NAME)
    assert custom["id"] == data["customModelDeploymentArn"]
    assert (custom["baseModel"], custom["status"]) == ("Nova 2 Lite", "Active")
    assert [model["name"] for model in models["baseModels"]] == [
        "Nova 2 Lite",
        "Nova 2 Pro",
        "Nova Lite v1",
        "Nova Pro v1",
    ]

    page = pipeline.client.execute(operation("ListFinetuningJobs"), {"limit": 1})["listFinetuningJobs"]
    assert len(page["items"]) == 1


def test_names_in_bedrock_are_legal_and_the_job_is_tagged(pipeline: Pipeline, finished: Finished) -> None:
    query = "query ($id: ID!) { getFinetuningJob(jobId: $id) { customizationJobArn customModelArn } }"
    job = pipeline.client.execute(query, {"id": finished.job.id})["getFinetuningJob"]
    bedrock_job = pipeline.bedrock.get_model_customization_job(jobIdentifier=job["customizationJobArn"])
    legal = re.compile(r"[0-9a-zA-Z](-?[0-9a-zA-Z])*")
    assert legal.fullmatch(bedrock_job["jobName"])
    assert legal.fullmatch(bedrock_job["outputModelName"])
    tags: list[dict[str, Any]] = pipeline.bedrock.list_tags_for_resource(resourceARN=job["customModelArn"])["tags"]
    assert {"key": "idp-finetuning:job-id", "value": finished.job.id} in tags
