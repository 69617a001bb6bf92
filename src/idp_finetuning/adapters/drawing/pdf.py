"""PDFs, drawn by PDFium as a person sees them: contents, annotations and the fields of forms."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import pypdfium2 as pdfium
import pypdfium2.raw as raw
from PIL import Image

from idp_finetuning.adapters.drawing.document import Drawing
from idp_finetuning.adapters.drawing.fallback_fonts import FallbackFonts
from idp_finetuning.adapters.drawing.limits import DPI, target_size
from idp_finetuning.adapters.drawing.pdf_annotations import Annotations, read_annotations
from idp_finetuning.adapters.drawing.pdf_faults import pages_without_contents, require_document, unreadable_pages
from idp_finetuning.adapters.drawing.pdf_glyphs import count_missing_glyphs
from idp_finetuning.adapters.drawing.pdf_images import images_are_whole, own_resolution, page_images
from idp_finetuning.errors import DocumentRejected

_OBJECT = re.compile(rb"\b\d+ \d+ obj\b")
_FLAGS = raw.FPDF_REVERSE_BYTE_ORDER
_FONTS = FallbackFonts()


class PdfPages:
    """A PDF opened by PDFium."""

    def __init__(self, content: bytes) -> None:
        if _is_cut_off(content):
            raise DocumentRejected("damaged", "The PDF ends in the middle. Copy or download it again.")
        self._content = content
        self._document = raw.FPDF_LoadMemDocument64(content, len(content), None)
        if not self._document:
            raise _not_opened(content)
        self._form: Any = None
        self._form_info: Any = None
        self.page_count = raw.FPDF_GetPageCount(self._document)
        if not self.page_count:
            raise _not_opened(b"")
        self._asked_fonts = _FONTS.asked
        require_document(content, self._document)
        self._unreadable = unreadable_pages(content)

    def draw(self, index: int) -> Drawing:
        """Draw a page at 150 dpi, or at the resolution of the one image it is.

        Raises DocumentRejected if something on it cannot be drawn.
        """
        if index in self._unreadable:
            raise damaged_page(index, "part of its contents cannot be read")
        with self._load(index) as page:
            if not raw.FPDFPage_CountObjects(page) and index in self._without_contents:
                raise damaged_page(index, "its contents are not in the file")
            annotations = read_annotations(page)
            if annotations.widgets and not self._form:
                self._begin_form()
            images = page_images(page)
            scale = own_resolution(page, images, annotations, DPI / 72)
            width, height = raw.FPDF_GetPageWidthF(page), raw.FPDF_GetPageHeightF(page)
            picture = self._render(page, target_size(width * scale, height * scale), annotations)
            if not images_are_whole(page, images, picture, self._content):
                raise damaged_page(index, "an image on it cannot be decoded")
            missing = 0
            if _FONTS.asked != self._asked_fonts:
                missing = count_missing_glyphs(page, picture, index)
            return Drawing(picture, missing)

    @cached_property
    def _without_contents(self) -> frozenset[int]:
        return pages_without_contents(self._content)

    def close(self) -> None:
        """Free the document."""
        if self._form:
            raw.FPDFDOC_ExitFormFillEnvironment(self._form)
        raw.FPDF_CloseDocument(self._document)

    @contextmanager
    def _load(self, index: int) -> Iterator[Any]:
        page = raw.FPDF_LoadPage(self._document, index)
        if page and not (raw.FPDF_GetPageWidthF(page) > 0 and raw.FPDF_GetPageHeightF(page) > 0):
            page = self._without_crop(page, index)
        if not page:
            raise DocumentRejected("damaged", f"Page {index + 1} of the PDF cannot be read; it is damaged.")
        try:
            yield page
        finally:
            if self._form:
                raw.FORM_OnBeforeClosePage(page, self._form)
            raw.FPDF_ClosePage(page)

    def _without_crop(self, page: Any, index: int) -> Any:
        """Load the page again with its MediaBox: a CropBox outside of it would leave nothing."""
        box = [ctypes.c_float() for _ in range(4)]
        if raw.FPDFPage_GetMediaBox(page, *box):
            raw.FPDFPage_SetCropBox(page, *box)
        raw.FPDF_ClosePage(page)
        return raw.FPDF_LoadPage(self._document, index)

    def _begin_form(self) -> None:
        """Make the environment that draws fields; it needs no AcroForm, which splitting a document often loses."""
        self._form_info = raw.FPDF_FORMFILLINFO(version=2)
        self._form = raw.FPDFDOC_InitFormFillEnvironment(self._document, self._form_info)

    def _render(self, page: Any, size: tuple[int, int], annotations: Annotations) -> Image.Image:
        bitmap = _BITMAPS.of_size(size)
        area = (bitmap, page, 0, 0, *size, 0)
        with _FONTS.for_lacking_letters():
            raw.FPDF_RenderPageBitmap(*area, _FLAGS)
        if annotations.others:
            # Alone, because fonts of their appearances are first asked for here, and are no fallback.
            for number in range(raw.FPDFPage_CountObjects(page)):
                raw.FPDFPageObj_SetIsActive(raw.FPDFPage_GetObject(page, number), 0)
            with annotations.fonts(_FONTS):
                raw.FPDF_RenderPageBitmap(*area, _FLAGS | raw.FPDF_ANNOT)
        if annotations.widgets and self._form:
            raw.FORM_OnAfterLoadPage(page, self._form)
            with annotations.fonts(_FONTS):
                raw.FPDF_FFLDraw(self._form, *area, _FLAGS | raw.FPDF_ANNOT)
        picture: Image.Image = bitmap.to_pil()
        return picture


class _Bitmaps:
    """One bitmap for all pages of a size, because fresh memory costs a third of drawing.

    It has four bytes a pixel in RGB order, as Pillow has in memory, so that the picture is no copy of it.
    """

    def __init__(self) -> None:
        self._bitmap: Any = None

    def of_size(self, size: tuple[int, int]) -> Any:
        if self._bitmap is None or (self._bitmap.width, self._bitmap.height) != size:
            self._bitmap = None
            self._bitmap = pdfium.PdfBitmap.new_foreign(
                *size, raw.FPDFBitmap_BGRx, rev_byteorder=True, force_packed=True
            )
        self._bitmap.fill_rect((255, 255, 255, 255), 0, 0, *size)
        return self._bitmap


_BITMAPS = _Bitmaps()


def damaged_page(index: int, what: str) -> DocumentRejected:
    """Return the rejection of a page on which something failed to draw."""
    return DocumentRejected("damaged_page", f"Page {index + 1} is damaged: {what}. Save the document again.")


def _is_cut_off(pdf: bytes) -> bool:
    """Return whether objects follow the last cross-reference: PDFium repairs such a file and draws blank pages.

    Every complete file ends with `startxref` (ISO 32000-1, 7.5.5); what mail gateways add after it is no object.
    """
    end = pdf.rfind(b"startxref")
    return end < 0 or _OBJECT.search(pdf, end) is not None


def _not_opened(content: bytes) -> DocumentRejected:
    # PDFium reports the last error of the process, which may be another document's.
    if b"/Encrypt" in content and raw.FPDF_GetLastError() in (raw.FPDF_ERR_PASSWORD, raw.FPDF_ERR_SECURITY):
        return DocumentRejected("encrypted", "The PDF is encrypted. Save it without a password.")
    return DocumentRejected("damaged", "The PDF cannot be opened; it is damaged, incomplete or has no pages.")
