"""CPU time of making page images, against the least that rendering and encoding the same pages takes."""

from __future__ import annotations

import io
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pypdfium2 as pdfium
import pypdfium2.raw as raw
from PIL import Image

from idp_finetuning.adapters.drawing.limits import JPEG_QUALITY
from idp_finetuning.adapters.pages import open_document
from idp_finetuning.errors import DocumentRejected
from idp_sdk import LabelledDocument

PASSES = 3

Size = tuple[int, int]


def measure_page_generation(documents: Sequence[LabelledDocument]) -> dict[str, Any]:
    """Measure pages per CPU second of the product and of the floor, medians of interleaved passes, and their ratio.

    The product is timed from a document's bytes to the JPEG bytes of its pages, in this process and in the one that
    draws. The floor is PDFium opening the document and drawing its pages at the product's sizes, in the fastest known
    way, in this process and without a check, and Pillow encoding them at quality 85; of an image, decoding and
    encoding, by way of RGB. Both alternate document by document.
    """
    contents = [document.read() for document in documents]
    sizes = [_sizes(content) for content in contents]
    usable = [(content, size) for content, size in zip(contents, sizes, strict=True) if size]
    pages = sum(len(size) for _, size in usable)
    product: list[float] = []
    floor: list[float] = []
    for _ in range(PASSES):
        product_seconds = floor_seconds = 0.0
        for content, size in usable:
            product_seconds += _run_product(content)
            floor_seconds += (
                _run_pdf_floor(content, size) if b"%PDF-" in content[:1024] else _run_image_floor(content, size)
            )
        product.append(product_seconds)
        floor.append(floor_seconds)
    return {
        "ratio": round(statistics.median(f / p for f, p in zip(floor, product, strict=True)), 3),
        "pagesPerCpuSecond": round(pages / statistics.median(product), 1),
        "floorPagesPerCpuSecond": round(pages / statistics.median(floor), 1),
        "pages": pages,
        "documents": len(usable),
        "passes": PASSES,
    }


def _sizes(content: bytes) -> list[Size]:
    """Return pixel sizes of the product's pages, none if it rejects the document. This run also warms caches."""
    try:
        with open_document(content) as source:
            return [Image.open(io.BytesIO(source.jpeg(index))).size for index in range(source.page_count)]
    except DocumentRejected:
        return []


def _run_product(content: bytes) -> float:
    with open_document(content) as source:
        drawing = source.process_id
    began = time.process_time() + _cpu_seconds(drawing)
    with open_document(content) as source:
        for index in range(source.page_count):
            source.jpeg(index)
        if source.process_id != drawing:
            raise RuntimeError("the process that draws was not kept")
    return time.process_time() + _cpu_seconds(drawing) - began


def _cpu_seconds(process: int) -> float:
    """Return the processor time of another process (Linux): nanoseconds of its only busy thread."""
    return int(Path(f"/proc/{process}/schedstat").read_text().split()[0]) / 1e9


def _run_pdf_floor(content: bytes, sizes: Sequence[Size]) -> float:
    began = time.process_time()
    document = pdfium.PdfDocument(content)
    if document.get_formtype():
        document.init_forms()
    bitmap: Any = None
    bitmap_size = (0, 0)
    flags = raw.FPDF_ANNOT | raw.FPDF_REVERSE_BYTE_ORDER
    for index, size in enumerate(sizes):
        page = document[index]
        if size != bitmap_size:
            bitmap = pdfium.PdfBitmap.new_foreign(*size, raw.FPDFBitmap_BGRx, rev_byteorder=True, force_packed=True)
            bitmap_size = size
        raw.FPDFBitmap_FillRect(bitmap, 0, 0, *size, 0xFFFFFFFF)
        raw.FPDF_RenderPageBitmap(bitmap, page, 0, 0, *size, 0, flags)
        if page.formenv:
            raw.FPDF_FFLDraw(page.formenv, bitmap, page, 0, 0, *size, 0, flags)
        bitmap.to_pil().save(io.BytesIO(), "JPEG", quality=JPEG_QUALITY)
        page.close()
    document.close()
    return time.process_time() - began


def _run_image_floor(content: bytes, sizes: Sequence[Size]) -> float:
    began = time.process_time()
    with Image.open(io.BytesIO(content)) as image:
        for index in range(len(sizes)):
            if index:
                image.seek(index)
            image.load()
            picture = image if image.mode == "RGB" else image.convert("RGB")
            picture.save(io.BytesIO(), "JPEG", quality=JPEG_QUALITY)
    return time.process_time() - began
