"""Scans made from PDFs: grey, slightly turned, with grain and shadow."""

from __future__ import annotations

from io import BytesIO
from random import Random
from typing import Literal

import numpy as np
import pypdfium2
from PIL import Image

from idp_local.documents.sheet import DRAWN_AT

ScanFormat = Literal["png", "jpg", "tiff", "pdf"]
DPI = 100


def scan(pdf: bytes, form: ScanFormat, random: Random) -> bytes:
    """Scan a PDF as an office scanner would, at 100 dpi: TIFF in black and white, the other formats in greys.

    TIFF and PDF have all pages, PNG and JPEG the first one.
    """
    document = pypdfium2.PdfDocument(pdf)
    try:
        count = len(document) if form in ("tiff", "pdf") else 1
        pages = [
            _scan_page(document[number].render(scale=DPI / 72, grayscale=True).to_pil(), random)
            for number in range(count)
        ]
    finally:
        document.close()
    return _encode(pages, form)


def _scan_page(page: Image.Image, random: Random) -> Image.Image:
    turned = page.convert("L").rotate(
        random.uniform(-2.2, 2.2), resample=Image.Resampling.BILINEAR, fillcolor=random.randint(225, 255)
    )
    grain = np.random.default_rng(random.getrandbits(32))
    grey = np.asarray(turned, dtype=np.float32)
    darkening = np.linspace(random.uniform(0.82, 1.0), random.uniform(0.9, 1.0), grey.shape[1], dtype=np.float32)
    # One grain of noise for every other pixel is as coarse as a scanner's, and quarter the work.
    coarse = grain.normal(0, random.uniform(4, 12), ((grey.shape[0] + 1) // 2, (grey.shape[1] + 1) // 2))
    noise = coarse.astype(np.float32).repeat(2, axis=0).repeat(2, axis=1)[: grey.shape[0], : grey.shape[1]]
    return Image.fromarray(np.clip(grey * darkening + noise, 0, 255).astype(np.uint8))


def _encode(pages: list[Image.Image], form: ScanFormat) -> bytes:
    buffer = BytesIO()
    first, *rest = pages
    if form == "png":
        first.quantize(32, dither=Image.Dither.NONE).save(buffer, "PNG", dpi=(DPI, DPI), compress_level=3)
    elif form == "jpg":
        first.save(buffer, "JPEG", dpi=(DPI, DPI), quality=70)
    elif form == "tiff":
        # Black and white in fax compression, as office scanners write multi-page TIFF.
        first, *rest = [page.point(lambda grey: 255 * (grey > 140), mode="1") for page in pages]
        first.save(buffer, "TIFF", dpi=(DPI, DPI), save_all=True, append_images=rest, compression="group4")
    else:
        first.save(
            buffer,
            "PDF",
            resolution=DPI,
            save_all=True,
            append_images=rest,
            quality=70,
            creationDate=DRAWN_AT.timetuple(),
            modDate=DRAWN_AT.timetuple(),
        )
    return buffer.getvalue()
