"""Labelled documents, PDFs, images and jobs that tests start from."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from typing import Any

from PIL import Image

from idp_finetuning.jobs.job import FinetuningJob, JobStatus
from idp_finetuning.nova.hyper_parameters import HyperParameters
from idp_finetuning.test_sets.labels import DocumentLabels, Labels
from idp_finetuning.test_sets.sections import LabelProblem, Section
from idp_finetuning.test_sets.test_set import TestSetRecord, TestSetStatus

GUIDE_CLASSES = {
    "drivers_license": 25,
    "bank_statement": 30,
    "pay_stub": 20,
    "w2": 15,
    "utility_bill": 20,
    "insurance_card": 15,
    "tax_return": 15,
    "other": 10,
}


def document(path: str, *classes: str, pages: int | None = 1, problem: LabelProblem | None = None) -> DocumentLabels:
    """A document whose sections have these classes, each of so many pages (None: its labels do not tell)."""
    sections = []
    for number, name in enumerate(classes):
        indices = None if pages is None else tuple(range(number * pages, (number + 1) * pages))
        sections.append(Section(class_name=name, page_indices=indices))
    return DocumentLabels(path=path, size=len(path), etag=path, sections=tuple(sections), problem=problem)


def labels(*documents: DocumentLabels, orphans: tuple[str, ...] = ()) -> Labels:
    """The labels of a test set."""
    return Labels(test_set_id="docsplit", documents=documents, orphans=orphans)


def of_classes(counts: dict[str, int], pages: int | None = 1) -> Labels:
    """Documents of one class each."""
    return labels(*(document(f"{name}/{n}.pdf", name, pages=pages) for name in counts for n in range(counts[name])))


def result_json(class_name: object, page_indices: object = None, **more: object) -> bytes:
    """A section's result.json in the accelerator's layout."""
    result: dict[str, object] = {"document_class": {"type": class_name}, "inference_result": {}, **more}
    if page_indices is not None:
        result["split_document"] = {"page_indices": page_indices}
    return json.dumps(result).encode()


def job(job_id: str = "6f1c2b1e-0000-4000-8000-000000000001", **changes: Any) -> FinetuningJob:
    """A job as startFinetuningJob records it."""
    values: dict[str, Any] = {
        "id": job_id,
        "job_name": "My classifier",
        "test_set_id": "docsplit",
        "test_set_name": "docsplit",
        "base_model": "us.amazon.nova-lite-v1:0",
        "base_model_name": "Nova Lite",
        "status": JobStatus.VALIDATING,
        "created_at": "2026-11-22T10:00:00.000Z",
        "updated_at": "2026-11-22T10:00:00.000Z",
        "train_split": 0.9,
        "hyper_parameters": HyperParameters(epoch_count=2, learning_rate=1e-5, learning_rate_warmup_steps=10),
        "created_by": "author@example.com",
    }
    return FinetuningJob(**(values | changes))


def image_bytes(image: Image.Image, image_format: str, **options: Any) -> bytes:
    """The image as a file; copies are saved, for Pillow leaves a format's settings on an image."""
    buffer = io.BytesIO()
    if "append_images" in options:
        options["append_images"] = [more.copy() for more in options["append_images"]]
    image.copy().save(buffer, image_format, **options)
    return buffer.getvalue()


def pdf(*pages: tuple[object, object, str], extra: str = "", claimed_pages: int | None = None) -> bytes:
    """A PDF with pages of (width, height, content stream) in points; `extra` goes into each page's dictionary."""
    first = 3
    kids = " ".join(f"{first + 2 * n} 0 R" for n in range(len(pages)))
    objects = [
        "<</Type/Catalog/Pages 2 0 R>>",
        f"<</Type/Pages/Kids[{kids}]/Count {len(pages) if claimed_pages is None else claimed_pages}>>",
    ]
    for n, (width, height, content) in enumerate(pages):
        objects.append(
            f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 {width} {height}]{extra}/Contents {first + 2 * n + 1} 0 R>>"
        )
        objects.append(f"<</Length {len(content)}>>stream\n{content}\nendstream")
    out, offsets = "%PDF-1.4\n", []
    for number, text in enumerate(objects, 1):
        offsets.append(len(out))
        out += f"{number} 0 obj\n{text}\nendobj\n"
    xref = "".join(f"{offset:010d} 00000 n \n" for offset in offsets)
    table = f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{xref}"
    trailer = f"trailer\n<</Size {len(objects) + 1}/Root 1 0 R>>\nstartxref\n{len(out)}\n%%EOF"
    return (out + table + trailer).encode()


def coloured_pdf(*colours: tuple[float, float, float], side: int = 40) -> bytes:
    """A PDF with a square page of each colour (0 to 1 a channel)."""
    return pdf(*((side, side, f"{r} {g} {b} rg 0 0 {side} {side} re f") for r, g, b in colours))


def upload_test_set(s3: Any, *, documents: int = 12, pages: int = 2, bucket: str = "documents") -> list[str]:
    """Test set docsplit in the accelerator's layout: two classes in turn, every third document a packet of both.

    The answer is the documents' keys.
    """
    keys = []
    for number in range(documents):
        path = f"sub {number % 2}/doc {number}.pdf"
        shade = number / max(documents, 1)
        first, second = ("invoice", "letter") if number % 2 else ("letter", "invoice")
        sections = [(first, list(range(pages)))]
        if number % 3 == 0 and pages > 1:
            sections = [(first, [0]), (second, list(range(1, pages)))]
        s3.put_object(
            Bucket=bucket,
            Key=f"docsplit/input/{path}",
            Body=coloured_pdf(*((shade, n / pages, 0.5) for n in range(pages))),
        )
        keys.append(f"docsplit/input/{path}")
        for section, (name, indices) in enumerate(sections, 1):
            key = f"docsplit/baseline/{path}/sections/{section}/result.json"
            s3.put_object(Bucket=bucket, Key=key, Body=result_json(name, indices))
    return keys


def ready_test_set(test_set_id: str = "docsplit") -> TestSetRecord:
    """Its record."""
    return TestSetRecord(
        id=test_set_id,
        name=test_set_id,
        file_count=12,
        status=TestSetStatus.READY,
        created_at=datetime(2026, 11, 22, 9, tzinfo=UTC),
    )
