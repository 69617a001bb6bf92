"""The images on a page: how many pixels they hold, and whether each of them could be drawn."""

from __future__ import annotations

import ctypes
import io
import math
from collections.abc import Iterator
from itertools import chain
from typing import Any, NamedTuple

import pypdfium2.raw as raw
from PIL import Image

from idp_finetuning.adapters.drawing.pdf_annotations import Annotations
from idp_finetuning.adapters.drawing.pdf_bilevel import fax_ends_early, jbig2_ends_early

_MOST_NESTED = 8
_MOST_OBJECTS = 20_000
_INVISIBLE = 3  # text rendering mode of the text that OCR puts below a scan
_SMALLEST_SHARE = 0.5  # of a page's area, from which on it counts as being its one image
_NOT_SHOWN = raw.FPDF_ANNOT_FLAG_HIDDEN | raw.FPDF_ANNOT_FLAG_NOVIEW
_TOLERATED = 100  # one row of so many may be missing at the end, as viewers tolerate
_JPEG = ("DCTDecode", "DCT")
_FAX = ("CCITTFaxDecode", "CCF")
_WHOLE_BY_THEMSELVES = ("JPXDecode", "Crypt")  # PDFium decodes the former whole or not at all
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


def images_are_whole(page: Any, found: PageImages, picture: Image.Image, content: bytes) -> bool:
    """Return whether all images of the page can be decoded to their ends; `content` is the file."""
    shown = (image.handle for image in found.images if _may_fail(page, image, picture))
    return not any(_fails(page, handle, content) for handle in chain(shown, _annotated(page)))


def _may_fail(page: Any, image: PageImage, picture: Image.Image) -> bool:
    """Return whether an image looks as one that is not whole does: its end shows nothing, or its data have none."""
    filters = _filters(image.handle)
    if not set(filters) <= _FILTERS:
        return True
    if filters and filters[-1] in _JPEG and not _has_end(_jpeg(image.handle, filters)):
        return True
    return _is_flat(page, image, picture)


def _annotated(page: Any) -> Iterator[Any]:
    """Yield the images in the appearances of annotations that are shown; PDFium gives none of fields."""
    for number in range(raw.FPDFPage_GetAnnotCount(page)):
        annotation = raw.FPDFPage_GetAnnot(page, number)
        if not annotation:
            continue
        if not raw.FPDFAnnot_GetFlags(annotation) & _NOT_SHOWN:
            found = _leaves(annotation, raw.FPDFAnnot_GetObjectCount, raw.FPDFAnnot_GetObject, _UNIT, 0)
            yield from (handle for handle, kind, _ in found if kind == raw.FPDF_PAGEOBJ_IMAGE)
        raw.FPDFPage_CloseAnnot(annotation)


def _fails(page: Any, handle: Any, content: bytes) -> bool:
    """Return whether an image cannot be decoded, or not to its last row."""
    filters = _filters(handle)
    if not set(filters) <= _FILTERS or not _decodes(handle):
        return True
    last = filters[-1] if filters else ""
    if last in _JPEG:
        data = _jpeg(handle, filters)
        return not _has_end(data) and not _pillow_decodes(data)
    if last in _FAX:
        data = _data(handle, raw.FPDFImageObj_GetImageDataRaw)
        return len(filters) == 1 and fax_ends_early(content, data)
    if last == "JBIG2Decode":
        return jbig2_ends_early(_data(handle, _DECODED))
    return last not in _WHOLE_BY_THEMSELVES and _rows_missing(page, handle)


def _jpeg(handle: Any, filters: list[str]) -> bytes:
    return _data(handle, raw.FPDFImageObj_GetImageDataRaw if len(filters) == 1 else _DECODED)


def _has_end(jpeg: bytes) -> bool:
    return jpeg.rfind(b"\xff\xd9") > jpeg.rfind(b"\xff\xda")


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


def _rows_missing(page: Any, handle: Any) -> bool:
    """Return whether the decoded samples are fewer than the image's rows need."""
    found = raw.FPDF_IMAGEOBJ_METADATA()
    if not raw.FPDFImageObj_GetImageMetadata(handle, page, found):
        return False
    row = (found.width * found.bits_per_pixel + 7) // 8
    needed: int = row * (found.height - found.height // _TOLERATED)
    return int(raw.FPDFImageObj_GetImageDataDecoded(handle, None, 0)) < needed
