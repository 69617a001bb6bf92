"""The images on a page: how many pixels they hold, and whether each of them could be drawn."""

from __future__ import annotations

import ctypes
import io
import math
import zlib
from collections.abc import Iterator
from typing import Any, NamedTuple

import pypdfium2.raw as raw
from PIL import Image

from idp_finetuning.adapters.drawing.pdf_annotations import Annotations
from idp_finetuning.errors import DocumentRejected

_MOST_NESTED = 8
_MOST_OBJECTS = 20_000
_INVISIBLE = 3  # text rendering mode of the text that OCR puts below a scan
_SMALLEST_SHARE = 0.5  # of a page's area, from which on it counts as being its one image
_FILTERS = {
    *("FlateDecode", "Fl", "LZWDecode", "LZW", "ASCII85Decode", "A85", "ASCIIHexDecode", "AHx"),
    *("RunLengthDecode", "RL", "DCTDecode", "DCT", "JPXDecode", "CCITTFaxDecode", "CCF", "JBIG2Decode", "Crypt"),
}

Matrix = tuple[float, float, float, float, float, float]
_UNIT: Matrix = (1, 0, 0, 1, 0, 0)


class PageImage(NamedTuple):
    """An image on a page and where its unit square comes to lie, in points."""

    handle: Any
    matrix: Matrix


class PageImages(NamedTuple):
    """The images of a page, and whether it has nothing else that can be seen."""

    images: tuple[PageImage, ...]
    nothing_else: bool


def page_images(page: Any) -> PageImages:
    """Find the images of a page, also those in form XObjects."""
    images: list[PageImage] = []
    only_images = True
    for handle, kind, matrix in _leaves(page, raw.FPDFPage_CountObjects, raw.FPDFPage_GetObject, _UNIT, 0):
        if kind == raw.FPDF_PAGEOBJ_IMAGE:
            images.append(PageImage(handle, _multiply(_matrix(handle), matrix)))
        elif only_images and not (
            kind == raw.FPDF_PAGEOBJ_TEXT and raw.FPDFTextObj_GetTextRenderMode(handle) == _INVISIBLE
        ):
            only_images = False
    return PageImages(tuple(images), only_images)


def _leaves(holder: Any, count: Any, get: Any, matrix: Matrix, depth: int) -> Iterator[tuple[Any, int, Matrix]]:
    for number in range(min(count(holder), _MOST_OBJECTS)):
        handle = get(holder, number)
        kind = raw.FPDFPageObj_GetType(handle)
        if kind == raw.FPDF_PAGEOBJ_FORM and depth < _MOST_NESTED:
            inner = _multiply(_matrix(handle), matrix)
            yield from _leaves(handle, raw.FPDFFormObj_CountObjects, raw.FPDFFormObj_GetObject, inner, depth + 1)
        else:
            yield handle, kind, matrix


def _matrix(handle: Any) -> Matrix:
    found = raw.FS_MATRIX()
    if not raw.FPDFPageObj_GetMatrix(handle, found):
        return _UNIT
    return found.a, found.b, found.c, found.d, found.e, found.f


def _multiply(first: Matrix, then: Matrix) -> Matrix:
    a, b, c, d, e, f = first
    g, h, i, j, k, m = then
    return a * g + b * i, a * h + b * j, c * g + d * i, c * h + d * j, e * g + f * i + k, e * h + f * j + m


def own_resolution(page: Any, found: PageImages, annotations: Annotations, most: float) -> float:
    """Return pixels a point: `most`, or fewer if the page is one image that holds fewer."""
    if len(found.images) != 1 or not found.nothing_else or annotations.widgets or annotations.others:
        return most
    handle, (a, b, c, d, _, _) = found.images[0]
    width, height = ctypes.c_uint(), ctypes.c_uint()
    across, down = math.hypot(a, b), math.hypot(c, d)
    area = raw.FPDF_GetPageWidthF(page) * raw.FPDF_GetPageHeightF(page)
    if not raw.FPDFImageObj_GetImagePixelSize(handle, width, height) or not (across > 0 and down > 0 and area > 0):
        return most
    if abs(a * d - b * c) < _SMALLEST_SHARE * area:
        return most
    own = max(width.value / across, height.value / down)
    return min(most, own) if own > 0 else most


