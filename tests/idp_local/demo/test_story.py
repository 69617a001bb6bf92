from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from io import StringIO
from typing import Any

import boto3
import pytest
from fpdf import FPDF
from moto import mock_aws

from idp_finetuning.dataset import AcceptedDocument, RejectedDocument, dataset_report
from idp_finetuning.examples import ManifestDocument, page_labels, training_record
from idp_finetuning.labels import Section
from idp_finetuning.layout import JobLayout, Split
from idp_finetuning.prompt import Boundary, DocumentClass, PageLabel, Prompt
from idp_local.demo.class_folders import IgnoredFile
from idp_local.demo.console import Console
from idp_local.demo.failure import DemoFailed
from idp_local.demo.labelled import LabelledDocument, LabelledSection
from idp_local.demo.service import FinetuningService
from idp_local.demo.story import Material, Outcome, Story
from idp_local.demo.wording import STAND_IN

ARN = "arn:aws:bedrock:us-east-1:123456789012:custom-model-deployment/abc123def456"
MODEL = {
    "id": "us.amazon.nova-2-lite-v1:0",
    "name": "Nova 2 Lite",
    "label": "recommended",
    "minimumRecords": 8,
    "validationSupported": False,
}
PROMPT = Prompt(classes=(DocumentClass(name="invoice"), DocumentClass(name="letter")))
STATES = ["GENERATING_DATA", "TRAINING", "DEPLOYING", "COMPLETED"]


def labelled(path: str, name: str) -> LabelledDocument:
    pdf = FPDF()
    pdf.add_page()
    section = LabelledSection(class_name=name, page_indices=(0,))
    return LabelledDocument(path=path, content=bytes(pdf.output()), sections=(section,))


DOCUMENTS = tuple(labelled(f"{name} {n}.pdf", name) for name in ("invoice", "letter") for n in range(10))


def classification(document: str, status: str) -> dict[str, Any]:
    page = {"number": 1, "className": "letter", "boundary": "start"}
    section = {"className": "letter", "startPage": 1, "endPage": 1}
    ended = {"pages": [page], "sections": [section]} if status == "COMPLETED" else {}
    return {
        **{"id": document, "status": status, "document": document, "configVersion": "demo-job-1", "model": ARN},
        **{"modelName": "Demo classifier", "createdBy": "a", "createdAt": "2026-11-22T10:00:00.000Z", **ended},
        "errorMessage": "The PDF is encrypted." if status == "FAILED" else None,
    }


class Pipeline:
    """A service that leaves in S3 what a job leaves: the first documents of each class are held out."""

    def __init__(self, s3: Any, held_out_each: int) -> None:
        self._s3 = s3
        self._held_out_each = held_out_each
        self._states = iter(STATES)
        self._report: dict[str, Any] = {}
        self._version = ""

    def execute(self, query: str, variables: dict[str, Any]) -> dict[str, Any]:
        name = query.split("{", 1)[1].split("(")[0].split("{")[0].strip()
        method = "_" + re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
        return {name: getattr(self, method)(variables)}

    def _create_test_set(self, variables: dict[str, Any]) -> Any:
        return {"id": variables["input"]["name"].lower()}

    def _create_test_set_uploads(self, variables: dict[str, Any]) -> Any:
        return [{"key": f["key"], "present": True, "url": None, "fields": []} for f in variables["files"]]

    def _complete_test_set(self, variables: dict[str, Any]) -> Any:
        return {"fileCount": len(DOCUMENTS)}

    def _list_available_models(self, variables: dict[str, Any]) -> Any:
        return {"baseModels": [MODEL]}

    def _validate_test_set_for_finetuning(self, variables: dict[str, Any]) -> Any:
        counts = {"documentCount": 20, "classCount": 2, "trainCount": 18, "validationCount": 2}
        distribution = json.dumps({"invoice": 10, "letter": 10})
        return {"isValid": True, **counts, "classDistribution": distribution, "warnings": [], "errors": []}

    def _start_finetuning_job(self, variables: dict[str, Any]) -> Any:
        self._run(variables["input"]["testSetId"])
        return {"id": "job-1", "status": "VALIDATING"}

    def _get_finetuning_job(self, variables: dict[str, Any]) -> Any:
        status = next(self._states)
        return {"id": "job-1", "status": status, "customModelDeploymentArn": ARN if status == "COMPLETED" else None}

    def _create_config_version(self, variables: dict[str, Any]) -> Any:
        assert variables["input"]["fromJob"] == "job-1"
        self._version = variables["input"]["name"]
        return {"name": self._version, "warnings": []}

    def _start_classification(self, variables: dict[str, Any]) -> Any:
        given = variables["input"]
        assert given["configVersion"] == self._version
        document = given.get("documentPath") or given["uploadKey"]
        return classification(document, "FAILED" if "broken" in document else "RUNNING")

    def _get_classification(self, variables: dict[str, Any]) -> Any:
        return classification(variables["id"], "COMPLETED")

    def _get_dataset_report(self, variables: dict[str, Any]) -> Any:
        return self._report

    def _run(self, test_set_id: str) -> None:
        layout = JobLayout(job_id="job-1")
        manifest = [
            ManifestDocument(
                document_id=f"{number:020}",
                key=f"{test_set_id}/input/{document.path}",
                split=Split.VALIDATION if number % 10 < self._held_out_each else Split.TRAIN,
                sections=(Section(class_name=document.sections[0].class_name, page_indices=(0,)),),
            )
            for number, document in enumerate(DOCUMENTS)
        ]
        for document in manifest[:-1]:
            image = layout.page(document.document_id, 1)
            self._put(image, document.key.encode())
            record = training_record(PROMPT, f"s3://data/{image}", page_labels(document.sections, 1)[0])
            self._put(layout.example(document.split, document.document_id), record)
        self._put(layout.prompt, PROMPT.model_dump_json(by_alias=True).encode())
        self._put(layout.manifest, json.dumps([document.to_wire() for document in manifest]).encode())
        rejected = RejectedDocument(key=manifest[-1].key, code="damaged", reason="The PDF cannot be opened.")
        accepted = [AcceptedDocument(document=document, pages=1) for document in manifest[:-1]]
        self._report = dataset_report(accepted, [rejected], []).to_wire()

    def _put(self, key: str, body: bytes) -> None:
        self._s3.put_object(Bucket="data", Key=key, Body=body)


