"""What is a document by name, size and first bytes."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from idp_finetuning.adapters.pages import open_document
from idp_finetuning.errors import DocumentRejected
from idp_finetuning.test_sets.document_types import (
    BEGINNING_BYTES,
    OF_NO_TYPE,
    DocumentType,
    document_type,
    has_document_name,
    why_no_document,
)
from tests.support.domain.samples import coloured_pdf

BLUE = (20, 40, 200)


def picture(image_format: str) -> bytes:
    """A small picture as a file."""
    buffer = io.BytesIO()
    Image.new("RGB", (60, 50), BLUE).save(buffer, image_format)
    return buffer.getvalue()


@pytest.mark.parametrize("kind", [kind for kind in DocumentType if kind is not DocumentType.PDF])
def test_each_image_type_is_known_by_its_first_bytes(kind: DocumentType) -> None:
    assert document_type(picture(kind.name)[:BEGINNING_BYTES]) is kind


def test_a_pdf_is_one_also_after_junk_but_not_inside_an_image() -> None:
    assert document_type(coloured_pdf(BLUE)[:BEGINNING_BYTES]) is DocumentType.PDF
    assert document_type(b"From: scanner\r\n\r\n" + coloured_pdf(BLUE)) is DocumentType.PDF
    assert document_type(b" " * BEGINNING_BYTES + b"%PDF-1.7") is None
    assert document_type(picture("PNG") + b"%PDF-1.7") is DocumentType.PNG


@pytest.mark.parametrize(
    "content",
    [
        *(picture(kind.name) for kind in DocumentType if kind is not DocumentType.PDF),
        coloured_pdf(BLUE),
        b"junk " + coloured_pdf(BLUE),
        b"just text",
        b"BMW: an invoice for the repair of a car",
        b"PK\x03\x04 a Word document",
        b"{}",
        b"\x00" * 2000,
    ],
)
def test_what_is_of_no_type_is_what_cannot_be_opened_as_one(content: bytes) -> None:
    try:
        with open_document(content):
            code = ""
    except DocumentRejected as rejected:
        code = rejected.reason_code
    assert (code == "unsupported_type") is (document_type(content[:BEGINNING_BYTES]) is None)


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("invoice/Thumbs.db", "written by Windows"),
        ("invoice/THUMBS.DB", "written by Windows"),
        ("invoice/desktop.ini", "written by Windows"),
        ("$RECYCLE.BIN/a.pdf", "written by Windows"),
        ("__MACOSX/invoice/a.pdf", "written by macOS"),
        ("invoice/._a.pdf", "hidden"),
        ("invoice/.DS_Store", "hidden"),
        ("invoice/.~lock.a.odt#", "hidden"),
        ("invoice/@eaDir/a.pdf", "written by a Synology NAS"),
        ("invoice/~$letter.docx", "written by Office while a document is open"),
        ("invoice/scan.pdf", None),
        ("thumbs/desktop ini/~scan.pdf", None),
    ],
)
def test_litter_is_known_by_its_name(path: str, reason: str | None) -> None:
    assert why_no_document(path, 1, b"%PDF-") == reason


def test_size_and_content_decide_after_the_name() -> None:
    assert why_no_document("a.pdf", 0) == "empty"
    assert why_no_document("a.pdf", 250_000_000) is None
    assert why_no_document("a.pdf", 250_000_001) == "larger than 250 MB"
    assert why_no_document("a.txt", 5) is None
    assert why_no_document("a.txt", 5, b"hello") == OF_NO_TYPE
    assert why_no_document("a.txt", 5, b"%PDF-") is None
    assert [has_document_name(name) for name in ("x/A.PDF", "a.jpeg", "a.docx", "a", "pdf")] == [
        True,
        True,
        *[False] * 3,
    ]
