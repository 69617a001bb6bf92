"""Documents that are taken: each page as a JPEG with the right pixels."""

from __future__ import annotations

import io
import random

import pytest
from fpdf import FPDF
from fpdf.enums import AccessPermission
from PIL import Image, ImageChops, ImageDraw
from PIL.PngImagePlugin import PngInfo

from idp_finetuning.adapters.pages import open_document
from tests.support.domain.samples import coloured_pdf, image_bytes, pdf

RED, GREEN, BLUE, WHITE = (200, 30, 30), (30, 160, 60), (20, 40, 200), (255, 255, 255)


def pages(content: bytes) -> list[Image.Image]:
    """All pages, each held against the limits of training and Converse."""
    found: list[Image.Image] = []
    with open_document(content) as source:
        for index in range(source.page_count):
            jpeg = source.jpeg(index)
            image = Image.open(io.BytesIO(jpeg))
            assert image.format == "JPEG"
            assert image.mode in ("L", "RGB")
            assert len(jpeg) <= 3_750_000
            assert min(image.size) >= 25
            assert max(image.size) <= 8_000
            found.append(image)
    return found


def quadrants(*colours: tuple[int, int, int], size: tuple[int, int] = (64, 48)) -> Image.Image:
    """A picture whose corners tell which way up it is."""
    width, height = size
    picture = Image.new("RGB", size)
    draw = ImageDraw.Draw(picture)
    for n, colour in enumerate(colours):
        left, top = (n % 2) * width // 2, (n // 2) * height // 2
        draw.rectangle((left, top, left + width // 2 - 1, top + height // 2 - 1), fill=colour)
    return picture


def assert_same(found: Image.Image, reference: Image.Image, tolerance: int = 12) -> None:
    """Same size, and on average no pixel further away than JPEG takes it."""
    assert found.size == reference.size
    difference = ImageChops.difference(found.convert("RGB"), reference.convert("RGB")).resize(
        (1, 1), Image.Resampling.BOX
    )
    assert max(difference.getpixel((0, 0))) <= tolerance  # type: ignore[arg-type]


PICTURE = quadrants(RED, GREEN, BLUE, WHITE)
GREY = Image.linear_gradient("L").resize((64, 48))


@pytest.mark.parametrize(
    ("content", "reference"),
    [
        pytest.param(image_bytes(PICTURE, "PNG"), PICTURE, id="PNG"),
        pytest.param(image_bytes(PICTURE, "JPEG"), PICTURE, id="JPEG"),
        pytest.param(image_bytes(PICTURE, "BMP"), PICTURE, id="BMP"),
        pytest.param(image_bytes(PICTURE, "WEBP", lossless=True), PICTURE, id="WebP"),
        pytest.param(image_bytes(PICTURE.quantize(), "GIF"), PICTURE, id="GIF"),
        pytest.param(image_bytes(PICTURE, "TIFF", compression="tiff_lzw"), PICTURE, id="TIFF"),
        pytest.param(image_bytes(PICTURE.quantize(), "PNG"), PICTURE, id="palette"),
        pytest.param(image_bytes(GREY, "PNG"), GREY, id="grey"),
        pytest.param(
            image_bytes(PICTURE.quantize(), "GIF", save_all=True, append_images=[GREY.quantize()]),
            PICTURE,
            id="animated GIF",
        ),
        pytest.param(
            image_bytes(PICTURE, "WEBP", save_all=True, append_images=[GREY.convert("RGB")], lossless=True),
            PICTURE,
            id="animated WebP",
        ),
        pytest.param(
            image_bytes(PICTURE, "PNG", save_all=True, append_images=[GREY.convert("RGB")]), PICTURE, id="animated PNG"
        ),
        pytest.param(
            image_bytes(PICTURE, "MPO", save_all=True, append_images=[PICTURE.rotate(180)]), PICTURE, id="phone's JPEG"
        ),
        pytest.param(image_bytes(PICTURE.convert("CMYK"), "JPEG", quality=95), PICTURE, id="CMYK JPEG"),
        pytest.param(image_bytes(PICTURE.convert("CMYK"), "TIFF"), PICTURE, id="CMYK TIFF"),
        pytest.param(image_bytes(PICTURE.convert("YCbCr"), "TIFF"), PICTURE, id="YCbCr TIFF"),
        pytest.param(
            image_bytes(GREY.convert("I").point(lambda v: v * 257).convert("I;16"), "PNG"), GREY, id="16-bit PNG"
        ),
        pytest.param(image_bytes(GREY.convert("I;16"), "TIFF"), Image.new("L", GREY.size, 0), id="dark 16-bit TIFF"),
        pytest.param(image_bytes(GREY.convert("F"), "TIFF"), GREY, id="float TIFF"),
        pytest.param(
            image_bytes(PICTURE.convert("1"), "TIFF", compression="group4"), PICTURE.convert("1"), id="1-bit TIFF"
        ),
        pytest.param(image_bytes(PICTURE, "PNG", pnginfo=None, icc_profile=b"broken"), PICTURE, id="broken profile"),
    ],
)
def test_an_image_becomes_one_page_with_its_own_pixels(content: bytes, reference: Image.Image) -> None:
    (page,) = pages(content)
    assert_same(page, reference)


def test_every_page_of_a_tiff_is_taken_in_its_own_mode() -> None:
    bilevel = Image.new("1", (40, 30), 1)
    content = image_bytes(PICTURE, "TIFF", save_all=True, append_images=[GREY, bilevel, PICTURE.rotate(180)])
    found = pages(content)
    for page, reference in zip(found, [PICTURE, GREY, bilevel, PICTURE.rotate(180)], strict=True):
        assert_same(page, reference)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "RGB", "L", "1"])
