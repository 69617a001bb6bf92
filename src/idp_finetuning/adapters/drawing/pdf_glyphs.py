"""Characters of a page that no font could draw."""

from __future__ import annotations

import ctypes
from collections import Counter
from typing import Any

import pypdfium2.raw as raw
from PIL import Image

from idp_finetuning.adapters.drawing.pdf_images import is_one_colour
from idp_finetuning.errors import DocumentRejected

_INVISIBLE, _CLIP = 3, 7  # text rendering modes
_FEWEST = 2  # letters of a font, none of which shows


def count_missing_glyphs(page: Any, picture: Image.Image, index: int) -> int:
    """Return how many visible characters show nothing.

    Raises DocumentRejected if that is more than half of them, or all of one font.
    """
    text = raw.FPDFText_LoadPage(page)
    try:
        shown, missing = _count(page, text, picture)
    finally:
        raw.FPDFText_ClosePage(text)
    total = sum(missing.values())
    lost = [font for font, count in missing.items() if count >= _FEWEST and not shown[font]]
    if total and (lost or total > sum(shown.values())):
        raise DocumentRejected(
            "missing_glyphs",
            f"Page {index + 1} has {total} characters that no font here can show. Save the document with its fonts "
            "embedded.",
        )
    return total


def _count(page: Any, text: Any, picture: Image.Image) -> tuple[Counter[int], Counter[int]]:
    shown: Counter[int] = Counter()
    missing: Counter[int] = Counter()
    known: dict[tuple[int, int], bool] = {}
    for number in range(raw.FPDFText_CountChars(text)):
        letter = raw.FPDFText_GetUnicode(text, number)
        if raw.FPDFText_IsGenerated(text, number) == 1 or (letter and not chr(letter).strip()):
            continue
        handle = raw.FPDFText_GetTextObject(text, number)
        if not handle or raw.FPDFTextObj_GetTextRenderMode(handle) in (_INVISIBLE, _CLIP):
            continue
        font = raw.FPDFTextObj_GetFont(handle)
        key = ctypes.cast(font, ctypes.c_void_p).value or 0, letter
        has_glyph = known.get(key)
        if has_glyph is None:
            has_glyph = known[key] = _has_glyph(font, letter) or not _shows_nothing(page, text, number, picture)
        (shown if has_glyph else missing)[key[0]] += 1
    return shown, missing


def _has_glyph(font: Any, letter: int) -> bool:
    path = raw.FPDFFont_GetGlyphPath(font, letter, 12.0) if letter else None
    return bool(path) and raw.FPDFGlyphPath_CountGlyphSegments(path) > 0


def _shows_nothing(page: Any, text: Any, number: int, picture: Image.Image) -> bool:
    """Return whether the place of a character on the page has one colour."""
    box = raw.FS_RECTF()
    if not raw.FPDFText_GetLooseCharBox(text, number, box):
        return True
    points = []
    for x, y in ((box.left, box.top), (box.right, box.bottom)):
        across, down = ctypes.c_int(), ctypes.c_int()
        raw.FPDF_PageToDevice(page, 0, 0, *picture.size, 0, x, y, across, down)
        points.append((across.value, down.value))
    (left, right), (top, bottom) = (sorted(pair) for pair in zip(*points, strict=True))
    area = max(left, 0), max(top, 0), min(right + 1, picture.width), min(bottom + 1, picture.height)
    return area[0] < area[2] and area[1] < area[3] and is_one_colour(picture, area)
