"""Peak memory of AssembleDataset on many examples, against few."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from benchmarks.account import Account, Call, job, local_account
from benchmarks.documents import manifest_document, put_all
from idp_finetuning.jobs.job import JobStatus
from idp_finetuning.jobs.layout import JobLayout
from idp_finetuning.nova.prompt import Boundary, DocumentClass, PageLabel, Prompt
from idp_finetuning.test_sets.sections import Section
from idp_finetuning.test_sets.split import Split
from idp_finetuning.training_data.examples import training_record
from idp_local.aws.names import DATA_BUCKET

FEW, MANY = 200, 20_000
PAGES = 5  # of a document; an example is a page
CLASSES = tuple(f"class_{number}" for number in range(8))


def measure_assembly_memory() -> dict[str, Any]:
    """Measure peak resident memory in MB of fresh processes that assemble the examples of documents of five pages."""
    with local_account() as account:
        few, _ = _assemble(account, FEW)
        many, seconds = _assemble(account, MANY)
    return {
        "aboveFewMb": round((many - few) / 1e6, 1),
        "fewMb": round(few / 1e6, 1),
        "manyMb": round(many / 1e6, 1),
        "examples": MANY,
        "documents": MANY // PAGES,
        "fewExamples": FEW,
        "seconds": round(seconds, 1),
    }


def _assemble(account: Account, examples: int) -> tuple[int, float]:
    job_id = f"assembly-{examples}"
    layout = JobLayout(job_id=job_id)
    account.put_job(job(job_id, JobStatus.GENERATING_DATA))
    documents = [
        manifest_document(
            f"{number}.pdf", [Section(class_name=CLASSES[number % len(CLASSES)], page_indices=tuple(range(PAGES)))]
        )
        for number in range(examples // PAGES)
    ]
    prompt = Prompt(classes=tuple(DocumentClass(name=name) for name in CLASSES))
    put_all(account, DATA_BUCKET, [(layout.manifest, json.dumps(documents).encode())])
    put_all(account, DATA_BUCKET, _make_examples(layout, prompt, documents))
    ran, peak = account.run([Call("AssembleDataset", {"jobId": job_id, "number": 1})])
    return peak, ran[0].seconds


def _make_examples(
    layout: JobLayout, prompt: Prompt, documents: list[dict[str, object]]
) -> Iterator[tuple[str, bytes]]:
    for number, document in enumerate(documents):
        document_id = str(document["documentId"])
        records = b""
        for page in range(PAGES):
            label = PageLabel(
                class_name=CLASSES[number % len(CLASSES)], boundary=Boundary.CONTINUE if page else Boundary.START
            )
            records += training_record(prompt, f"s3://{DATA_BUCKET}/{layout.page(document_id, page + 1)}", label)
        yield layout.example(Split.TRAIN, document_id), records
