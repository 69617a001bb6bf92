"""The steps of an evaluation over a job that has its data set, with a model in memory."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from idp_finetuning.adapters.buckets import DataBucket, TestSetBucket
from idp_finetuning.adapters.converse import Converse
from idp_finetuning.adapters.tables.config_versions import ConfigVersionTable
from idp_finetuning.adapters.tables.jobs import JobTable
from idp_finetuning.adapters.tables.test_sets import TestSetTable
from idp_finetuning.evaluation.layout import EvaluationLayout
from idp_finetuning.evaluation.plan import EvaluatedDocument
from idp_finetuning.evaluation.report import EvaluationReport
from idp_finetuning.jobs.evaluation import EvaluationRun, EvaluationStatus, JobEvaluation
from idp_finetuning.jobs.job import FinetuningJob, JobStatus
from idp_finetuning.jobs.layout import JobLayout
from idp_finetuning.nova.prompt import DocumentClass, Prompt
from idp_finetuning.stages.evaluate_document import evaluate_document
from idp_finetuning.stages.evaluation_records import EvaluationRecords
from idp_finetuning.stages.prepare_evaluation import prepare_evaluation
from idp_finetuning.stages.score_evaluation import score_evaluation
from idp_finetuning.test_sets.sections import Section
from idp_finetuning.test_sets.split import Split
from idp_finetuning.training_data.dataset_documents import DatasetDocument
from idp_finetuning.training_data.examples import ManifestDocument
from idp_finetuning.wire import read_stored_json
from tests.support.domain.fake_converse import FakeConverse, image_in
from tests.support.domain.samples import job

DEPLOYMENT = "arn:aws:bedrock:us-east-1:123456789012:custom-model-deployment/abcdefghijkl"
PROMPT = Prompt(classes=(DocumentClass(name="invoice"), DocumentClass(name="letter")))
BASE = "us.amazon.nova-lite-v1:0"
ID = job().id
RUN = EvaluationRun(job_id=ID, number=1)
LAYOUT = EvaluationLayout.of(RUN)
HELD_OUT = 10


def completed(**changes: Any) -> FinetuningJob:
    """A job whose first evaluation runs."""
    running = JobEvaluation(number=1, status=EvaluationStatus.RUNNING, started_at="2026-11-22T12:00:00.000Z")
    values: dict[str, Any] = {"status": JobStatus.COMPLETED, "custom_model_deployment_arn": DEPLOYMENT}
    return job(**(values | {"evaluation": running} | changes))


class Evaluation:
    """The steps of the workflow over ten held-out documents of two pages; `model` is asked."""

    def __init__(
        self,
        jobs: JobTable,
        data: DataBucket,
        documents: TestSetBucket,
        versions: ConfigVersionTable,
        test_sets: TestSetTable,
    ) -> None:
        self.jobs = jobs
        self.data = data
        self.model = FakeConverse(self.reply)
        self.seconds_left: Callable[[], float] = lambda: 900.0
        self.wrong: set[str] = {BASE}
        self.documents = documents
        self.test_sets = test_sets
        self._versions = versions

    @property
    def records(self) -> EvaluationRecords:
        return EvaluationRecords(self.jobs, self.data)

    def reply(self, request: Mapping[str, Any]) -> str:
        """Whoever is not in `wrong` reads the class off the page."""
        class_name, boundary = image_in(dict(request)).decode().split()[1:]
        if request["modelId"] in self.wrong:
            class_name = "letter" if class_name == "invoice" else "invoice"
        return json.dumps({"class": class_name, "document_boundary": boundary})

    def make_dataset(self, held_out: int = HELD_OUT, pages: int = 2) -> None:
        """Leaves what the job's own workflow leaves."""
        layout = JobLayout(job_id=ID)
        self.data.write_model(layout.prompt, PROMPT)
        manifest, lines = [], []
        for number in range(held_out + 4):
            name, document = ("invoice", "letter")[number % 2], f"{number:020d}"
            side = Split.VALIDATION if number < held_out else Split.TRAIN
            manifest.append(
                ManifestDocument(
                    document_id=document,
                    key=f"docsplit/input/{number}.pdf",
                    etag=f"e{number}",
                    split=side,
                    sections=(Section(class_name=name),),
                ).to_wire()
            )
            lines.append(DatasetDocument(path=f"{number}.pdf", side=side, classes=(name,), pages=pages))
            for page in range(1, pages + 1):
                boundary = "start" if page == 1 else "continue"
                self.data.write(layout.page(document, page), f"{number}.{page} {name} {boundary}".encode())
        self.data.write(layout.manifest, json.dumps(manifest).encode())
        self.data.write(
            layout.documents, b"".join(line.model_dump_json(by_alias=True).encode() + b"\n" for line in lines)
        )

    def prepare(self, run: EvaluationRun = RUN) -> tuple[EvaluatedDocument, ...]:
        found = prepare_evaluation(
            run,
            jobs=self.jobs,
            config_versions=self._versions,
            test_sets=self.test_sets,
            test_set_bucket=self.documents,
            data=self.data,
        )
        return read_stored_json(tuple[EvaluatedDocument, ...], self.data.read(found.key))

    def prepare_again(self) -> tuple[EvaluatedDocument, ...]:
        return read_stored_json(tuple[EvaluatedDocument, ...], self.data.read(LAYOUT.documents))

    def ask(self, document: EvaluatedDocument, run: EvaluationRun = RUN) -> str:
        return evaluate_document(
            run,
            document,
            records=self.records,
            data=self.data,
            test_set_bucket=self.documents,
            converse=Converse(self.model),
            seconds_left=self.seconds_left,
        ).status

    def score(self, run: EvaluationRun = RUN) -> EvaluationReport:
        score_evaluation(run, records=self.records, data=self.data)
        report = self.data.read_model(EvaluationLayout.of(run).report, EvaluationReport)
        assert report
        return report

    def evaluate(self, run: EvaluationRun = RUN) -> EvaluationReport:
        for document in self.prepare(run):
            while self.ask(document, run) != "Finished":
                pass
        return self.score(run)

    def asked(self, model: str) -> int:
        return sum(request["modelId"] == model for request in self.model.requests)
