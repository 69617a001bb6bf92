"""The demo from labelled documents to a scored, deployed model, as one story told on a console."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any

from pydantic import BaseModel, ConfigDict

from idp_finetuning.classification import Classification, ClassificationStatus
from idp_finetuning.dataset import DatasetReport
from idp_local.demo.choice import ModelChoice, first_fitting_model
from idp_local.demo.class_folders import IgnoredFile
from idp_local.demo.console import Console
from idp_local.demo.failure import DemoFailed
from idp_local.demo.labelled import LabelledDocument
from idp_local.demo.pages import JobData, LabelledPage
from idp_local.demo.progress import Followed, follow
from idp_local.demo.scores import Answer, Score, answers_of, ask, majority_class, majority_score, score
from idp_local.demo.service import FinetuningService, OfferedModel
from idp_local.demo.upload import upload, upload_to_classify
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

    def __init__(self, service: FinetuningService, s3: Any, bedrock: Any, data_bucket: str, console: Console) -> None:
        self._service = service
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
        test_set_id = self._service.create_test_set(material.name, "Made by the demo")
        total = len(material.documents) + sum(len(document.sections) for document in material.documents)
        sent = upload(
            self._service,
            test_set_id,
            material.documents,
            lambda count: self._console.live(f"  uploading {count} of {total} files"),
        )
        complete = self._service.complete_test_set(test_set_id)
        packets = sum(len(document.sections) > 1 for document in material.documents)
        self._console.say(
            f"  {complete} documents, {sum(count or 0 for count in pages)} pages, {packets} packets; "
            f"{sent} files uploaded to '{test_set_id}'"
        )
        if uncounted:
            self._console.say(f"  {uncounted} of the documents cannot be opened here; the job will say why")
        if material.ignored:
            self._console.section(f"Ignored files ({len(material.ignored)})")
            self._console.list(ignored_lines(material.ignored))
        return test_set_id

    def _validate(self, test_set_id: str) -> None:
        validation = self._service.validate(test_set_id)
        self._console.say()
        for line in validation_lines(validation):
            self._console.say(line)
        if not validation.is_valid:
            raise DemoFailed(f"The test set cannot be trained on: {' '.join(validation.errors)}")

    def _choose(self, test_set_id: str, material: Material) -> ModelChoice:
        self._console.section("Base model")
        if material.base_model is None:
            choice = first_fitting_model(self._service, test_set_id, material.documents)
            self._console.list(choice_lines(choice.model, choice.passed_over))
            return choice
        model = next(item for item in self._service.base_models() if item.id == material.base_model)
        errors = self._service.validate(test_set_id, model.id).errors
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
        started = self._service.start_job(test_set_id, model.id, "Demo classifier")
        return follow(self._service, started, self._console)

    def _report(self, followed: Followed, model: OfferedModel) -> DatasetReport:
        self._console.list(["", *metrics_lines(followed.state.training_metrics, model)])
        report = self._service.report(followed.state.id)
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
        warnings = self._service.create_version(version, job_id)
        self._console.list([f"'{version}' holds the model and the prompt it was trained with", *warnings])
        if unseen:
            self._console.section("New documents, in neither side of the split")
            shown = [self._classified_upload(document, version) for document in unseen]
            answers = (answers_of(document, given) for document, given in zip(unseen, shown, strict=True))
            self._console.list(answer_lines([answer for of_document in answers for answer in of_document]))
        else:
            self._console.section("Documents the model has not seen (held out)")
            self._console.list(answer_lines(held_out))
            path = held_out[0].path
            shown = [self._classified(testSetId=test_set_id, documentPath=path, configVersion=version)]
        self._console.section("Classified with the configuration version, by sections")
        self._console.list(section_lines(shown))

    def _classified_upload(self, document: LabelledDocument, version: str) -> Classification:
        key = upload_to_classify(self._service, PurePosixPath(document.path).name, document.read())
        return self._classified(uploadKey=key, configVersion=version)

    def _classified(self, **given: Any) -> Classification:
        shown = self._service.classify(**given)
        if shown.status is not ClassificationStatus.COMPLETED:
            raise DemoFailed(f"'{shown.document}' could not be classified: {shown.error_message}")
        return shown