class Models:
    """A bedrock-runtime client: the deployment answers as it is told, the base model always 'letter'."""

    def __init__(self, knows: bool) -> None:
        self._knows = knows

    def converse(self, **request: Any) -> dict[str, Any]:
        blocks = request["messages"][0]["content"]
        image: bytes = next(block["image"]["source"]["bytes"] for block in blocks if "image" in block)
        invoice = b"invoice" in image and self._knows and request["modelId"] == ARN
        answer = PageLabel(class_name="invoice" if invoice else "letter", boundary=Boundary.START).to_answer()
        return {"output": {"message": {"content": [{"text": answer}]}}}


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setattr("idp_local.demo.progress.POLL_SECONDS", 0)
    monkeypatch.setattr("idp_local.demo.service.CLASSIFICATION_POLL_SECONDS", 0)
    monkeypatch.setattr("idp_local.demo.story.upload_to_classify", lambda _service, name, _content: name)
    with mock_aws():
        client = boto3.client("s3", "us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
        client.create_bucket(Bucket="data")
        yield client


def told(
    s3: Any, *, knows: bool = True, held_out_each: int = 1, unseen: Sequence[LabelledDocument] = ()
) -> tuple[Outcome, str]:
    stream = StringIO()
    story = Story(FinetuningService(Pipeline(s3, held_out_each)), s3, Models(knows), "data", Console(stream))
    ignored = (IgnoredFile(path="notes.txt", reason="outside a class folder"),)
    outcome = story.tell(Material(name="Own", documents=DOCUMENTS, unseen=tuple(unseen), ignored=ignored))
    return outcome, stream.getvalue()


def test_a_model_that_knows_its_classes_passes_and_the_story_has_every_part(s3: Any) -> None:
    outcome, output = told(s3)
    outcome.check()
    assert (outcome.custom.classes_right, outcome.base.classes_right, outcome.majority.classes_right) == (2, 1, 1)
    parts = [
        "Test set\n",
        "Ignored files (1)\n  notes.txt  outside a class folder",
        "Test Set Validation Results:\n  Valid: Yes",
        "Base model\n  Nova 2 Lite (recommended): used",
        "Fine-tuning job\n  0:00  VALIDATING\n  0:00  GENERATING_DATA\n",
        "  Validation loss  not reported by this model",
        "Documents found 20 = accepted 19 + rejected 1",
        "  letter 9.pdf  The PDF cannot be opened.",
        "Held-out pages (2)",
        "Configuration version\n  'demo-job-1' holds the model and the prompt",
        "Documents the model has not seen (held out)\n",
        "invoice 0.pdf",
        "Classified with the configuration version, by sections\n",
        "invoice 0.pdf  1      letter",
    ]
    places = [output.find(part) for part in parts]
    assert -1 not in places, parts[places.index(-1)]
    assert places == sorted(places)
    assert output.count(STAND_IN) == 3  # losses, scores, answers


def test_a_model_no_better_than_the_majority_class_fails_the_demo(s3: Any) -> None:
    outcome, _ = told(s3, knows=False)
    with pytest.raises(
        DemoFailed, match=r"right about 1 of 2 held-out pages, always answering the majority class .* 1"
    ):
        outcome.check()


def test_a_job_that_held_nothing_out_fails_the_demo(s3: Any) -> None:
    with pytest.raises(DemoFailed, match="No page was held out"):
        told(s3, held_out_each=0)


def test_new_documents_are_classified_where_there_are_some(s3: Any) -> None:
    _, output = told(s3, unseen=[labelled("new/Brief 1.pdf", "letter")])
    assert "New documents" in output
    assert "new/Brief 1.pdf" in output
    assert "1 of 1 classes right" in output
    assert "Brief 1.pdf  1      letter" in output
    assert "(held out)\n" not in output


def test_a_new_document_that_cannot_be_classified_fails_the_demo(s3: Any) -> None:
    with pytest.raises(DemoFailed, match=r"'broken.pdf' could not be classified: The PDF is encrypted"):
        told(s3, unseen=[labelled("new/broken.pdf", "letter")])
