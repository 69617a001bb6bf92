"""What is a document, by name, size and first bytes: the one rule of uploads, validation and rendering."""

from __future__ import annotations

from enum import StrEnum
from pathlib import PurePosixPath

MAXIMUM_DOCUMENT_BYTES = 250_000_000
# Acrobat accepts junk before a PDF's header up to here; no other type needs as many bytes.
BEGINNING_BYTES = 1024

EMPTY = "empty"
TOO_LARGE = f"larger than {MAXIMUM_DOCUMENT_BYTES // 1_000_000} MB"
OF_NO_TYPE = "neither a PDF nor a PNG, JPEG, GIF, WebP, TIFF or BMP image"
HIDDEN = "hidden"

_LITTER = {
    "thumbs.db": "written by Windows",
    "ehthumbs.db": "written by Windows",
    "ehthumbs_vista.db": "written by Windows",
    "desktop.ini": "written by Windows",
    "$recycle.bin": "written by Windows",
    "system volume information": "written by Windows",
    "icon\r": "written by macOS",
    "__macosx": "written by macOS",
    "@eadir": "written by a Synology NAS",
}


class DocumentType(StrEnum):
    """The types that pages are made of."""

    PDF = "PDF"
    PNG = "PNG"
    JPEG = "JPEG"
    GIF = "GIF"
    WEBP = "WebP"
    TIFF = "TIFF"
    BMP = "BMP"


_SIGNATURES = {
    DocumentType.PNG: (b"\x89PNG",),
    DocumentType.JPEG: (b"\xff\xd8\xff",),
    DocumentType.GIF: (b"GIF8",),
    DocumentType.TIFF: (b"II*\0", b"MM\0*", b"II\0*", b"MM*\0", b"II+\0", b"MM\0+"),
}
_BMP_HEADER_SIZES = frozenset({12, 40, 52, 56, 64, 108, 124})  # "BM" alone begins texts too
_EXTENSIONS = frozenset({".pdf", ".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".gif", ".webp", ".tif", ".tiff", ".bmp"})


def document_type(beginning: bytes) -> DocumentType | None:
    """Return the type that the first 1,024 bytes of a file show, or None.

    There may be junk before a PDF's header, but an image with a PDF in its metadata is an image.
    """
    for kind, signatures in _SIGNATURES.items():
        if beginning.startswith(signatures):
            return kind
    if beginning[:4] + beginning[8:12] == b"RIFFWEBP":
        return DocumentType.WEBP
    if b"%PDF-" in beginning[:BEGINNING_BYTES]:
        return DocumentType.PDF
    is_bmp = beginning.startswith(b"BM") and int.from_bytes(beginning[14:18], "little") in _BMP_HEADER_SIZES
    return DocumentType.BMP if is_bmp else None


def why_litter(path: str) -> str | None:
    """Return why a file is none that a person put there, by any part of its path; None if it may be one."""
    for part in PurePosixPath(path).parts:
        name = part.lower()
        if part.startswith("."):
            return HIDDEN
        if name in _LITTER:
            return _LITTER[name]
        if part.startswith("~$"):
            return "written by Office while a document is open"
    return None


def why_no_document(path: str, size: int, beginning: bytes | None = None) -> str | None:
    """Return why a file is no document, or None if nothing speaks against it.

    `size` is in bytes, `beginning` the file's first 1,024 bytes if they are known.
    """
    if reason := why_litter(path):
        return reason
    if size == 0:
        return EMPTY
    if size > MAXIMUM_DOCUMENT_BYTES:
        return TOO_LARGE
    return OF_NO_TYPE if beginning is not None and document_type(beginning) is None else None


def has_document_name(path: str) -> bool:
    """Return whether the name ends as documents do; if not, only the first bytes show what the file is."""
    return PurePosixPath(path).suffix.lower() in _EXTENSIONS
