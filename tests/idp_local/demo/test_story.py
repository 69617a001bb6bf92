from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import boto3
import pytest
from fpdf import FPDF
from moto import mock_aws

from idp_cli.session import STAND_IN
from idp_finetuning.jobs.layout import JobLayout
from idp_finetuning.nova.prompt import Boundary, DocumentClass, PageLabel, Prompt
from idp_finetuning.test_sets.sections import Section
from idp_finetuning.test_sets.split import Split
from idp_finetuning.training_data.dataset import AcceptedDocument, RejectedDocument, dataset_report
from idp_finetuning.training_data.examples import ManifestDocument, page_labels, training_record
from idp_local.demo.failure import DemoFailed
from idp_local.demo.story import Material, Outcome, Story
from idp_sdk import IgnoredFile, LabelledDocument, LabelledSection
from tests.support.sdk.answers import classification, config_version, job, labelled_set, validation
from tests.support.sdk.deployment import BUCKET_URL, Deployment

ARN = "arn:aws:bedrock:us-east-1:123456789012:custom-model-deployment/abc123def456"
MODEL = {
    "id": "us.amazon.nova-2-lite-v1:0",
    "name": "Nova 2 Lite",
    "provider": "Amazon",
    "label": "recommended",
    "minimumRecords": 8,
    "maximumRecords": 20_000,
    "validationSupported": False,
    "hyperParameters": [],
}
PROMPT = Prompt(classes=(DocumentClass(name="invoice"), DocumentClass(name="letter")))
STATES = ["GENERATING_DATA", "TRAINING", "DEPLOYING", "COMPLETED"]


def labelled(path: str, name: str) -> LabelledDocument:
    pdf = FPDF()
    pdf.add_page()
    section = LabelledSection(class_name=name, page_indices=(0,))
    return LabelledDocument(path=path, content=bytes(pdf.output()), sections=(section,))


DOCUMENTS = tuple(labelled(f"{name} {n}.pdf", name) for name in ("invoice", "letter") for n in range(10))


def classified(document: str, status: str) -> dict[str, Any]:
    page = {"number": 1, "className": "letter", "boundary": "start"}
    section = {"className": "letter", "startPage": 1, "endPage": 1}
    ended = {"pages": [page], "sections": [section]} if status == "COMPLETED" else {}
    reason = "The PDF is encrypted." if status == "FAILED" else None
    return classification(status, id=document, document=document, errorMessage=reason, **ended)


