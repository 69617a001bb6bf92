"""The demo from labelled documents to a scored, deployed model, as one story in the command line's words."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any

from pydantic import BaseModel, ConfigDict

from idp_cli.job_text import report_lines, status_lines, validation_lines
from idp_cli.output import print_lines
from idp_cli.session import STAND_IN
from idp_cli.uploading import upload_progress
from idp_cli.waiting import waiting
from idp_finetuning.evaluation.comparison import Comparison, Verdict, compare, primary_metric
from idp_finetuning.evaluation.judged import JudgedDocument
from idp_finetuning.evaluation.wording import verdict_sentence
from idp_finetuning.nova.prompt import Prompt
from idp_local.demo.choice import first_fitting_model
from idp_local.demo.failure import DemoFailed
from idp_local.demo.held_out import HeldOutDocument, JobData
from idp_local.demo.progress import follow
from idp_local.demo.scores import answer_always, ask, judge, majority_class
from idp_local.demo.wording import (
    answer_lines,
    choice_lines,
    confusion_lines,
    ignored_lines,
    indent,
    model_line,
    score_lines,
    section,
    section_lines,
)
from idp_sdk import BaseModel as OfferedModel
from idp_sdk import Classification, ClassificationStatus, DatasetReport, IDPClient, IgnoredFile, Job, LabelledDocument

CLASSIFICATION_POLL_SECONDS = 0.5
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
    """How the custom model did on the held-out documents, compared with its base model."""

    model_config = ConfigDict(frozen=True)

    comparison: Comparison
    sentence: str

    def require_better(self) -> None:
        """Raise DemoFailed if it is not proven that the custom model is better."""
        if self.comparison.verdict is not Verdict.BETTER:
            raise DemoFailed(self.sentence)


class Story:
    """Shows the demo on stdout; `s3` and `bedrock` are boto3 clients of S3 and bedrock-runtime."""

    def __init__(self, client: IDPClient, s3: Any, bedrock: Any, data_bucket: str) -> None:
        self._client = client
        self._s3 = s3
        self._bedrock = bedrock
        self._data_bucket = data_bucket

    def run(self, material: Material) -> Outcome:
        """Upload, validate, train, evaluate, classify. Raises DemoFailed with the first thing that went wrong."""
        test_set_id = self._upload(material)
        self._validate(test_set_id, material.train_split)
        model = self._choose(test_set_id, material)
        job, deployment = self._train(test_set_id, model, material.train_split)
        report = self._report(job.id)
        data = JobData(self._s3, self._data_bucket, job.id)
        documents = data.held_out_documents()
        if not documents:
            raise DemoFailed("No document was held out, so nothing shows that the model beats its base model.")
        outcome, answers = self._evaluate(data.prompt(), documents, deployment, model, report)
        version = self._create_version(job.id)
        self._classify(version, test_set_id, material.unseen, answers)
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

    def _train(self, test_set_id: str, model: OfferedModel, train_split: float | None) -> tuple[Job, str]:
        """Return the ended job and the ARN of its deployment."""
        print_lines(section("Fine-tuning job"))
        started = self._client.finetuning.create_job(
            test_set_id=test_set_id, base_model=model.id, name="Demo classifier", train_split=train_split
        )
        followed = follow(self._client, started)
        deployment = followed.check()
        print_lines(["", *status_lines(followed.state), f"({STAND_IN})"])
        return followed.state, deployment

    def _report(self, job_id: str) -> DatasetReport:
        report = self._client.finetuning.report(job_id)
        print_lines(["", *report_lines(report)])
        return report

    def _evaluate(
        self,
        prompt: Prompt,
        documents: Sequence[HeldOutDocument],
        deployment: str,
        model: OfferedModel,
        report: DatasetReport,
    ) -> tuple[Outcome, tuple[JudgedDocument, ...]]:
        with waiting("Asking the models about the held-out pages ..."):
            custom = ask(self._bedrock, prompt, deployment, documents)
            base = ask(self._bedrock, prompt, model.id, documents)
        majority = majority_class(report.train)
        contestants = {
            "Custom model": custom,
            "Base model (stand-in)": base,
            f"Always '{majority}'": answer_always(majority, documents),
        }
        comparison = compare(base, custom, primary_metric(custom))
        sentence = verdict_sentence(comparison, "its base model", "the custom model")
        print_lines(section(f"Held-out documents ({len(documents)})", score_lines(contestants)))
        print_lines(section("Verdict", [sentence, f"({STAND_IN})"]))
        print_lines(section("Wrong classes of the custom model on the held-out pages", confusion_lines(custom)))
        return Outcome(comparison=comparison, sentence=sentence), custom

    def _create_version(self, job_id: str) -> str:
        version = f"demo-{job_id[:8]}"
        warnings = self._client.config_versions.create(version, from_job=job_id).warnings
        made = f"'{version}' holds the model and the prompt it was trained with"
        print_lines(section("Configuration version", [made, *warnings]))
        return version

    def _classify(
        self, version: str, test_set_id: str, unseen: Sequence[LabelledDocument], held_out: Sequence[JudgedDocument]
    ) -> None:
        """Classify, with the configuration version, documents that the model has not seen."""
        with waiting("Classifying ..."):
            if unseen:
                shown = [
                    self._classify_one(PurePosixPath(document.path), content=document.read(), config_version=version)
                    for document in unseen
                ]
            else:
                path = held_out[0].path
                shown = [self._classify_one(test_set_id=test_set_id, document_path=path, config_version=version)]
        if unseen:
            answers = [judge(document, given) for document, given in zip(unseen, shown, strict=True)]
            print_lines(section("New documents, in neither side of the split", answer_lines(answers)))
        else:
            print_lines(section("Documents the model has not seen (held out)", answer_lines(held_out)))
        print_lines(section("Classified with the configuration version, by sections", section_lines(shown)))

    def _classify_one(self, path: PurePosixPath | None = None, **given: Any) -> Classification:
        shown = self._client.classify(path, poll_interval=CLASSIFICATION_POLL_SECONDS, **given)
        if shown.status is not ClassificationStatus.COMPLETED:
            raise DemoFailed(f"'{shown.document}' could not be classified: {shown.error_message}")
        return shown
