"""Documents opened page by page and rendered as JPEGs that Bedrock's training and Converse both accept."""

from __future__ import annotations

import io
import math
import re
import struct
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import pypdfium2 as pdfium
import pypdfium2.raw as raw
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from idp_finetuning.errors import DocumentRejected
from idp_finetuning.test_sets.test_set import MAXIMUM_PAGES

DPI = 150
JPEG_QUALITY = 85
# Converse takes up to 8,000 px a side and 3.75 MB (botocore: bedrock-runtime Message.content); training takes sides
# from 25 px (dataset checks in AWS's Nova Forge SDK).
MINIMUM_SIDE = 25
MAXIMUM_SIDE = 8_000
MAXIMUM_BYTES = 3_750_000
# A0 at 300 dpi has 140 million pixels; more is a decompression bomb.
MAXIMUM_PIXELS = 150_000_000

_IMAGE_FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "TIFF", "BMP")
_IMAGE_SIGNATURES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"II*\0", b"MM\0*")
_PDF_HEADER_WITHIN = 1024  # Acrobat accepts junk before the header up to here
_PDF_OBJECT = re.compile(rb"\b\d+ \d+ obj\b")

# What Pillow raises on damaged files; TypeError for a TIFF without dimensions, struct.error for broken EXIF.
_PILLOW_FAILURES = (OSError, ValueError, SyntaxError, EOFError, MemoryError, TypeError, struct.error)

Image.MAX_IMAGE_PIXELS = None  # every image is held to MAXIMUM_PIXELS before it is decoded


