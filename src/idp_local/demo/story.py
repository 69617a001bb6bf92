"""The demo from labelled documents to a scored, deployed model, as one story told on a console."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any

from pydantic import BaseModel, ConfigDict

from idp_local.demo.choice import ModelChoice, first_fitting_model
from idp_local.demo.console import Console
from idp_local.demo.failure import DemoFailed
from idp_local.demo.pages import JobData, LabelledPage
from idp_local.demo.progress import Followed, follow
from idp_local.demo.scores import Answer, Score, answers_of, ask, majority_class, majority_score, score
from idp_local.demo.wording import (
    answer_lines,
    choice_lines,
    confusion_lines,
    ignored_lines,
    metrics_lines,
    report_lines,
    score_lines,
    section_lines,
    validation_lines,
)
from idp_sdk import BaseModel as OfferedModel
from idp_sdk import Classification, ClassificationStatus, DatasetReport, IDPClient, IgnoredFile, LabelledDocument

CLASSIFICATION_POLL_SECONDS = 0.5
DEMO_MODEL = "us.amazon.nova-2-lite-v1:0"


class Material(BaseModel):
    """What the story is told about; without a base model the first that fits is chosen."""

    model_config = ConfigDict(frozen=True)

    name: str
    documents: tuple[LabelledDocument, ...]
    ignored: tuple[IgnoredFile, ...] = ()
    unseen: tuple[LabelledDocument, ...] = ()
    base_model: str | None = None


class Outcome(BaseModel):
    """How the custom model did on the held-out pages, beside its base model and the majority class."""

    model_config = ConfigDict(frozen=True)

    job_id: str
    report: DatasetReport
    custom: Score
    base: Score
    majority: Score

    def check(self) -> None:
        """Raises DemoFailed where the custom model is no better than always answering the majority class."""
        if self.custom.classes_right <= self.majority.classes_right:
            raise DemoFailed(
                f"The custom model is right about {self.custom.classes_right} of {self.custom.pages} held-out pages, "
                f"always answering the majority class would be right about {self.majority.classes_right}."
            )


class Story:
    """Tells the demo; `s3` and `bedrock` are boto3 clients of S3 and bedrock-runtime."""

    def __init__(self, client: IDPClient, s3: Any, bedrock: Any, data_bucket: str, console: Console) -> None:
        self._client = client
        self._s3 = s3
        self._bedrock = bedrock
        self._data_bucket = data_bucket
        self._console = console

    def tell(self, material: Material) -> Outcome:
        """Uploads, validates, trains, evaluates, classifies. Raises DemoFailed with the first thing that went wrong."""
        test_set_id = self._upload(material)
        self._validate(test_set_id)
        choice = self._choose(test_set_id, material)
        followed = self._train(test_set_id, choice.model)
        deployment = followed.check()
        report = self._report(followed, choice.model)
        data = JobData(self._s3, self._data_bucket, followed.state.id)
        pages = data.held_out_pages()
        if not pages:
            raise DemoFailed("No page was held out, so nothing shows that the model beats the majority class.")
        outcome, answers = self._evaluate(data, pages, deployment, choice.model, report, followed.state.id)
        self._classify(followed.state.id, test_set_id, material.unseen, answers)
        return outcome

    def _upload(self, material: Material) -> str:
        pages = [document.page_count for document in material.documents]
        uncounted = pages.count(None)
        self._console.section("Test set")
        uploaded = self._client.test_sets.upload_documents(
            material.documents,
            name=material.name,
            description="Made by the demo",
            progress=lambda done, files, *_bytes: self._console.live(f"  uploading {done} of {files} files"),
        )
        sent = sum(1 + len(document.sections) for document in material.documents)
        packets = sum(len(document.sections) > 1 for document in material.documents)
        self._console.say(
            f"  {uploaded.file_count} documents, {sum(count or 0 for count in pages)} pages, {packets} packets; "
            f"{sent} files uploaded to '{uploaded.id}'"
        )
        if uncounted:
            self._console.say(f"  {uncounted} of the documents cannot be opened here; the job will say why")
        if material.ignored:
            self._console.section(f"Ignored files ({len(material.ignored)})")
            self._console.list(ignored_lines(material.ignored))
        return uploaded.id

    def _validate(self, test_set_id: str) -> None:
        validation = self._client.finetuning.validate_test_set(test_set_id)
        self._console.say()
        for line in validation_lines(validation):
            self._console.say(line)
        if not validation.is_valid:
            raise DemoFailed(f"The test set cannot be trained on: {' '.join(validation.errors)}")

    def _choose(self, test_set_id: str, material: Material) -> ModelChoice:
        self._console.section("Base model")
        if material.base_model is None:
            choice = first_fitting_model(self._client, test_set_id, material.documents)
            self._console.list(choice_lines(choice.model, choice.passed_over))
            return choice
        offered = self._client.models.list_available_models().base_models
        model = next(item for item in offered if item.id == material.base_model)
        errors = self._client.finetuning.validate_test_set(test_set_id, base_model=model.id).errors
        if errors:
            raise DemoFailed(f"The test set cannot be trained on: {' '.join(errors)}")
        validation_file = "with" if model.validation_supported else "no"
        self._console.say(
            f"  {model.name} ({model.label}): at least {model.minimum_records} training pages, {validation_file} "
            "validation file"
        )
        return ModelChoice(model=model, passed_over=())

    def _train(self, test_set_id: str, model: OfferedModel) -> Followed:
        self._console.section("Fine-tuning job")
        started = self._client.finetuning.create_job(
            test_set_id=test_set_id, base_model=model.id, name="Demo classifier"
        )
        return follow(self._client, started, self._console)

    def _report(self, followed: Followed, model: OfferedModel) -> DatasetReport:
        self._console.list(["", *metrics_lines(followed.state.training_metrics, model)])
        report = self._client.finetuning.report(followed.state.id)
        self._console.section("Data set")
        self._console.list(report_lines(report))
        return report

    def _evaluate(
        self,
        data: JobData,
        pages: Sequence[LabelledPage],
        deployment: str,
        model: OfferedModel,
        report: DatasetReport,
        job_id: str,
    ) -> tuple[Outcome, tuple[Answer, ...]]:
        prompt = data.prompt()
        answers = ask(self._bedrock, prompt, deployment, pages)
        outcome = Outcome(
            job_id=job_id,
            report=report,
            custom=score(answers),
            base=score(ask(self._bedrock, prompt, model.id, pages)),
            majority=majority_score(pages, report.train),
        )
        name = majority_class(report.train)
        self._console.section(f"Held-out pages ({len(pages)})")
        self._console.list(score_lines(outcome.custom, outcome.base, outcome.majority, name))
        self._console.section("Wrong classes of the custom model on the held-out pages")
        self._console.list(confusion_lines(answers))
        return outcome, answers

    def _classify(
        self, job_id: str, test_set_id: str, unseen: Sequence[LabelledDocument], held_out: Sequence[Answer]
    ) -> None:
        """Selects the model in a configuration version and classifies with it what it has not seen."""
        version = f"demo-{job_id[:8]}"
        self._console.section("Configuration version")
        warnings = self._client.config_versions.create(version, from_job=job_id).warnings
        self._console.list([f"'{version}' holds the model and the prompt it was trained with", *warnings])
        if unseen:
            self._console.section("New documents, in neither side of the split")
            shown = [
                self._classified(PurePosixPath(document.path), content=document.read(), config_version=version)
                for document in unseen
            ]
            answers = (answers_of(document, given) for document, given in zip(unseen, shown, strict=True))
            self._console.list(answer_lines([answer for of_document in answers for answer in of_document]))
        else:
            self._console.section("Documents the model has not seen (held out)")
            self._console.list(answer_lines(held_out))
            path = held_out[0].path
            shown = [self._classified(test_set_id=test_set_id, document_path=path, config_version=version)]
        self._console.section("Classified with the configuration version, by sections")
        self._console.list(section_lines(shown))

    def _classified(self, path: PurePosixPath | None = None, **given: Any) -> Classification:
        shown = self._client.classify(path, poll_interval=CLASSIFICATION_POLL_SECONDS, **given)
        if shown.status is not ClassificationStatus.COMPLETED:
            raise DemoFailed(f"'{shown.document}' could not be classified: {shown.error_message}")
        return shown
