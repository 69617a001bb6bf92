"""What PDFium draws as nothing without a word: contents that cannot be read, and pages that only stand for others."""

from __future__ import annotations

import re
import zlib
from typing import Any

import pypdfium2.raw as raw

from idp_finetuning.adapters.drawing.pdf_objects import PdfObjects
from idp_finetuning.errors import DocumentRejected

_STREAM = re.compile(rb"stream\r?\n")
_DICTIONARY_WITHIN = 4096
_SKIPPED = (b"/Image", b"/XRef", b"/Length1", b"Type1C", b"CIDFontType0C", b"/OpenType", b"/ICCBased", b"/Alternate")
_KNOWN_FILTERS = re.compile(
    rb"/Filter\s*\[?\s*((?:/(?:FlateDecode|Fl|LZWDecode|LZW|ASCII85Decode|A85|ASCIIHexDecode|AHx|RunLengthDecode|RL|"
    rb"Crypt|DCTDecode|JPXDecode|CCITTFaxDecode|JBIG2Decode)\s*)+)\]?"
)
_PLACEHOLDER_WORDS = ("please wait", "adobe reader", "acrobat")


def require_document(content: bytes, document: Any) -> None:
    """Raise DocumentRejected if the pages only stand for a document that other programs show."""
    if b"/Collection" in content or raw.FPDFDoc_GetAttachmentCount(document) > 0:
        catalog = PdfObjects(content).catalog()
        if "Collection" in catalog:
            raise DocumentRejected(
                "placeholder", "The PDF is a portfolio, a cover with other files in it. Save those files by themselves."
            )
    kind = raw.FPDF_GetFormType(document)
    if kind == raw.FORMTYPE_XFA_FULL or (kind == raw.FORMTYPE_XFA_FOREGROUND and _asks_to_wait(document)):
        raise DocumentRejected(
            "placeholder",
            "The PDF is a dynamic XFA form, which only Adobe's programs show. Print it to a PDF there.",
        )


def _asks_to_wait(document: Any) -> bool:
    """Return whether a form has one page without fields that names the programs to open it with."""
    if raw.FPDF_GetPageCount(document) != 1:
        return False
    page = raw.FPDF_LoadPage(document, 0)
    if not page:
        return False
    text = raw.FPDFText_LoadPage(page)
    length = min(raw.FPDFText_CountChars(text), 5000)
    letters = "".join(chr(raw.FPDFText_GetUnicode(text, number) or 32) for number in range(length)).lower()
    fields = raw.FPDFPage_GetAnnotCount(page)
    raw.FPDFText_ClosePage(text)
    raw.FPDF_ClosePage(page)
    return not fields and any(words in letters for words in _PLACEHOLDER_WORDS)


def unreadable_pages(content: bytes) -> frozenset[int]:
    """Return the indices of pages with a content stream or form XObject that cannot be decoded to its end."""
    if b"/Encrypt" in content:
        return frozenset()
    broken = _broken_streams(content)
    return PdfObjects(content).pages_with_streams(broken) if broken else frozenset()


def pages_without_contents(content: bytes) -> frozenset[int]:
    """Return the indices of pages whose contents are not in the file; worth asking only for a page that is empty."""
    return frozenset() if b"/Encrypt" in content else PdfObjects(content).pages_without_contents()


def _broken_streams(content: bytes) -> list[int]:
    broken = []
    for match in _STREAM.finditer(content):
        if content[match.start() - 3 : match.start()] == b"end":
            continue
        before = content.rfind(b" obj", max(0, match.start() - _DICTIONARY_WITHIN), match.start())
        dictionary = content[before : match.start()] if before >= 0 else b""
        if b"/Filter" not in dictionary or any(word in dictionary for word in _SKIPPED):
            continue
        filters = _KNOWN_FILTERS.search(dictionary)
        if filters is None:
            if re.search(rb"/Filter\s*(\[\s*)?/", dictionary):
                broken.append(match.end())
        elif filters[1].split() in ([b"/FlateDecode"], [b"/Fl"]) and not _inflates(content, match.end()):
            broken.append(match.end())
    return broken


def _inflates(content: bytes, start: int) -> bool:
    """Return whether deflated data is there to its end; what the checksum says does not matter."""
    end = content.find(b"endstream", start)
    if end < 0:
        return False
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    data: bytes = content[start + 2 : end]
    try:
        while data and not inflate.eof:
            inflate.decompress(data, 1 << 22)
            data = inflate.unconsumed_tail
    except zlib.error:
        return False
    return inflate.eof
