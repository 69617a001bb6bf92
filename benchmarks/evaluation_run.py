"""A whole evaluation of 1,000 held-out pages: calls to models, S3 requests, payloads, and the scorer's memory."""

from __future__ import annotations

import json
from typing import Any

from benchmarks.account import Account, Call, job, local_account
from benchmarks.documents import manifest_document, put_all
from idp_finetuning.adapters.buckets import DataBucket, TestSetBucket
from idp_finetuning.adapters.converse import Converse
from idp_finetuning.adapters.tables.jobs import JobTable
from idp_finetuning.deployment import JOBS_TABLE
from idp_finetuning.evaluation.layout import EvaluationLayout
from idp_finetuning.evaluation.plan import EvaluatedDocument
from idp_finetuning.jobs import life
from idp_finetuning.jobs.evaluation import EvaluationRun, EvaluationStatus, JobEvaluation
from idp_finetuning.jobs.job import JobStatus
from idp_finetuning.nova.prompt import Boundary, DocumentClass, PageLabel, Prompt
from idp_finetuning.stages.evaluate_document import evaluate_document
from idp_finetuning.stages.evaluation_records import EvaluationRecords
from idp_finetuning.test_sets.sections import Section
from idp_finetuning.test_sets.split import Split
from idp_finetuning.training_data.dataset_documents import DatasetDocument
from idp_finetuning.wire import read_stored_json, timestamp
from idp_local.aws.names import DATA_BUCKET, PREFIX, TEST_SET_BUCKET

FEW, MANY = 100, 1_000  # pages
PAGES = 5  # of a document
CLASSES = tuple(f"class_{number}" for number in range(8))
_PROMPT = Prompt(classes=tuple(DocumentClass(name=name) for name in CLASSES))


def measure_evaluation_run() -> dict[str, Any]:
    """Run the steps over few and over many held-out pages, then a second evaluation, which finds all answers there."""
    with local_account() as account:
        few = _evaluate(account, FEW)
        many = _evaluate(account, MANY)
    return {
        "scorerAboveFewMb": round((many["peak"] - few["peak"]) / 1e6, 1),
        "scorerMb": round(many["peak"] / 1e6, 1),
        "scorerSeconds": round(many["seconds"], 1),
        "callsOfModels": many["calls"],
        "pagesTimesModels": 2 * MANY + 50,  # custom and base model; fifty pages are asked about twice
        "callsOfSecond": many["again"],
        "largestInputBytes": many["input"],
        "largestInputOfFew": few["input"],
        "reportKb": round(many["report"] / 1e3, 1),
    }


class _Models:
    """Stands for Bedrock: counts the calls and returns one of five classes in turn."""

    def __init__(self) -> None:
        self.calls = 0

    def converse(self, **_: Any) -> dict[str, Any]:
        """Return an answer in the form that was asked for."""
        self.calls += 1
        label = PageLabel(class_name=CLASSES[self.calls % 5], boundary=Boundary.START)
        return {
            "output": {"message": {"content": [{"text": label.to_answer()}]}},
            "usage": {"inputTokens": 2_000, "outputTokens": 20},
        }


def _evaluate(account: Account, pages: int) -> dict[str, Any]:
    job_id = f"evaluation-{pages}"
    _put_job(account, job_id, pages)
    models, largest = _Models(), 0
    first = EvaluationRun(job_id=job_id, number=1)
    event = {"jobId": job_id, "testSetId": None, "number": 1}
    account.run([Call("PrepareEvaluation", event)])
    for document in _documents(account, first):
        largest = max(largest, len(json.dumps({**event, "document": document.to_wire()})))
        _ask(account, first, document, models)
    calls = models.calls
    (scored,), peak = account.run([Call("ScoreEvaluation", event)])
    report = account.s3.head_object(Bucket=DATA_BUCKET, Key=EvaluationLayout.of(first).report)["ContentLength"]
    again = EvaluationRun(job_id=job_id, number=2)
    _begin(account, job_id, 2)
    account.run([Call("PrepareEvaluation", {**event, "number": 2})])
    for document in _documents(account, again):
        _ask(account, again, document, models)
    return {
        "peak": peak,
        "seconds": scored.seconds,
        "calls": calls,
        "again": models.calls - calls,
        "input": largest,
        "report": report,
    }


def _ask(account: Account, run: EvaluationRun, document: EvaluatedDocument, models: _Models) -> None:
    table = JobTable(account.dynamodb, JOBS_TABLE.table_name(PREFIX))
    data = DataBucket(account.s3, DATA_BUCKET)
    evaluate_document(
        run,
        document,
        records=EvaluationRecords(table, data),
        data=data,
        test_set_bucket=TestSetBucket(account.s3, TEST_SET_BUCKET),
        converse=Converse(models),  # type: ignore[arg-type]
        seconds_left=lambda: 900.0,
    )


def _documents(account: Account, run: EvaluationRun) -> tuple[EvaluatedDocument, ...]:
    content = DataBucket(account.s3, DATA_BUCKET).read(EvaluationLayout.of(run).documents)
    return read_stored_json(tuple[EvaluatedDocument, ...], content)


def _put_job(account: Account, job_id: str, pages: int) -> None:
    running = JobEvaluation(number=1, status=EvaluationStatus.RUNNING, started_at=timestamp())
    deployment = "arn:aws:bedrock:us-east-1:123456789012:custom-model-deployment/abcdefghijkl"
    changes = {"evaluation": running, "custom_model_deployment_arn": deployment}
    account.put_job(job(job_id, JobStatus.COMPLETED).model_copy(update=changes))
    layout = EvaluationLayout(job_id=job_id, number=1).job
    documents, lines, images = [], [], []
    for number in range(pages // PAGES + 1):
        name = CLASSES[number % len(CLASSES)]
        document = manifest_document(f"{number}.pdf", [Section(class_name=name, page_indices=tuple(range(PAGES)))])
        side = Split.VALIDATION if number else Split.TRAIN
        documents.append({**document, "split": side.value})
        lines.append(DatasetDocument(path=f"{number}.pdf", side=side, classes=(name,), pages=PAGES))
        images += [
            (layout.page(str(document["documentId"]), page), f"{number} {page}".encode())
            for page in range(1, PAGES + 1)
        ]
    stored = b"".join(line.model_dump_json(by_alias=True).encode() + b"\n" for line in lines)
    kept = [(layout.manifest, json.dumps(documents).encode()), (layout.documents, stored)]
    put_all(account, DATA_BUCKET, [*kept, (layout.prompt, _PROMPT.model_dump_json(by_alias=True).encode()), *images])


def _begin(account: Account, job_id: str, number: int) -> None:
    table = JobTable(account.dynamodb, JOBS_TABLE.table_name(PREFIX))
    table.update(job_id, lambda found: life.begin_evaluation(found, number, "Again."))
