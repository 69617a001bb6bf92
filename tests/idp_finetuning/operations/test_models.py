"""Models, and the preview of a data set, through the schema, every field of every answer selected."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from idp_finetuning.adapters.tables.jobs import JobTable
from idp_finetuning.adapters.tables.test_sets import TestSetTable
from idp_finetuning.evaluation.expectation import expect
from idp_finetuning.jobs.evaluation import EvaluationStatus, JobEvaluation
from idp_finetuning.jobs.job import JobStatus
from tests.support.domain.api import ApiError, call
from tests.support.domain.fake_bedrock import PREFIX, THEN, FakeBedrock
from tests.support.domain.samples import job, ready_test_set, upload_test_set


@pytest.fixture(autouse=True)
def ready(environment: dict[str, str], test_sets: TestSetTable) -> None:
    """A ready test set's record."""
    test_sets.create(ready_test_set())


def deployed(bedrock: FakeBedrock, number: int, status: str = "Active") -> str:
    """ARN of a deployment that Bedrock lists."""
    name = f"model-{number}"
    arn = f"{PREFIX}custom-model-deployment/00000000000{number}"
    bedrock.deployments[name] = {
        "customModelDeploymentArn": arn,
        "modelDeploymentName": name,
        "modelArn": f"{PREFIX}custom-model/amazon.nova-lite-v1:0:300k/00000000000{number}",
        "createdAt": THEN,
        "status": status,
    }
    return arn


def test_custom_models_are_the_deployments_of_completed_jobs_newest_first(
    jobs: JobTable, fake_bedrock: FakeBedrock
) -> None:
    for number, status in enumerate(("COMPLETED", "FAILED", "COMPLETED", "DELETING")):
        jobs.create(
            job(
                str(number),
                status=JobStatus(status),
                custom_model_deployment_arn=deployed(fake_bedrock, number),
                created_at=f"2026-11-22T10:00:0{number}.000Z",
            ),
            None,
            "",
        )
    models = call("listAvailableModels")
    assert [model["jobId"] for model in models["customModels"]] == ["2", "0"]
    assert models["customModels"][0] == {
        "id": f"{PREFIX}custom-model-deployment/000000000002",
        "name": "My classifier",
        "baseModel": "Nova Lite",
        "status": "Active",
        "jobId": "2",
    }
    assert {model["name"]: model["offered"] for model in models["baseModels"]} == {
        "Nova 2 Lite": True,
        "Nova 2 Pro": False,
        "Nova Lite v1": True,
        "Nova Pro v1": True,
    }


def test_custom_models_have_the_status_bedrock_lists_them_with_and_no_call_each(
    jobs: JobTable, fake_bedrock: FakeBedrock
) -> None:
    for number, status in enumerate(("Active", "Failed")):
        arn = deployed(fake_bedrock, number, status)
        jobs.create(job(str(number), status=JobStatus.COMPLETED, custom_model_deployment_arn=arn), None, "")
    gone = f"{PREFIX}custom-model-deployment/000000000009"
    jobs.create(job("9", status=JobStatus.COMPLETED, custom_model_deployment_arn=gone), None, "")
    shown = {model["jobId"]: model["status"] for model in call("listAvailableModels")["customModels"]}
    assert shown == {"0": "Active", "1": "Failed"}
    assert set(fake_bedrock.calls) == {"ListFoundationModels", "ListCustomModelDeployments"}


def test_models_are_listed_from_the_records_where_bedrock_does_not_answer(
    jobs: JobTable, fake_bedrock: FakeBedrock
) -> None:
    arn = f"{PREFIX}custom-model-deployment/000000000001"
    jobs.create(job("1", status=JobStatus.COMPLETED, custom_model_deployment_arn=arn), None, "")
    fake_bedrock.failures["ListFoundationModels"] = ["AccessDeniedException"]
    fake_bedrock.failures["ListCustomModelDeployments"] = ["ThrottlingException"]
    models = call("listAvailableModels")
    assert {model["offered"] for model in models["baseModels"]} == {None}
    assert [(model["id"], model["status"]) for model in models["customModels"]] == [(arn, "Active")]