def test_transparency_lies_on_white(mode: str) -> None:
    if mode in ("RGBA", "LA"):
        layered = Image.new("RGBA", (40, 40), (0, 0, 0, 0)).convert(mode)
        content = image_bytes(layered, "PNG")
    else:
        flat = Image.new("RGB", (40, 40), "black").convert(mode)
        content = image_bytes(flat, "PNG", transparency=(0, 0, 0) if mode == "RGB" else 0)
    assert_same(pages(content)[0], Image.new("RGB", (40, 40), "white"))


def test_half_transparent_colour_is_mixed_with_white() -> None:
    (page,) = pages(image_bytes(Image.new("RGBA", (40, 40), (255, 0, 0, 128)), "WEBP", lossless=True))
    assert_same(page, Image.new("RGB", (40, 40), (255, 127, 127)))


@pytest.mark.parametrize(
    ("orientation", "turned"),
    [
        (1, PICTURE),
        (2, PICTURE.transpose(Image.Transpose.FLIP_LEFT_RIGHT)),
        (3, PICTURE.transpose(Image.Transpose.ROTATE_180)),
        (6, PICTURE.transpose(Image.Transpose.ROTATE_270)),
        (8, PICTURE.transpose(Image.Transpose.ROTATE_90)),
    ],
)
@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_a_photo_stands_the_way_its_exif_says(orientation: int, turned: Image.Image, image_format: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    (page,) = pages(image_bytes(PICTURE, image_format, exif=exif))
    assert_same(page, turned)


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_a_pdf_page_is_drawn_at_150_dpi_the_way_it_is_turned(rotation: int) -> None:
    corners = "1 0 0 rg 0 60 60 60 re f 0 0 1 rg 60 0 60 60 re f"  # red top left, blue bottom right
    (page,) = pages(pdf((120, 120, corners), extra=f"/Rotate {rotation}"))
    assert abs(page.size[0] - 250) <= 1
    upright = quadrants((255, 0, 0), WHITE, WHITE, (0, 0, 255), size=(250, 250)).resize(page.size)
    assert_same(page, upright.rotate(-rotation))


def test_pdf_pages_keep_their_order_and_sizes() -> None:
    found = pages(pdf((72, 36, "1 0 0 rg 0 0 72 36 re f"), (36, 72, "0 0 1 rg 0 0 36 72 re f")))
    assert [page.size for page in found] == [(150, 75), (75, 150)]
    assert [page.getpixel((30, 30)) for page in found] == [(254, 0, 0), (0, 0, 254)]


def test_a_pdf_needs_no_contents_to_have_a_page() -> None:
    assert_same(pages(pdf((72, 72, "")))[0], Image.new("RGB", (150, 150), "white"))


@pytest.mark.parametrize("junk", [b"\n", b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 1000])
def test_junk_before_the_header_of_a_pdf_is_passed_over(junk: bytes) -> None:
    (page,) = pages(junk + coloured_pdf((1, 0, 0)))
    assert_same(page, Image.new("RGB", page.size, (255, 0, 0)))


@pytest.mark.parametrize(
    "content",
    [
        image_bytes(PICTURE, "JPEG", comment=b"made from %PDF-1.4"),
        image_bytes(PICTURE, "TIFF", description="%PDF-1.4"),
    ],
)
def test_an_image_that_speaks_of_pdf_is_still_an_image(content: bytes) -> None:
    assert_same(pages(content)[0], PICTURE)


def test_a_png_that_speaks_of_pdf_is_still_an_image() -> None:
    info = PngInfo()
    info.add_text("Source", "%PDF-1.7")
    assert_same(pages(image_bytes(PICTURE, "PNG", pnginfo=info))[0], PICTURE)


def test_a_pdf_that_may_only_not_be_printed_is_read() -> None:
    document = FPDF()
    document.add_page()
    document.set_encryption(owner_password="owner", permissions=AccessPermission.none())
    assert pages(bytes(document.output()))[0].size == (1240, 1754)


@pytest.mark.parametrize("length", [100, 200_000])
def test_what_a_document_says_in_its_metadata_stays_out_of_the_page(length: int) -> None:
    content = image_bytes(PICTURE.quantize(), "GIF", comment=b"secret" * length)
    with open_document(content) as source:
        assert b"secret" not in source.jpeg(0)
    exif = Image.Exif()
    exif[0x010E] = "secret"
    with open_document(image_bytes(PICTURE, "JPEG", exif=exif, comment=b"secret")) as source:
        assert b"secret" not in source.jpeg(0)


@pytest.mark.parametrize(
    ("size", "brought_to"),
    [((1, 1), (25, 25)), ((10, 40), (25, 100)), ((24, 25), (25, 26)), ((25, 25), (25, 25)), ((25, 8000), (25, 8000))],
)
def test_a_small_image_is_enlarged_to_25_pixels(size: tuple[int, int], brought_to: tuple[int, int]) -> None:
    (page,) = pages(image_bytes(Image.new("RGB", size, RED), "PNG"))
    assert_same(page, Image.new("RGB", brought_to, RED))


def test_a_large_image_is_brought_to_8000_pixels() -> None:
    (page,) = pages(image_bytes(Image.new("1", (10_000, 1_000), 1), "PNG"))
    assert page.size == (8000, 800)


def test_a_page_as_long_as_a_street_is_brought_to_8000_pixels() -> None:
    (page,) = pages(pdf((200_000, 20_000, "0 1 0 rg 0 0 100000 20000 re f")))
    assert page.size[0] in (7999, 8000)
    assert [page.getpixel((x, 300)) for x in (1000, 7000)] == [(0, 255, 1), WHITE]


def test_a_jpeg_too_large_for_converse_is_brought_below_its_limit_and_still_shows_the_same() -> None:
    side = 2600
    noise = Image.frombytes("RGB", (side, side), random.Random(1).randbytes(side * side * 3))
    noise.paste(RED, (0, 0, side // 2, side))
    noise.paste(quadrants(RED, GREEN, BLUE, WHITE, size=(side, side)), mask=Image.new("L", (side, side), 90))
    (page,) = pages(image_bytes(noise, "BMP"))
    assert_same(page.resize((64, 64), Image.Resampling.BOX), noise.resize((64, 64), Image.Resampling.BOX))
