from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from fpdf import FPDF

from idp_cli.evaluation_page import evaluation_page
from idp_cli.session import STAND_IN
from idp_finetuning.test_sets.sections import Section
from idp_finetuning.test_sets.split import Split
from idp_finetuning.training_data.dataset import AcceptedDocument, RejectedDocument, dataset_report
from idp_finetuning.training_data.examples import ManifestDocument
from idp_local.demo.failure import DemoFailed
from idp_local.demo.story import Material, Outcome, Story
from idp_sdk import IgnoredFile, LabelledDocument, LabelledSection
from tests.support.domain.evaluated import evaluation_report
from tests.support.sdk.answers import CREATED, classification, config_version, job, labelled_set, validation
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
STATES = ["GENERATING_DATA", "TRAINING", "DEPLOYING", "COMPLETED"]


def labelled(path: str, name: str) -> LabelledDocument:
    pdf = FPDF()
    pdf.add_page()
    section = LabelledSection(class_name=name, page_indices=(0,))
    return LabelledDocument(path=path, content=bytes(pdf.output()), sections=(section,))


DOCUMENTS = tuple(labelled(f"{name} {n}.pdf", name) for name in ("invoice", "letter") for n in range(10))


MANIFEST = [
    ManifestDocument(
        document_id=f"{number:020}",
        key=f"own/input/{document.path}",
        split=Split.VALIDATION if number % 10 == 0 else Split.TRAIN,
        sections=(Section(class_name=document.sections[0].class_name, page_indices=(0,)),),
    )
    for number, document in enumerate(DOCUMENTS)
]


def classified(document: str, status: str) -> dict[str, Any]:
    page = {"number": 1, "className": "letter", "boundary": "start"}
    section = {"className": "letter", "startPage": 1, "endPage": 1}
    ended = {"pages": [page], "sections": [section]} if status == "COMPLETED" else {}
    reason = "The PDF is encrypted." if status == "FAILED" else None
    return classification(status, id=document, document=document, errorMessage=reason, **ended)


