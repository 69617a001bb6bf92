"""Whether the data of a black and white image (fax, JBIG2) reach to its last row.

PDFium draws missing rows as one colour and reports nothing.
"""

from __future__ import annotations

import struct
from typing import Any

import pypdfium2.raw as raw

from idp_finetuning.adapters.drawing.pdf_objects import PdfObjects

_TOLERATED_SHARE = 100  # one row of so many may be missing at the end, as viewers tolerate
_UNKNOWN_LENGTH = 0xFFFFFFFF
_PARAMETERS = ("K", "Columns", "Rows", "EncodedByteAlign", "EndOfLine", "EndOfBlock")
_OBJECT = b"%d 0 obj\n%s\nendobj\n"


def fax_ends_early(content: bytes, data: bytes) -> bool:
    """Return whether rows of a CCITT image are missing at its end; `data` is its encoded stream.

    It is decoded twice, once with black and white exchanged: rows that are there change, and missing rows do not. An
    image that is not found in the file, because the file is encrypted, counts as whole.
    """
    entries = PdfObjects(content).stream_with_data(data)
    parameters = entries.get("DecodeParms", entries.get("DP", {}))
    if isinstance(parameters, list):
        parameters = parameters[-1] if parameters else {}
    if not isinstance(parameters, dict):
        return False
    plain, exchanged = (_tail(entries, parameters, data, black_is_1) for black_is_1 in ("false", "true"))
    return bool(plain) and plain == exchanged


def _tail(entries: dict[str, Any], parameters: dict[str, Any], data: bytes, black_is_1: str) -> bytes:
    """Return the row that must be there of the image, empty if it cannot be decoded at all."""
    width, height = str(entries.get("Width", entries.get("W", ""))), str(entries.get("Height", entries.get("H", "")))
    if not (width.isdigit() and height.isdigit()):
        return b""
    chosen = "".join(f"/{name} {parameters[name]}" for name in _PARAMETERS if isinstance(parameters.get(name), str))
    image = (
        f"<</Type/XObject/Subtype/Image/Width {width}/Height {height}/BitsPerComponent 1/ColorSpace/DeviceGray"
        f"/Filter/CCITTFaxDecode/DecodeParms<<{chosen}/BlackIs1 {black_is_1}>>/Length {len(data)}>>\nstream\n"
    ).encode()
    document = _page_of(image + data + b"\nendstream")
    handle = raw.FPDF_LoadMemDocument64(document, len(document), None)
    page = raw.FPDF_LoadPage(handle, 0)
    bitmap = raw.FPDFImageObj_GetBitmap(raw.FPDFPage_GetObject(page, 0)) if page else None
    found = b""
    if bitmap:
        rows, stride = raw.FPDFBitmap_GetHeight(bitmap), raw.FPDFBitmap_GetStride(bitmap)
        buffer = raw.FPDFBitmap_GetBuffer(bitmap)
        row = rows - 1 - rows // _TOLERATED_SHARE
        used = raw.FPDFBitmap_GetWidth(bitmap)
        found = bytes((raw.c_ubyte * (row * stride + used)).from_address(buffer)[row * stride :])
        raw.FPDFBitmap_Destroy(bitmap)
    raw.FPDF_ClosePage(page)
    raw.FPDF_CloseDocument(handle)
    return found


def _page_of(image: bytes) -> bytes:
    """Return a document of one page with one image on it."""
    contents = b"q 100 0 0 100 0 0 cm /I Do Q"
    bodies = (
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 100 100]/Contents 4 0 R/Resources<</XObject<</I 5 0 R>>>>>>",
        b"<</Length %d>>\nstream\n%s\nendstream" % (len(contents), contents),
        image,
    )
    out, places = b"%PDF-1.7\n", []
    for number, body in enumerate(bodies, start=1):
        places.append(len(out))
        out += _OBJECT % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    return out + b"xref\n0 6\n0000000000 65535 f \n%strailer\n<</Size 6/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (
        table,
        len(out),
    )


def jbig2_ends_early(data: bytes) -> bool:
    """Return whether a segment of embedded JBIG2 data (ITU-T T.88, 7.2) is longer than what is left of them."""
    place = 0
    while place < len(data):
        try:
            number, flags, referred = struct.unpack_from(">IBB", data, place)
            place += 5
            count = referred >> 5
            if count == 7:
                count = struct.unpack_from(">I", data, place)[0] & 0x1FFFFFFF
                place += 4 + (count + 8) // 8
            else:
                place += 1
            place += count * (1 if number <= 256 else 2 if number <= 65536 else 4)
            place += 4 if flags & 0x40 else 1
            length = struct.unpack_from(">I", data, place)[0]
        except struct.error:
            return True
        if length == _UNKNOWN_LENGTH:
            return False
        place += 4 + length
    return place > len(data)
