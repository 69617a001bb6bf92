"""Peak memory of GenerateExample on a long PDF, against a short one."""

from __future__ import annotations

from typing import Any

from fpdf import FPDF

from benchmarks.account import TEST_SET, Account, Call, job, local_account
from benchmarks.documents import manifest_document, put_all
from idp_finetuning.jobs.job import JobStatus
from idp_finetuning.jobs.layout import JobLayout
from idp_finetuning.nova.prompt import DocumentClass, Prompt
from idp_finetuning.test_sets.keys import input_prefix
from idp_finetuning.test_sets.sections import Section
from idp_local.aws.names import DATA_BUCKET, TEST_SET_BUCKET

PAGES = 500
_JOB = "document-memory"


def measure_document_memory() -> dict[str, Any]:
    """Measure peak resident memory in MB, each of a fresh process that generates the examples of one PDF."""
    prompt = Prompt(classes=(DocumentClass(name="invoice"), DocumentClass(name="letter")))
    with local_account() as account:
        account.put_job(job(_JOB, JobStatus.GENERATING_DATA))
        account.s3.put_object(
            Bucket=DATA_BUCKET, Key=JobLayout(job_id=_JOB).prompt, Body=prompt.model_dump_json(by_alias=True).encode()
        )
        one, _ = _generate(account, 1)
        many, seconds = _generate(account, PAGES)
    return {
        "aboveOnePageMb": round((many - one) / 1e6, 1),
        "onePageMb": round(one / 1e6, 1),
        "manyPagesMb": round(many / 1e6, 1),
        "pages": PAGES,
        "seconds": round(seconds, 1),
    }


def _generate(account: Account, pages: int) -> tuple[int, float]:
    path = f"{pages} pages.pdf"
    put_all(account, TEST_SET_BUCKET, [(input_prefix(TEST_SET) + path, _make_pdf(pages))])
    document = manifest_document(path, [Section(class_name="invoice")])
    ran, peak = account.run([Call("GenerateExample", {"jobId": _JOB, "number": 1, "document": document})])
    return peak, ran[0].seconds


def _make_pdf(pages: int) -> bytes:
    pdf = FPDF(format="A4")
    pdf.set_font("Helvetica", size=10)
    for page in range(pages):
        pdf.add_page()
        for line in range(40):
            pdf.cell(0, 6, f"Page {page + 1}, line {line + 1}: {page * 7919 + line * 104729:,} items delivered")
            pdf.ln(6)
    return bytes(pdf.output())