def require_images(page: Any, found: PageImages, picture: Image.Image, index: int) -> None:
    """Raise DocumentRejected if an image of the page cannot be decoded, or not to its end."""
    for image in found.images:
        if _fails(page, image, picture):
            raise DocumentRejected(
                "damaged_page",
                f"Page {index + 1} is damaged: an image on it cannot be decoded. Save the document again.",
            )


def _fails(page: Any, image: PageImage, picture: Image.Image) -> bool:
    """Return whether an image is not whole: by its structure, and by decoding it if its end looks like nothing."""
    filters = _filters(image.handle)
    if not set(filters) <= _FILTERS:
        return True
    last = filters[-1] if filters else ""
    if last in ("DCTDecode", "DCT"):
        data = _data(image.handle, raw.FPDFImageObj_GetImageDataRaw if len(filters) == 1 else _DECODED)
        if data.rfind(b"\xff\xd9") > data.rfind(b"\xff\xda"):
            return _is_flat(page, image, picture) and not _decodes(image.handle)
        return not _pillow_decodes(data)
    if not _is_flat(page, image, picture):
        return False
    if not _decodes(image.handle):
        return True
    return filters == ["FlateDecode"] and _ends_early(image.handle)


def _filters(handle: Any) -> list[str]:
    names = []
    for number in range(raw.FPDFImageObj_GetImageFilterCount(handle)):
        buffer = ctypes.create_string_buffer(64)
        raw.FPDFImageObj_GetImageFilter(handle, number, buffer, 64)
        names.append(buffer.value.decode("latin-1"))
    return names


_DECODED = raw.FPDFImageObj_GetImageDataDecoded


def _data(handle: Any, read: Any) -> bytes:
    length = read(handle, None, 0)
    buffer = ctypes.create_string_buffer(length)
    read(handle, buffer, length)
    return buffer.raw


def _is_flat(page: Any, image: PageImage, picture: Image.Image) -> bool:
    """Return whether the last rows of the image show one colour, or nothing is left of it on the page."""
    a, b, c, d, e, f = image.matrix
    corners = [(a * x + c * y + e, b * x + d * y + f) for x, y in ((0, 0), (1, 0), (0, 0.04), (1, 0.04))]
    points = [_to_pixels(page, picture.size, *corner) for corner in corners]
    left, right = (pick(x for x, _ in points) for pick in (min, max))
    top, bottom = (pick(y for _, y in points) for pick in (min, max))
    area = max(left, 0), max(top, 0), min(right + 1, picture.width), min(bottom + 1, picture.height)
    if area[0] >= area[2] or area[1] >= area[3]:
        return False  # outside of the page
    return is_one_colour(picture, area)


def is_one_colour(picture: Image.Image, area: tuple[int, int, int, int]) -> bool:
    """Return whether a part of the picture shows nothing."""
    found: Any = picture.crop(area).getextrema()
    return all(low == high for low, high in found[:3])


def _to_pixels(page: Any, size: tuple[int, int], x: float, y: float) -> tuple[int, int]:
    across, down = ctypes.c_int(), ctypes.c_int()
    raw.FPDF_PageToDevice(page, 0, 0, *size, 0, x, y, across, down)
    return across.value, down.value


def _decodes(handle: Any) -> bool:
    bitmap = raw.FPDFImageObj_GetBitmap(handle)
    if not bitmap:
        return False
    raw.FPDFBitmap_Destroy(bitmap)
    return True


def _pillow_decodes(data: bytes) -> bool:
    try:
        with Image.open(io.BytesIO(data), formats=["JPEG"]) as image:
            image.load()
    except (OSError, ValueError, SyntaxError):
        return False
    return True


def _ends_early(handle: Any) -> bool:
    """Return whether deflated rows are missing at the end."""
    inflate = zlib.decompressobj()
    try:
        inflate.decompress(_data(handle, raw.FPDFImageObj_GetImageDataRaw))
    except zlib.error:
        return True
    return not inflate.eof