def test_the_preview_counts_what_a_job_would_train_with(s3: Any) -> None:
    upload_test_set(s3)
    assert call("validateTestSetForFinetuning", testSetId="docsplit")["evaluation"] is None
    verdict = call("validateTestSetForFinetuning", testSetId="docsplit", baseModel="us.amazon.nova-lite-v1:0")
    assert verdict["evaluation"] == expect(verdict["validationCount"]).to_wire()
    assert (verdict["isValid"], verdict["errors"]) == (True, [])
    assert (verdict["documentCount"], verdict["trainCount"], verdict["validationCount"]) == (12, 11, 1)
    assert json.loads(verdict["classDistribution"]) == {"letter": 8, "invoice": 8}
    halved = call("validateTestSetForFinetuning", testSetId="docsplit", trainSplit=0.5)
    assert (halved["trainCount"], halved["validationCount"]) == (6, 6)


def test_the_preview_reads_labels_again_only_where_the_test_set_changed(s3: Any, environment: dict[str, str]) -> None:
    upload_test_set(s3)
    call("validateTestSetForFinetuning", testSetId="docsplit")
    stored = s3.list_objects_v2(Bucket="data")["KeyCount"]
    s3.put_object(Bucket="documents", Key="docsplit/baseline/sub 0/doc 0.pdf/sections/1/result.json", Body=b"broken")
    changed = call("validateTestSetForFinetuning", testSetId="docsplit")
    assert not changed["isValid"]
    assert changed["errors"] == [
        "1 document has a baseline file that is not JSON: sub 0/doc 0.pdf. Correct the labels."
    ]
    call("validateTestSetForFinetuning", testSetId="docsplit", baseModel="amazon.nova-pro-v1:0")
    assert (stored, s3.list_objects_v2(Bucket="data")["KeyCount"]) == (1, 2)


def test_a_base_model_says_what_a_job_on_it_takes_and_where_it_is_in_its_life(fake_bedrock: FakeBedrock) -> None:
    ends = datetime(2027, 3, 1, tzinfo=UTC)
    fake_bedrock.lifecycles["amazon.nova-lite-v1:0:300k"] = {"status": "LEGACY", "endOfLifeTime": ends}
    shown = {model["name"]: model for model in call("listAvailableModels")["baseModels"]}
    assert shown["Nova Lite v1"]["lifecycle"] == {"status": "LEGACY", "endOfLife": "2027-03-01T00:00:00.000Z"}
    assert shown["Nova 2 Lite"]["lifecycle"] == {"status": "ACTIVE", "endOfLife": None}
    assert shown["Nova 2 Pro"]["lifecycle"] is None
    assert [item["name"] for item in shown["Nova 2 Lite"]["hyperParameters"] if item["sent"]] == [
        "epochCount",
        "batchSize",
        "learningRate",
    ]
    assert shown["Nova Lite v1"]["hyperParameters"][2] == {
        "name": "learningRateWarmupSteps",
        "kind": "integer",
        "default": 10,
        "minimum": 0,
        "maximum": 100,
        "sent": True,
        "optional": True,
    }


def test_the_preview_counts_repeated_pages(s3: Any) -> None:
    upload_test_set(s3)
    wanted = {"testSetId": "docsplit", "baseModel": "us.amazon.nova-lite-v1:0"}
    assert call("validateTestSetForFinetuning", **wanted, repeat=4)["isValid"]
    with pytest.raises(ApiError, match="InvalidInput: repeat"):
        call("validateTestSetForFinetuning", **wanted, repeat=5)


def test_the_preview_says_what_can_be_proven_by_what_earlier_evaluations_saw(s3: Any, jobs: JobTable) -> None:
    upload_test_set(s3)
    seen = JobEvaluation(
        number=1,
        status=EvaluationStatus.COMPLETED,
        started_at="2026-11-22T12:00:00.000Z",
        documents=40,
        differing_documents=20,
    )
    jobs.create(job(status=JobStatus.COMPLETED, evaluation=seen), None, "")
    jobs.create(job("other", status=JobStatus.FAILED, evaluation=seen), None, "")
    verdict = call("validateTestSetForFinetuning", testSetId="docsplit", baseModel="us.amazon.nova-lite-v1:0")
    assert verdict["evaluation"] == expect(verdict["validationCount"], [seen]).to_wire()
    assert (verdict["evaluation"]["differingShare"], verdict["evaluation"]["earlierEvaluations"]) == (0.5, 1)