class Pipeline(Deployment):
    """A deployment whose job is completed and evaluated: by default the report of tests.support.domain.evaluated."""

    def __init__(self, **evaluation: Any) -> None:
        super().__init__()
        self._version = ""
        self._statuses = iter(STATES)
        self._evaluation = {
            "number": 1,
            "status": "COMPLETED",
            "startedAt": CREATED,
            "builtInPrompt": False,
            "verdict": "BETTER",
        } | evaluation
        accepted = [AcceptedDocument(document=document, pages=1) for document in MANIFEST[:-1]]
        rejected = RejectedDocument(key=MANIFEST[-1].key, code="damaged", reason="The PDF cannot be opened.")
        listed = [
            {"path": "invoice 0.pdf", "side": "validation", "classes": ["invoice"], "code": "damaged", "reason": "r"},
            {"path": "letter 1.pdf", "side": "validation", "classes": ["letter"], "pages": 1},
        ]
        self.answers = {
            "createTestSet": labelled_set("UPLOADING", id="own"),
            "createTestSetUploads": self.uploads("own/"),
            "completeTestSet": labelled_set(id="own", fileCount=len(DOCUMENTS)),
            "listAvailableModels": {"baseModels": [MODEL], "customModels": []},
            "validateTestSetForFinetuning": validation(documentCount=len(DOCUMENTS)),
            "createFinetuningJob": job(),
            "getFinetuningJob": lambda _: self._job(),
            "getLossCurve": {"training": [], "validation": []},
            "getDatasetReport": dataset_report(accepted, [rejected], []).to_wire(),
            "listDatasetDocuments": {"items": listed, "nextToken": None},
            "getEvaluationReport": evaluation_report().to_wire(),
            "createConfigVersion": self._create_version,
            "createClassificationUpload": self._create_upload,
            "startClassification": self._classify,
            "getClassification": lambda arguments: classified(arguments["classificationId"], "COMPLETED"),
        }

    def _job(self) -> object:
        """The job one status on, and evaluated once it is COMPLETED."""
        status = next(self._statuses, "COMPLETED")
        ended = {"evaluation": self._evaluation} if status == "COMPLETED" else {}
        metrics = {"trainingLoss": 0.05, "validationLoss": None}
        return job(status, customModelDeploymentArn=ARN, trainingMetrics=metrics, **ended)

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


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is waited for."""
    monkeypatch.setattr("idp_local.demo.progress.POLL_SECONDS", 0)
    monkeypatch.setattr("idp_local.demo.story.CLASSIFICATION_POLL_SECONDS", 0)


def tell(folder: Path, *, unseen: Sequence[LabelledDocument] = (), **evaluation: Any) -> Outcome:
    story = Story(Pipeline(**evaluation).signed_in(), folder / "report.html")
    ignored = (IgnoredFile(path="notes.txt", reason="outside a class folder"),)
    return story.run(Material(name="Own", documents=DOCUMENTS, unseen=tuple(unseen), ignored=ignored))


def test_a_model_that_is_better_passes_and_the_story_has_every_part(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outcome = tell(tmp_path)
    output, shown_apart = capsys.readouterr()
    outcome.require_better()
    report = evaluation_report()
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
        f"Evaluation Report:\n  Documents: 12, Pages: 12, from what the job held out\n  Verdict: {report.sentence}",
        "report.html",
        "Configuration version\n  'demo-job-1' holds the model and the prompt",
        "A document that the model has not seen (held out)\n",
        "Classified with the configuration version, by sections\n",
        "letter 1.pdf  1      letter",
    ]
    places = [output.find(part) for part in parts]
    assert -1 not in places, parts[places.index(-1)]
    assert places == sorted(places)
    assert output.count(STAND_IN) == 3  # losses, evaluation, answers
    statuses = [line.split()[1] for line in shown_apart.splitlines() if line.startswith("0:")]
    assert statuses == ["GENERATING_DATA", "TRAINING", "DEPLOYING", "COMPLETED"]


def test_the_report_is_a_page_that_says_what_the_models_are(tmp_path: Path) -> None:
    tell(tmp_path)
    assert (tmp_path / "report.html").read_text("utf-8") == evaluation_page(evaluation_report(), stand_in=STAND_IN)


@pytest.mark.parametrize("verdict", ["NOT_PROVEN", "NO_WORSE", "WORSE", None])
def test_a_model_that_is_not_proven_better_than_its_base_model_fails_the_demo(
    tmp_path: Path, verdict: str | None
) -> None:
    with pytest.raises(DemoFailed, match="The custom model is better"):  # the sentence of the report
        tell(tmp_path, verdict=verdict).require_better()


def test_an_evaluation_that_failed_says_why_and_the_story_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outcome = tell(tmp_path, status="FAILED", verdict=None, errorMessage="Job 'job-1' held no usable document out.")
    output = capsys.readouterr().out
    assert "The job has no evaluation\n  Job 'job-1' held no usable document out." in output
    assert "Classified with the configuration version" in output
    with pytest.raises(DemoFailed, match="held no usable document out"):
        outcome.require_better()


def test_new_documents_are_classified_where_there_are_some(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tell(tmp_path, unseen=[labelled("new/Brief 1.pdf", "letter")])
    output = capsys.readouterr().out
    assert "New documents" in output
    assert "new/Brief 1.pdf" in output
    assert "1 of 1 classes right" in output
    assert "Brief 1.pdf  1      letter" in output
    assert "(held out)\n" not in output


def test_a_new_document_that_cannot_be_classified_fails_the_demo(tmp_path: Path) -> None:
    with pytest.raises(DemoFailed, match=r"'broken.pdf' could not be classified: The PDF is encrypted"):
        tell(tmp_path, unseen=[labelled("new/broken.pdf", "letter")])
