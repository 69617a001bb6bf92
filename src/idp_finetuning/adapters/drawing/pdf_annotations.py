"""Annotations of a page: fields of forms, and the others that have something to draw."""

from __future__ import annotations

import ctypes
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NamedTuple

import pypdfium2.raw as raw

from idp_finetuning.adapters.drawing.fallback_fonts import FallbackFonts

_TEXTS = (b"V", b"DV", b"Contents", b"DA")


class Annotations(NamedTuple):
    """Whether a page has fields and other annotations, and whether one of them says more than Latin letters."""

    widgets: bool = False
    others: bool = False
    beyond_latin: bool = False

    def fonts(self, fonts: FallbackFonts) -> AbstractContextManager[None]:
        """Return how fonts are answered while they are drawn: PDFium's own unless their texts need others."""
        return fonts.for_lacking_letters() if self.beyond_latin else nullcontext()


def read_annotations(page: Any) -> Annotations:
    """Read the kinds and texts of a page's annotations."""
    widgets = others = beyond_latin = False
    for number in range(raw.FPDFPage_GetAnnotCount(page)):
        annotation = raw.FPDFPage_GetAnnot(page, number)
        if not annotation:
            continue
        kind = raw.FPDFAnnot_GetSubtype(annotation)
        if kind == raw.FPDF_ANNOT_WIDGET:
            widgets = True
        elif kind != raw.FPDF_ANNOT_LINK or raw.FPDFAnnot_HasKey(annotation, b"AP"):
            others = True
        if kind != raw.FPDF_ANNOT_LINK and not beyond_latin:
            beyond_latin = any(not _is_latin(_text(annotation, key)) for key in _TEXTS)
        raw.FPDFPage_CloseAnnot(annotation)
    return Annotations(widgets, others, beyond_latin)


def _text(annotation: Any, key: bytes) -> str:
    length = raw.FPDFAnnot_GetStringValue(annotation, key, None, 0)
    if length <= 2:
        return ""
    buffer = ctypes.create_string_buffer(length)
    raw.FPDFAnnot_GetStringValue(annotation, key, ctypes.cast(buffer, ctypes.POINTER(raw.FPDF_WCHAR)), length)
    return buffer.raw[: length - 2].decode("utf-16-le", "replace")


def _is_latin(text: str) -> bool:
    return text.isascii() or all(letter < "\u0180" or (letter > "\u2000" and letter < "\u2200") for letter in text)
