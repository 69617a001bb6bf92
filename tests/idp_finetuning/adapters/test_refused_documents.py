"""Documents that are not taken: each with its own reason, and none takes the process with it."""

from __future__ import annotations

import random
import warnings

import pytest
from fpdf import FPDF
from PIL import Image

from idp_finetuning.adapters.drawing import limits
from idp_finetuning.adapters.drawing.limits import target_size
from idp_finetuning.adapters.pages import open_document
from idp_finetuning.errors import DocumentRejected
from tests.support.domain.samples import coloured_pdf, image_bytes, pdf

RED = Image.new("RGB", (60, 50), (200, 30, 30))
NOISE = Image.effect_noise((60, 50), 80)


def encrypted_pdf() -> bytes:
    """A PDF that opens with a password only."""
    document = FPDF()
    document.add_page()
    document.set_encryption(owner_password="owner", user_password="user")
    return bytes(document.output())


def render_all(content: bytes) -> None:
    """Opens the document and draws all its pages."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's, about the damage
        with open_document(content) as source:
            for index in range(source.page_count):
                source.jpeg(index)


def half(content: bytes) -> bytes:
    """What is left of a file whose transfer broke off."""
    return content[: len(content) // 2]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        pytest.param(b"", "empty", id="zero bytes"),
        pytest.param(b"Dear all, please find attached", "unsupported_type", id="text"),
        pytest.param(b"PK\x03\x04" + bytes(200), "unsupported_type", id="Word file"),
        pytest.param(b"<svg xmlns='http://www.w3.org/2000/svg'/>", "unsupported_type", id="SVG"),
        pytest.param(image_bytes(RED, "ICO"), "unsupported_type", id="icon"),
        pytest.param(b"%PDF-1.7\nthis is only text", "damaged", id="text that says it is a PDF"),
        pytest.param(half(coloured_pdf((1, 0, 0))), "damaged", id="truncated PDF"),
        pytest.param(coloured_pdf((1, 0, 0))[:20], "damaged", id="header of a PDF"),
        pytest.param(encrypted_pdf(), "encrypted", id="encrypted PDF"),
        pytest.param(pdf((72, 72, ""), claimed_pages=1_000_000), "too_many_pages", id="a million pages claimed"),
        pytest.param(pdf((72, 72, ""), claimed_pages=400), "damaged", id="400 pages claimed, one there"),
        pytest.param(pdf(), "damaged", id="no page"),
        pytest.param(pdf((200_000, 10, "")), "page_size", id="a page 200,000 points long"),
        pytest.param(pdf((10, 14_400, "")), "page_size", id="a tall thin page"),
        pytest.param(image_bytes(Image.new("RGB", (1, 400)), "PNG"), "page_size", id="a thin image"),
        pytest.param(image_bytes(Image.new("1", (20_000, 10_000)), "PNG"), "decompression_bomb", id="bomb"),
        pytest.param(half(image_bytes(NOISE, "PNG")), "damaged", id="truncated PNG"),
        pytest.param(half(image_bytes(NOISE, "JPEG")), "damaged", id="truncated JPEG"),
        pytest.param(half(image_bytes(NOISE, "BMP")), "damaged", id="truncated BMP"),
        pytest.param(half(image_bytes(NOISE, "GIF")), "damaged", id="truncated GIF"),
        pytest.param(half(image_bytes(NOISE, "WEBP")), "damaged", id="truncated WebP"),
        pytest.param(half(image_bytes(NOISE, "TIFF", compression="tiff_lzw")), "damaged", id="truncated TIFF"),
        pytest.param(b"II*\0\x08\0\0\0\0\0\0\0\0\0", "damaged", id="TIFF without dimensions"),
    ],
)
def test_a_bad_document_is_rejected_with_its_reason(content: bytes, code: str) -> None:
    with pytest.raises(DocumentRejected) as rejected:
        render_all(content)
    assert rejected.value.reason_code == code
    assert rejected.value.message.startswith(f"{code}: ")
    assert len(rejected.value.message) < 200


def test_a_pdf_of_500_pages_is_taken_and_of_501_is_not() -> None:
    page = (30, 30, "")
    with open_document(pdf(*[page] * 500)) as source:
        assert source.page_count == 500
    with pytest.raises(DocumentRejected, match="The document has 501 pages; at most 500 are allowed"):
        render_all(pdf(*[page] * 501))


@pytest.mark.parametrize("width", [float("nan"), float("inf"), 0.0, -3.0])
def test_a_page_without_a_size_is_rejected(width: float) -> None:
    with pytest.raises(DocumentRejected, match="A page has no size"):
        target_size(width, 100)


def test_every_size_is_brought_within_the_limits_or_rejected() -> None:
    rng = random.Random(7)
    for _ in range(3000):
        width, height = (10 ** rng.uniform(-3, 7) for _ in range(2))
        ratio = max(width, height) / min(width, height)
        if ratio > 320.1:
            with pytest.raises(DocumentRejected):
                target_size(width, height)
        elif ratio < 319:
            size = target_size(width, height)
            assert min(size) >= limits.MINIMUM_SIDE
            assert max(size) <= limits.MAXIMUM_SIDE
            assert abs(size[0] / width - size[1] / height) * min(width, height) <= 1 + 1e-9 * max(size)


def test_a_pdf_that_breaks_off_anywhere_is_rejected_though_pdfium_would_mend_it() -> None:
    whole = coloured_pdf((200, 30, 30))
    for length in range(1, whole.rindex(b"startxref"), 7):
        with pytest.raises(DocumentRejected) as refused:
            render_all(whole[:length])
        assert refused.value.reason_code in ("damaged", "unsupported_type")  # before its header is whole


def test_bytes_behind_a_whole_pdf_do_no_harm() -> None:
    for behind in (b"\n\n", bytes(3000), b"-- sent by a gateway"):
        render_all(coloured_pdf((200, 30, 30)) + behind)


def test_a_document_damaged_anywhere_is_rendered_or_rejected() -> None:
    """Seeded damage to files of every type: whatever Pillow or PDFium make of it, nothing else gets out."""
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = "text"
    originals = [
        coloured_pdf((1, 0, 0), (0, 1, 0)),
        image_bytes(RED, "PNG"),
        image_bytes(NOISE, "JPEG", exif=exif),
        image_bytes(RED.convert("CMYK"), "JPEG"),
        image_bytes(RED.quantize(), "GIF"),
        image_bytes(RED, "WEBP", exif=exif),
        image_bytes(RED, "BMP"),
        image_bytes(RED, "TIFF", save_all=True, append_images=[NOISE]),
        image_bytes(NOISE.convert("F"), "TIFF"),
    ]
    rng = random.Random(8)
    outcomes = {"rendered": 0, "rejected": 0}
    for _ in range(1500):
        content = bytearray(rng.choice(originals))
        for _ in range(rng.randint(1, 6)):
            content[rng.randrange(min(len(content), rng.choice((60, 300, 10**9))))] = rng.choice((0, 1, 127, 255))
        if rng.random() < 0.2:
            content = content[: rng.randrange(1, len(content))]
        try:
            render_all(bytes(content))
            outcomes["rendered"] += 1
        except DocumentRejected:
            outcomes["rejected"] += 1
    assert min(outcomes.values()) > 100


def test_a_document_is_not_called_encrypted_because_the_one_before_it_was() -> None:
    """PDFium keeps the last error of the process, and says nothing of its own about a PDF without pages."""
    for content, code in ((encrypted_pdf(), "encrypted"), (pdf(), "damaged")):
        with pytest.raises(DocumentRejected) as rejected:
            render_all(content)
        assert rejected.value.reason_code == code
