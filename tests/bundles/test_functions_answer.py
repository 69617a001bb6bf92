"""Every bundled function handles real events under AWS's runtime interface client, with nothing else installed."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from idp_finetuning.classification.classification import ClassificationResult
from idp_finetuning.classification.layout import ClassificationLayout
from idp_finetuning.deployment import FUNCTIONS
from idp_finetuning.evaluation.layout import EvaluationLayout
from idp_finetuning.evaluation.report import EvaluationReport
from idp_finetuning.jobs.job import JobStatus
from idp_finetuning.jobs.layout import JobLayout
from idp_finetuning.test_sets.keys import labels_key, last_reading_key
from idp_finetuning.test_sets.labels import Labels
from idp_finetuning.test_sets.split import Split
from idp_finetuning.training_data.dataset import DatasetReport
from stacks.bundling import BundleName
from tests.support.bundles.account import CLASSIFICATION, DOCUMENTS, JOB, LOST, MISLABELLED, UNDEPLOYED
from tests.support.bundles.isolated import isolated_python
from tests.support.bundles.story import Story, event

LAYOUT = JobLayout(job_id=JOB)
EVALUATION = EvaluationLayout(job_id=JOB, number=1)
CLASSIFIED = ClassificationLayout(classification_id=CLASSIFICATION)

ANSWERS: dict[str, Any] = {
    "Resolver": {"data": True},
    "ReadLabels": {},
    "CountPages": {"documents": DOCUMENTS, "complete": True},
    "DeleteTestSet": {},
    "ValidateTestSet": {"key": LAYOUT.manifest, "concurrency": 4},
    "GenerateExample": {},
    "RejectDocument": {},
    "AssembleDataset": {},
    "CreateCustomizationJob": {},
    "GetCustomizationJob": {"status": "Completed"},
    "CreateModelDeployment": {},
    "GetModelDeployment": {"status": "Active"},
    "CompleteJob": {},
    "PrepareEvaluation": {"key": EVALUATION.documents},
    "EvaluateDocument": {"status": "Finished", "asked": 6},
    "ScoreEvaluation": {},
    "EndEvaluation": {
        "code": "InvalidInput",
        "message": "Bedrock has no model 'a' (any more). Choose another model.",
    },
    "EndJob": {
        "code": "TestSetInvalid",
        "message": "Insufficient documents: 3 found, at least 10 needed. Add more documents to the test set.",
    },
    "ReconcileJobs": {
        **{"ended": [], "restarted": [], "failed": [], "stoppedTraining": [], "orphans": [], "removedData": []},
        "versions": {"deleted": [], "failure": None},
    },
    "DeleteModelDeployment": {},
    "DeleteCustomModel": {},
    "DeleteJobData": {},
    "ClassifyDocument": {"pages": 2, "errorCode": None, "repeated": False, "continued": False},
    "EndClassification": {"pages": 0, "errorCode": None, "repeated": True, "continued": False},
}

# The resolver returns its errors; the other functions raise theirs, which Step Functions catches by this name.
REFUSALS = {
    "ReadLabels": "InternalError",
    "CountPages": "InternalError",
    "DeleteTestSet": "InternalError",
    "ValidateTestSet": "TestSetInvalid",
    "GenerateExample": "DocumentRejected",
    "ClassifyDocument": "InternalError",
    "EndClassification": "InternalError",
    "RejectDocument": "InternalError",
    "AssembleDataset": "JobNotFound",
    "CreateCustomizationJob": "TrainingFailed",
    "GetCustomizationJob": "TrainingFailed",
    "CreateModelDeployment": "DeploymentFailed",
    "GetModelDeployment": "DeploymentFailed",
    "CompleteJob": "StaleState",
    "PrepareEvaluation": "StaleState",
    "EvaluateDocument": "InternalError",
    "ScoreEvaluation": "InternalError",
    "EndEvaluation": "InternalError",
    "EndJob": "InternalError",
    "ReconcileJobs": "InternalError",
    "DeleteModelDeployment": "Conflict",
    "DeleteCustomModel": "Conflict",
    "DeleteJobData": "Conflict",
}

LIST_IMPORTABLE = """
import sys
sys.path[:0] = sys.argv[1:3]
from pkgutil import iter_modules
outside = [p for p in sys.path if "site-packages" in p or "dist-packages" in p]
names = [m.name for folder in sys.argv[1:3] for m in iter_modules([folder])]
from importlib.util import find_spec
absent = [n for n in ("moto", "flask", "pytest", "idp_local", "stacks", "aws_cdk") if find_spec(n) is None]
import json
print(json.dumps({"outside": outside, "names": sorted(names), "absent": absent}))
"""


def test_a_function_sees_its_bundle_the_runtime_client_and_nothing_else_of_this_machine(
    native: dict[BundleName, Path], runtime_client: Path, tmp_path: Path
) -> None:
    command = isolated_python(tmp_path, LIST_IMPORTABLE, str(native["core"]), str(runtime_client))
    seen = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    assert seen["outside"] == []
    assert seen["absent"] == ["moto", "flask", "pytest", "idp_local", "stacks", "aws_cdk"]
    assert {"lambdas", "idp_finetuning", "boto3", "awslambdaric", "runtime_client"} <= set(seen["names"])
    assert "PIL" not in seen["names"]
    assert {path.name.split("-")[0].split(".")[0] for path in runtime_client.iterdir()} == {
        "awslambdaric",
        "runtime_client",
        "simplejson",
        "snapshot_restore_py",
    }


@pytest.mark.parametrize("spec", FUNCTIONS, ids=lambda spec: spec.name)
def test_a_function_answers_what_the_workflow_goes_on_with(story: Story, spec: Any) -> None:
    assert story.answer(spec.name) == ANSWERS[spec.name]


@pytest.mark.parametrize("name", [spec.name for spec in FUNCTIONS if spec.name != "Resolver"])
def test_a_failure_reaches_the_runtime_api_under_the_name_of_its_class(story: Story, name: str) -> None:
    refusal = story.refusal(name)
    assert refusal.error_type == REFUSALS[name]
    assert refusal.payload["errorMessage"]


def test_the_resolver_answers_with_data_or_with_an_error_the_api_can_show(story: Story) -> None:
    started, unknown, with_headers, users, deleted = (run.outcome.payload for run in story.runs["Resolver"])
    assert started["data"]["status"] == "VALIDATING"
    assert started["data"]["createdBy"] == event("resolver")["identity"]["username"]
    assert unknown["error"]["type"] == "JobNotFound"
    assert with_headers["error"]["type"] == "InternalError"
    assert {user["scope"] for user in users["data"]["items"]} == {"ALL"}
    assert deleted == {"data": True}
    assert {execution["jobId"] for execution in story.started} == {started["data"]["id"], JOB}


def test_jobs_that_have_stood_in_their_stage_without_a_workflow_are_ended(story: Story) -> None:
    _, every_job, _ = (run.outcome.payload for run in story.runs["ReconcileJobs"])
    assert set(every_job["ended"]) == {LOST, UNDEPLOYED}
    assert every_job["failed"] == []


def test_labels_are_read_into_the_data_bucket(story: Story) -> None:
    last = json.loads(story.labels[last_reading_key("statements")])
    content = story.labels[labels_key("statements", last["fingerprint"])]
    assert len(Labels.model_validate_json(content).documents) == DOCUMENTS


def test_a_test_set_is_deleted(story: Story) -> None:
    assert story.test_sets_left == {"statements"}


def test_events_of_a_document_are_what_the_workflow_reads_from_the_manifest(story: Story) -> None:
    assert len(story.manifest) == DOCUMENTS
    (asked,) = json.loads(story.data[EVALUATION.documents])
    assert event("evaluate_document")["document"] == asked
    for name in ("generate_example", "generate_example-refused", "reject_document"):
        document = event(name)["document"]
        assert any(document.items() <= entry.items() for entry in story.manifest), name


def test_pages_are_rendered_with_the_libraries_of_the_bundle(story: Story) -> None:
    pages = [content for key, content in story.data.items() if key.endswith(".jpeg")]
    assert len(pages) == 2 * (DOCUMENTS - 1)
    assert all(page.startswith(b"\xff\xd8\xff") for page in pages)


def test_a_document_is_classified_by_a_model_behind_converse(story: Story) -> None:
    result = ClassificationResult.model_validate_json(story.classification[CLASSIFIED.result])
    assert [page.number for page in result.pages] == [1, 2]
    assert {page.class_name for page in result.pages} <= {"invoice", "letter"}


def test_the_data_set_holds_a_record_a_page_and_names_the_document_it_had_to_leave_out(story: Story) -> None:
    report = DatasetReport.model_validate_json(story.data[LAYOUT.report])
    (rejected,) = report.rejected_documents
    assert rejected.key == f"statements/input/doc {MISLABELLED}.pdf"
    assert rejected.code == "label_mismatch"
    for split, side in ((Split.TRAIN, report.train), (Split.VALIDATION, report.validation)):
        records = story.data[LAYOUT.dataset(split)].splitlines()
        assert len(records) == side.pages > 0
        assert {json.loads(record)["schemaVersion"] for record in records} == {"bedrock-conversation-2024"}


def test_the_job_ends_with_a_deployed_model(story: Story) -> None:
    assert story.completed
    assert story.completed.status is JobStatus.COMPLETED
    assert ":custom-model-deployment/" in str(story.completed.custom_model_deployment_arn)
    assert story.completed.training_metrics
    assert story.completed.training_metrics.training_loss


def test_the_custom_model_is_scored_beside_its_base_model(story: Story) -> None:
    report = EvaluationReport.model_validate_json(story.data[EVALUATION.report])
    assert [item.kind for item in report.contestants] == [
        "CUSTOM_MODEL",
        "BASE_MODEL",
        "MAJORITY_CLASS",
        "NEAREST_PAGE",
    ]
    assert (report.documents, report.pages) == (1, 2)
    assert story.completed
    assert story.completed.evaluation
    assert story.completed.evaluation.sentence == report.sentence


def test_a_deleted_job_leaves_nothing(story: Story) -> None:
    assert story.data
    assert story.left == {}
