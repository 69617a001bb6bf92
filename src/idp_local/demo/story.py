"""The demo from labelled documents to a scored, deployed model, as one story in the command line's words."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from pydantic import BaseModel, ConfigDict

from idp_cli.evaluation_page import evaluation_page
from idp_cli.evaluation_text import evaluation_lines
from idp_cli.job_text import report_lines, status_lines, validation_lines
from idp_cli.output import print_lines
from idp_cli.session import STAND_IN
from idp_cli.uploading import upload_progress
from idp_cli.waiting import waiting
from idp_finetuning.evaluation.comparison import Verdict
from idp_finetuning.jobs.evaluation import EvaluationStatus
from idp_local.demo.choice import first_fitting_model
from idp_local.demo.failure import DemoFailed
from idp_local.demo.progress import follow
from idp_local.demo.scores import judge
from idp_local.demo.wording import (
    answer_lines,
    choice_lines,
    ignored_lines,
    indent,
    model_line,
    section,
    section_lines,
)
from idp_sdk import BaseModel as OfferedModel
from idp_sdk import Classification, ClassificationStatus, IDPClient, IgnoredFile, Job, LabelledDocument

CLASSIFICATION_POLL_SECONDS = 0.5
EVALUATION_POLL_SECONDS = 0.5
DEMO_MODEL = "us.amazon.nova-2-lite-v1:0"
# Of the invented documents: 20 are held out, enough for a verdict, and 200 pages train, as many as Nova 2 needs.
DEMO_SPLIT = 0.85


class Material(BaseModel):
    """What the story is about; without a base model the first that fits is trained."""

    model_config = ConfigDict(frozen=True)

    name: str
    documents: tuple[LabelledDocument, ...]
    ignored: tuple[IgnoredFile, ...] = ()
    unseen: tuple[LabelledDocument, ...] = ()
    base_model: str | None = None
    train_split: float | None = None


class Outcome(BaseModel):
    """How the custom model did on the held-out documents, compared with its base model; None if that is not known."""

    model_config = ConfigDict(frozen=True)

    verdict: str | None
    sentence: str

    def require_better(self) -> None:
        """Raise DemoFailed if it is not proven that the custom model is better."""
        if self.verdict != Verdict.BETTER:
            raise DemoFailed(self.sentence)


class Story:
    """Shows the demo on stdout, and writes the evaluation's report to a file."""

    def __init__(self, client: IDPClient, report_file: Path) -> None:
        self._client = client
        self._report_file = report_file

    def run(self, material: Material) -> Outcome:
        """Upload, validate, train, evaluate, classify. Raises DemoFailed with the first thing that went wrong."""
        test_set_id = self._upload(material)
        self._validate(test_set_id, material.train_split)
        model = self._choose(test_set_id, material)
        job = self._train(test_set_id, model, material.train_split)
        print_lines(["", *report_lines(self._client.finetuning.report(job.id))])
        outcome = self._evaluate(job.id)
        version = self._create_version(job.id)
        if material.unseen:
            self._classify_new(version, material.unseen)
        else:
            self._classify_held_out(version, test_set_id, job.id, material.documents)
        return outcome

    def _upload(self, material: Material) -> str:
        print_lines(section("Test set"))
        with upload_progress() as progress:
            uploaded = self._client.test_sets.upload_documents(
                material.documents, name=material.name, description="Made by the demo", progress=progress
            )
        pages = [document.page_count for document in material.documents]
        sent = sum(1 + len(document.sections) for document in material.documents)
        packets = sum(len(document.sections) > 1 for document in material.documents)
        lines = [
            f"{uploaded.file_count} documents, {sum(count or 0 for count in pages)} pages, {packets} packets; "
            f"{sent} files uploaded to '{uploaded.id}'"
        ]
        if uncounted := pages.count(None):
            lines.append(f"{uncounted} of the documents cannot be opened here; the job will say why")
        print_lines(indent(lines))
        if material.ignored:
            print_lines(section(f"Ignored files ({len(material.ignored)})", ignored_lines(material.ignored)))
        return uploaded.id

    def _validate(self, test_set_id: str, train_split: float | None) -> None:
        validation = self._client.finetuning.validate_test_set(test_set_id, train_split=train_split)
        print_lines(["", *validation_lines(validation)])
        if not validation.is_valid:
            raise DemoFailed(f"The test set cannot be trained on: {' '.join(validation.errors)}")

    def _choose(self, test_set_id: str, material: Material) -> OfferedModel:
        if material.base_model is None:
            choice = first_fitting_model(self._client, test_set_id, material.documents)
            print_lines(section("Base model", choice_lines(choice.model, choice.passed_over)))
            return choice.model
        offered = self._client.models.list_available_models().base_models
        model = next(item for item in offered if item.id == material.base_model)
        errors = self._client.finetuning.validate_test_set(
            test_set_id, base_model=model.id, train_split=material.train_split
        ).errors
        if errors:
            raise DemoFailed(f"The test set cannot be trained on: {' '.join(errors)}")
        print_lines(section("Base model", [model_line(model)]))
        return model

    def _train(self, test_set_id: str, model: OfferedModel, train_split: float | None) -> Job:
        print_lines(section("Fine-tuning job"))
        started = self._client.finetuning.create_job(
            test_set_id=test_set_id, base_model=model.id, name="Demo classifier", train_split=train_split
        )
        followed = follow(self._client, started)
        followed.check()
        print_lines(["", *status_lines(followed.state), f"({STAND_IN})"])
        return followed.state

    def _evaluate(self, job_id: str) -> Outcome:
        with waiting("Asking the models about the held-out documents ..."):
            job = self._client.finetuning.wait_for_evaluation(job_id, poll_interval=EVALUATION_POLL_SECONDS)
        evaluation = job.evaluation
        if evaluation is None or evaluation.status != EvaluationStatus.COMPLETED:
            reason = (evaluation and evaluation.error_message) or "It was not started."
            print_lines(section("The job has no evaluation", [reason]))
            return Outcome(verdict=None, sentence=reason)
        report = self._client.finetuning.evaluation_report(job_id)
        losses = self._client.finetuning.loss_curve(job_id)
        page = evaluation_page(report, losses=losses, stand_in=STAND_IN)
        self._report_file.write_text(page, encoding="utf-8")
        print_lines(["", *evaluation_lines(report), f"({STAND_IN})"])
        print_lines(section("The same as a page for a browser", [str(self._report_file)]))
        return Outcome(verdict=evaluation.verdict, sentence=report.sentence)

    def _create_version(self, job_id: str) -> str:
        version = f"demo-{job_id[:8]}"
        warnings = self._client.config_versions.create(version, from_job=job_id).warnings
        made = f"'{version}' holds the model and the prompt it was trained with"
        print_lines(section("Configuration version", [made, *warnings]))
        return version

    def _classify_new(self, version: str, unseen: Sequence[LabelledDocument]) -> None:
        """Classify, with the configuration version, documents that are in neither side of the split."""
        with waiting("Classifying ..."):
            shown = [
                self._classify_one(PurePosixPath(document.path), content=document.read(), config_version=version)
                for document in unseen
            ]
        self._show("New documents, in neither side of the split", unseen, shown)

    def _classify_held_out(
        self, version: str, test_set_id: str, job_id: str, documents: Sequence[LabelledDocument]
    ) -> None:
        """Classify, with the configuration version, a document that the model was not trained with."""
        listed = self._client.finetuning.documents(job_id)
        path = next((item.path for item in listed if item.side == "validation" and item.code is None), None)
        labelled = next((document for document in documents if document.path == path), None)
        if labelled is None:
            return
        with waiting("Classifying ..."):
            shown = self._classify_one(test_set_id=test_set_id, document_path=path, config_version=version)
        self._show("A document that the model has not seen (held out)", [labelled], [shown])

    @staticmethod
    def _show(title: str, documents: Sequence[LabelledDocument], shown: Sequence[Classification]) -> None:
        answers = [judge(document, given) for document, given in zip(documents, shown, strict=True)]
        print_lines(section(title, answer_lines(answers)))
        print_lines(section("Classified with the configuration version, by sections", section_lines(shown)))

    def _classify_one(self, path: PurePosixPath | None = None, **given: Any) -> Classification:
        shown = self._client.classify(path, poll_interval=CLASSIFICATION_POLL_SECONDS, **given)
        if shown.status is not ClassificationStatus.COMPLETED:
            raise DemoFailed(f"'{shown.document}' could not be classified: {shown.error_message}")
        return shown