class Pipeline(Deployment):
    """A deployment that leaves in S3 what a job leaves: the first documents of each class are held out."""

    def __init__(self, s3: Any, held_out_each: int) -> None:
        super().__init__()
        self._s3 = s3
        self._held_out_each = held_out_each
        self._report: dict[str, Any] = {}
        self._version = ""
        self.answers = {
            "createTestSet": labelled_set("UPLOADING", id="own"),
            "createTestSetUploads": self.uploads("own/"),
            "completeTestSet": labelled_set(id="own", fileCount=len(DOCUMENTS)),
            "listAvailableModels": {"baseModels": [MODEL], "customModels": []},
            "validateTestSetForFinetuning": validation(documentCount=len(DOCUMENTS)),
            "createFinetuningJob": self._start,
            "getFinetuningJob": [
                job(
                    status, customModelDeploymentArn=ARN, trainingMetrics={"trainingLoss": 0.05, "validationLoss": None}
                )
                for status in STATES
            ],
            "getDatasetReport": lambda _: self._report,
            "createConfigVersion": self._create_version,
            "createClassificationUpload": self._create_upload,
            "startClassification": self._classify,
            "getClassification": lambda arguments: classified(arguments["classificationId"], "COMPLETED"),
        }

    def _start(self, arguments: dict[str, Any]) -> object:
        self._run(arguments["input"]["testSetId"])
        return job()

    def _create_version(self, arguments: dict[str, Any]) -> object:
        assert arguments["input"]["fromJob"] == "job-1"
        self._version = arguments["input"]["name"]
        return config_version(self._version)

    def _create_upload(self, arguments: dict[str, Any]) -> object:
        key = arguments["input"]["fileName"]
        return {"key": key, "url": BUCKET_URL, "fields": [{"name": "key", "value": key}]}

    def _classify(self, arguments: dict[str, Any]) -> object:
        given = arguments["input"]
        assert given["configVersion"] == self._version
        document = given.get("documentPath") or given["uploadKey"]
        return classified(document, "FAILED" if "broken" in document else "RUNNING")

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
    monkeypatch.setattr("idp_local.demo.story.CLASSIFICATION_POLL_SECONDS", 0)
    with mock_aws():
        client = boto3.client("s3", "us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
        client.create_bucket(Bucket="data")
        yield client


def tell(s3: Any, *, knows: bool = True, held_out_each: int = 1, unseen: Sequence[LabelledDocument] = ()) -> Outcome:
    story = Story(Pipeline(s3, held_out_each).signed_in(), s3, Models(knows), "data")
    ignored = (IgnoredFile(path="notes.txt", reason="outside a class folder"),)
    return story.run(Material(name="Own", documents=DOCUMENTS, unseen=tuple(unseen), ignored=ignored))


def test_a_model_that_knows_its_classes_passes_and_the_story_has_every_part(
    s3: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    outcome = tell(s3, held_out_each=7)
    output, shown_apart = capsys.readouterr()
    outcome.require_better()
    assert (outcome.comparison.units, outcome.comparison.differing_units) == (14, 7)
    parts = [
        "Test set\n",
        "Ignored files (1)\n  notes.txt  outside a class folder",
        "Test Set Validation Results:\n  Valid: Yes",
        "Base model\n  Nova 2 Lite (recommended): used",
        "Fine-tuning job\n",
        "Fine-Tuning Job Status:\n",
        "    Training Loss: 0.05\n    Validation Loss: not reported\n",
        "Data Set Report:\n  Documents: 20 found = 19 accepted + 1 rejected\n",
        "  - own/input/letter 9.pdf: The PDF cannot be opened.",
        "Held-out documents (14)",
        "Custom model           100.0% (14 of 14)",
        "Base model (stand-in)    50.0% (7 of 14)",
        "Verdict\n  The custom model is better than its base model: +50.0 points",
        "Configuration version\n  'demo-job-1' holds the model and the prompt",
        "Documents the model has not seen (held out)\n",
        "invoice 0.pdf",
        "Classified with the configuration version, by sections\n",
        "invoice 0.pdf  1      letter",
    ]
    places = [output.find(part) for part in parts]
    assert -1 not in places, parts[places.index(-1)]
    assert places == sorted(places)
    assert output.count(STAND_IN) == 4  # losses, scores, verdict, answers
    statuses = [line.split()[1] for line in shown_apart.splitlines() if line.startswith("0:")]
    assert statuses == ["GENERATING_DATA", "TRAINING", "DEPLOYING", "COMPLETED"]


def test_a_model_that_is_not_proven_better_than_its_base_model_fails_the_demo(s3: Any) -> None:
    outcome = tell(s3, knows=False, held_out_each=7)
    with pytest.raises(DemoFailed, match="The models differ on 0 documents"):
        outcome.require_better()


def test_a_job_that_held_nothing_out_fails_the_demo(s3: Any) -> None:
    with pytest.raises(DemoFailed, match="No document was held out"):
        tell(s3, held_out_each=0)


def test_new_documents_are_classified_where_there_are_some(s3: Any, capsys: pytest.CaptureFixture[str]) -> None:
    tell(s3, unseen=[labelled("new/Brief 1.pdf", "letter")])
    output = capsys.readouterr().out
    assert "New documents" in output
    assert "new/Brief 1.pdf" in output
    assert "1 of 1 classes right" in output
    assert "Brief 1.pdf  1      letter" in output
    assert "(held out)\n" not in output


def test_a_new_document_that_cannot_be_classified_fails_the_demo(s3: Any) -> None:
    with pytest.raises(DemoFailed, match=r"'broken.pdf' could not be classified: The PDF is encrypted"):
        tell(s3, unseen=[labelled("new/broken.pdf", "letter")])
