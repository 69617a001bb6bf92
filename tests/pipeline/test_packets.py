"""Packets in the accelerator's layout: classes and boundaries of the records, and what a deletion leaves."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Sequence
from typing import Any

import pytest
from fpdf import FPDF

from idp_finetuning.jobs import JobStatus
from idp_local.client import GraphQLError
from idp_local.demo.labelled import LabelledDocument, LabelledSection
from tests.nova_rules import check_dataset
from tests.pipeline.conftest import Finished, Pipeline
from tests.pipeline.test_job import operation

pytestmark = pytest.mark.xdist_group("pipeline")

# Class of each page and whether it starts a document, as the section files below say.
EXPECTED = [
    ("letter", "start"),
    ("invoice", "start"),
    ("letter", "continue"),
    ("invoice", "continue"),
    ("receipt", "start"),
    ("receipt", "start"),
]
SECTIONS = (
    LabelledSection(class_name="letter", page_indices=(0, 2)),  # not consecutive
    LabelledSection(class_name="invoice", page_indices=(3, 1)),  # not in order
    LabelledSection(class_name="receipt", page_indices=(4,)),
    LabelledSection(class_name="receipt", page_indices=(5,)),
)


def pdf(texts: Sequence[str]) -> bytes:
    """A PDF with a page a text."""
    document = FPDF(format=(100, 140))
    document.set_font("Helvetica", size=14)
    for text in texts:
        document.add_page()
        document.multi_cell(80, 8, text)
    buffer = io.BytesIO()
    document.output(buffer)
    return buffer.getvalue()


@pytest.fixture(scope="session")
def packets(pipeline: Pipeline) -> Finished:
    """A Nova Pro v1 job on ten packets whose pages are labelled out of order."""
    documents = tuple(
        LabelledDocument(
            path=f"sub folder/packet {number} – ü.pdf",
            content=pdf([f"packet {number} page {page} {name} {boundary}" for page, (name, boundary) in pages]),
            sections=SECTIONS,
        )
        for number in range(10)
        for pages in [list(enumerate(EXPECTED))]
    )
    test_set_id = pipeline.upload("Packets", documents)
    followed = pipeline.run(testSetId=test_set_id, baseModel="amazon.nova-pro-v1:0", jobName="x" * 200)
    return Finished(followed=followed, documents=documents, test_set_id=test_set_id)


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
    content = pipeline.read(f"jobs/{packets.job.id}/dataset/{split}.jsonl")
    problems = check_dataset(
        content,
        model="amazon.nova-pro-v1:0:300k",
        bucket=pipeline.connection.data_bucket,
        read_object=pipeline.read,
        validation=split == "validation",
    )
    assert problems == []


def test_a_v1_model_reports_both_losses(packets: Finished) -> None:
    assert packets.job.status is JobStatus.COMPLETED, packets.job.error_message
    assert packets.job.training_metrics
    assert packets.job.training_metrics.training_loss is not None
    assert packets.job.training_metrics.validation_loss is not None


def test_a_second_job_of_the_same_name_completes_too(pipeline: Pipeline, packets: Finished) -> None:
    again = pipeline.run(testSetId=packets.test_set_id, baseModel="amazon.nova-pro-v1:0", jobName="x" * 200)
    assert again.state.status is JobStatus.COMPLETED, again.state.error_message
    assert again.state.custom_model_deployment_arn != packets.job.custom_model_deployment_arn
    delete_and_wait(pipeline, again.state.id)
    assert_nothing_left(pipeline, again.state.id, again.state.custom_model_deployment_arn)


def delete_and_wait(pipeline: Pipeline, job_id: str) -> None:
    assert pipeline.client.execute(operation("DeleteFinetuningJob"), {"jobId": job_id}) == {"deleteFinetuningJob": True}
    for _ in range(120):
        try:
            pipeline.service.job(job_id)
        except GraphQLError as gone:
            if gone.error_type == "JobNotFound":
                return
            raise
        time.sleep(0.5)
    pytest.fail("the job was not deleted")


def assert_nothing_left(pipeline: Pipeline, job_id: str, deployment_arn: str | None) -> None:
    versions: dict[str, Any] = pipeline.s3.list_object_versions(
        Bucket=pipeline.connection.data_bucket, Prefix=f"jobs/{job_id}/"
    )
    assert "Versions" not in versions
    assert "DeleteMarkers" not in versions
    deployments = pipeline.bedrock.list_custom_model_deployments()["modelDeploymentSummaries"]
    assert deployment_arn not in [entry["customModelDeploymentArn"] for entry in deployments]
    models = pipeline.bedrock.list_custom_models()["modelSummaries"]
    assert not [entry for entry in models if job_id.replace("-", "") in entry["modelName"]]