class PageSource(ABC):
    """An opened document: how many pages it has, and each of them as a JPEG."""

    page_count: int

    @abstractmethod
    def _draw(self, index: int) -> Image.Image:
        """Return the page as an RGB or RGBX picture within the pixel limits; valid until the next call."""

    def jpeg(self, index: int) -> bytes:
        """Return the page with this 0-based index as a JPEG of 25 to 8,000 px a side and at most 3.75 MB.

        Raises DocumentRejected.
        """
        picture = self._draw(index)
        quality = JPEG_QUALITY
        while True:
            buffer = io.BytesIO()
            picture.save(buffer, "JPEG", quality=quality, comment=b"")  # else the document's own comment is copied
            if buffer.tell() <= MAXIMUM_BYTES:
                return buffer.getvalue()
            quality = max(quality - 15, 40)
            if quality == 40:
                smaller = tuple(max(side * 3 // 4, MINIMUM_SIDE) for side in picture.size)
                picture = picture.resize(cast("tuple[int, int]", smaller), Image.Resampling.LANCZOS)


@contextmanager
def open_document(content: bytes) -> Iterator[PageSource]:
    """Open the document in these bytes; its content decides the type.

    Raises DocumentRejected if it is empty, encrypted, damaged, of no supported type or has too many pages.
    PDFium is not thread-safe: one document at a time in a process.
    """
    if not content:
        raise DocumentRejected("empty", "The file is empty.")
    source = _PdfPages(content) if _is_pdf(content) else _ImagePages(content)
    with source:
        if source.page_count > MAXIMUM_PAGES:
            raise DocumentRejected(
                "too_many_pages",
                f"The document has {source.page_count} pages; at most {MAXIMUM_PAGES} are allowed. Split it.",
            )
        yield source


def _is_pdf(content: bytes) -> bool:
    """Return whether this is a PDF: there may be junk before the header, but not an image with PDF in its metadata."""
    return b"%PDF-" in content[:_PDF_HEADER_WITHIN] and not _begins_as_image(content)


def _is_cut_off(pdf: bytes) -> bool:
    """Return whether objects follow the last cross-reference: PDFium repairs such a file and draws blank pages.

    Every complete file ends with `startxref` (ISO 32000-1, 7.5.5); what mail gateways add after it is no object.
    """
    end = pdf.rfind(b"startxref")
    return end < 0 or _PDF_OBJECT.search(pdf, end) is not None


def _begins_as_image(content: bytes) -> bool:
    return content.startswith(_IMAGE_SIGNATURES) or content[:4] + content[8:12] == b"RIFFWEBP"


def target_size(width: float, height: float) -> tuple[int, int]:
    """Return the pixel size within the limits that is nearest to the given one. Raises DocumentRejected."""
    if not (width > 0 and height > 0 and math.isfinite(width * height)):
        raise DocumentRejected("page_size", "A page has no size. Save the document again.")
    scale = min(1.0, MAXIMUM_SIDE / max(width, height))
    scale = max(scale, MINIMUM_SIDE / min(width, height))
    size = max(round(width * scale), MINIMUM_SIDE), max(round(height * scale), MINIMUM_SIDE)
    if max(size) > MAXIMUM_SIDE:
        raise DocumentRejected(
            "page_size",
            f"A page is {max(width, height) / min(width, height):.0f} times as long as wide and cannot be brought "
            f"between {MINIMUM_SIDE} and {MAXIMUM_SIDE} pixels a side.",
        )
    return size


class _PdfPages(PageSource):
    def __init__(self, content: bytes) -> None:
        if _is_cut_off(content):
            raise DocumentRejected("damaged", "The PDF ends in the middle. Copy or download it again.")
        try:
            self._pdf = pdfium.PdfDocument(content)
        except pdfium.PdfiumError as error:
            # PDFium reports the last error of the process, which may be another document's.
            if b"/Encrypt" in content and ("password" in str(error).lower() or "security" in str(error).lower()):
                raise DocumentRejected("encrypted", "The PDF is encrypted. Save it without a password.") from error
            raise DocumentRejected(
                "damaged", "The PDF cannot be opened; it is damaged, incomplete or has no pages."
            ) from error
        self.page_count = len(self._pdf)
        if self._pdf.get_formtype() != 0:
            self._pdf.init_forms()  # filled-in fields belong to the page's picture
        self._bitmap: Any = None

    def __enter__(self) -> _PdfPages:
        return self

    def __exit__(self, *_: object) -> None:
        self._pdf.close()

    def _draw(self, index: int) -> Image.Image:
        try:
            page = self._pdf[index]
        except pdfium.PdfiumError as error:
            raise DocumentRejected("damaged", f"Page {index + 1} of the PDF cannot be read; it is damaged.") from error
        try:
            width, height = page.get_size()
            return self._render(page, target_size(width * DPI / 72, height * DPI / 72))
        except (pdfium.PdfiumError, MemoryError) as error:
            raise DocumentRejected("damaged", f"Page {index + 1} of the PDF cannot be drawn.") from error
        finally:
            page.close()

    def _render(self, page: pdfium.PdfPage, size: tuple[int, int]) -> Image.Image:
        """Draw the page in exactly this size: PdfPage.render rounds up, and scaling down costs more than drawing.

        One bitmap is used for all pages of a size, because fresh memory costs a third of drawing. It has four bytes a
        pixel in RGB order, as Pillow has in memory, so the picture is no copy of it.
        """
        if self._bitmap is None or (self._bitmap.width, self._bitmap.height) != size:
            self._bitmap = pdfium.PdfBitmap.new_foreign(
                *size, raw.FPDFBitmap_BGRx, rev_byteorder=True, force_packed=True
            )
        self._bitmap.fill_rect((255, 255, 255, 255), 0, 0, *size)
        drawing = (self._bitmap, page, 0, 0, *size, 0, raw.FPDF_ANNOT | raw.FPDF_REVERSE_BYTE_ORDER)
        raw.FPDF_RenderPageBitmap(*drawing)
        if page.formenv:
            raw.FPDF_FFLDraw(page.formenv, *drawing)
        picture: Image.Image = self._bitmap.to_pil()
        return picture


class _ImagePages(PageSource):
    def __init__(self, content: bytes) -> None:
        try:
            self._image = Image.open(io.BytesIO(content), formats=_IMAGE_FORMATS)
            self.page_count = getattr(self._image, "n_frames", 1) if self._image.format == "TIFF" else 1
        except UnidentifiedImageError as error:
            if _begins_as_image(content):
                raise _damaged_image() from error
            raise DocumentRejected(
                "unsupported_type", "The file is neither a PDF nor a PNG, JPEG, GIF, WebP, TIFF or BMP image."
            ) from error
        except _PILLOW_FAILURES as error:
            raise _damaged_image() from error

    def __enter__(self) -> _ImagePages:
        return self

    def __exit__(self, *_: object) -> None:
        self._image.close()

    def _draw(self, index: int) -> Image.Image:
        try:
            if self.page_count > 1:
                self._image.seek(index)
            width, height = self._image.size
            if width * height > MAXIMUM_PIXELS:
                raise DocumentRejected(
                    "decompression_bomb",
                    f"The image has {width} by {height} pixels; at most {MAXIMUM_PIXELS:,} are allowed.",
                )
            target_size(width, height)
            self._image.load()
            return _fit(_to_rgb(_turn_upright(self._image)))
        except _PILLOW_FAILURES as error:
            raise DocumentRejected("damaged", f"Image {index + 1} is damaged or incomplete.") from error


def _damaged_image() -> DocumentRejected:
    return DocumentRejected("damaged", "The image cannot be opened; it is damaged or incomplete.")


def _fit(picture: Image.Image) -> Image.Image:
    size = target_size(*picture.size)
    return picture if size == picture.size else picture.resize(size, Image.Resampling.LANCZOS)


def _turn_upright(picture: Image.Image) -> Image.Image:
    turned = picture.getexif().get(ExifTags.Base.Orientation, 1) != 1
    return ImageOps.exif_transpose(picture) if turned else picture  # it would copy an upright picture too


def _to_rgb(picture: Image.Image) -> Image.Image:
    """Convert any mode to RGB: transparency on white, 16-bit and float grey scaled to 8 bits."""
    if picture.mode.startswith("I") or picture.mode == "F":
        return _scale_grey(picture).convert("RGB")
    if picture.mode in ("RGBA", "LA") and picture.getchannel("A").getextrema() == (255, 255):
        return picture.convert("RGB")
    if picture.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in picture.info:
        layered = picture if picture.mode == "RGBA" else picture.convert("RGBA")
        flat = Image.new("RGB", layered.size, "white")
        flat.paste(layered, mask=layered.getchannel("A"))
        return flat
    return picture if picture.mode == "RGB" else picture.convert("RGB")


def _scale_grey(picture: Image.Image) -> Image.Image:
    deep = picture if picture.mode == "F" else picture.convert("I")
    low, high = cast("tuple[float, float]", deep.getextrema())
    # Whole numbers are 16-bit samples; anything else is stretched over its own range.
    bottom, top = (0.0, 65535.0) if deep.mode == "I" and low >= 0 and high <= 65535 else (low, max(high, low + 1e-9))
    scale = 255.0 / (top - bottom)
    return deep.convert("F").point(lambda value: value * scale - bottom * scale).convert("L")
