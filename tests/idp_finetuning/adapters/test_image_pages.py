"""Images as a person sees them: by their own depth and resolution, without thumbnails, and JPEGs as they are."""

from __future__ import annotations

import io
import struct
import time
from typing import Any

import pytest
from PIL import Image

from idp_finetuning.adapters.pages import open_document
from idp_finetuning.errors import DocumentRejected
from tests.support.domain.samples import image_bytes

RAMP = Image.linear_gradient("L").resize((64, 48))
COLOURS = Image.merge("RGB", (RAMP, RAMP.rotate(90, expand=False), RAMP.rotate(180)))


def jpegs(content: bytes) -> list[bytes]:
    """The JPEGs of all pages."""
    with open_document(content) as source:
        return [source.jpeg(index) for index in range(source.page_count)]


def page(content: bytes) -> Image.Image:
    """The only page."""
    (jpeg,) = jpegs(content)
    return Image.open(io.BytesIO(jpeg))


def tiff(*directories: tuple[dict[int, tuple[int, int]], bytes]) -> bytes:
    """A TIFF of uncompressed strips: tags with type and value, and the data, for each directory."""
    out = bytearray(b"II*\0\x08\0\0\0")
    for number, (tags, data) in enumerate(directories):
        entries = dict(tags) | {279: (4, len(data))}
        size = 2 + 12 * (len(entries) + 1) + 4
        entries[273] = (4, len(out) + size)
        out += struct.pack("<H", len(entries))
        for tag in sorted(entries):
            kind, value = entries[tag]
            out += struct.pack("<HHII", tag, kind, 1, value)
        last = number == len(directories) - 1
        out += struct.pack("<I", 0 if last else len(out) + 4 + len(data)) + data
    return bytes(out)


def grey_tags(width: int, height: int, bits: int, **more: int) -> dict[int, tuple[int, int]]:
    """Tags of an uncompressed grey image."""
    tags = {256: (3, width), 257: (3, height), 258: (3, bits), 259: (3, 1), 262: (3, 1), 277: (3, 1), 278: (3, height)}
    return tags | {int(tag.removeprefix("t")): (3, value) for tag, value in more.items()}


def packed_12_bits(values: list[int]) -> bytes:
    """Two samples in three bytes."""
    pairs = zip(values[::2], values[1::2], strict=True)
    return b"".join(bytes((a >> 4, (a & 15) << 4 | b >> 8, b & 255)) for a, b in pairs)


@pytest.mark.parametrize("grey", [0, 1000, 2048, 4095])
def test_12_bits_are_grey_by_their_own_depth(grey: int) -> None:
    content = tiff((grey_tags(40, 30, 12), packed_12_bits([grey] * 1200)))
    assert page(content).getpixel((20, 15)) == pytest.approx((grey / 16,) * 3, abs=2)


def test_16_bits_in_which_white_is_zero_are_turned_round() -> None:
    content = tiff((grey_tags(40, 30, 16, t262=0), struct.pack("<H", 60_000) * 1200))
    assert page(content).getpixel((20, 15)) == pytest.approx(((65_535 - 60_000) / 257,) * 3, abs=2)


@pytest.mark.parametrize(
    ("mode", "value", "shown"),
    [
        *(("F", 1.0, 255), ("F", 0.5, 128), ("F", 200.0, 200), ("F", 0.0, 0), ("F", 90_000.0, 255), ("I", 255, 255)),
        *(("I", 30_000, 117), ("I", 100, 100), ("I;16", 65_535, 255), ("I;16", 32_896, 128)),
    ],
)
def test_a_page_of_one_value_is_not_black(mode: str, value: float, shown: int) -> None:
    if mode == "I;16":
        image = Image.frombytes("I;16", (40, 30), struct.pack("<H", int(value)) * 1200)
    else:
        image = Image.new(mode, (40, 30), value)
    assert page(image_bytes(image, "TIFF")).getpixel((20, 15)) == pytest.approx((shown,) * 3, abs=2)


def test_samples_that_are_no_numbers_are_rejected() -> None:
    with pytest.raises(DocumentRejected, match="damaged"):
        page(image_bytes(Image.new("F", (40, 30), float("nan")), "TIFF"))


@pytest.mark.parametrize(
    ("dpi", "size"),
    [((204, 98), (204, 204)), ((204, 196), (204, 102)), ((98, 204), (425, 98)), ((300, 300), (204, 98))],
)
def test_a_fax_has_square_pixels(dpi: tuple[int, int], size: tuple[int, int]) -> None:
    found = page(image_bytes(Image.new("1", (204, 98), 1), "TIFF", compression="group4", dpi=dpi)).size
    assert all(abs(have - want) <= 1 for have, want in zip(found, size, strict=True))


def test_a_fax_that_lies_on_its_side_is_turned_first() -> None:
    content = image_bytes(Image.new("1", (204, 98), 1), "TIFF", dpi=(204, 98), tiffinfo={274: 6})
    assert page(content).size == (204, 204)


@pytest.mark.parametrize("kind", [{"t254": 1}, {"t254": 4}, {"t254": 5}, {"t255": 2}], ids=str)
def test_thumbnails_and_masks_of_a_tiff_are_no_pages(kind: dict[str, int]) -> None:
    first = (grey_tags(40, 30, 8, t254=2), b"\x20" * 1200)
    second = (grey_tags(50, 30, 8, t254=2), b"\xe0" * 1500)
    small = (grey_tags(10, 8, 8, **kind), b"\x80" * 80)
    found = [Image.open(io.BytesIO(jpeg)) for jpeg in jpegs(tiff(small, first, small, second, small))]
    assert [image.size for image in found] == [(40, 30), (50, 30)]
    assert [image.convert("L").getpixel((9, 9)) for image in found] == [32, 224]


def test_a_tiff_of_too_many_pages_is_refused_at_once() -> None:
    one = (grey_tags(1, 1, 8), b"\0")
    assert len(jpegs(tiff(*[(grey_tags(30, 30, 8), bytes(900))] * 3))) == 3
    content = tiff(*[one] * 60_000)
    began = time.monotonic()
    with pytest.raises(DocumentRejected, match=r"too_many_pages: The image has more than 500 pages"):
        jpegs(content)
    assert time.monotonic() - began < 10


def test_a_tiff_whose_directories_go_round_in_a_circle_has_each_once() -> None:
    content = bytearray(tiff((grey_tags(30, 30, 8), bytes(900)), (grey_tags(30, 30, 8), bytes(900))))
    last = len(content) - 904
    assert content[last : last + 4] == b"\0\0\0\0"
    content[last : last + 4] = struct.pack("<I", 8)
    assert len(jpegs(bytes(content))) == 2


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 0}, {"quality": 30}], ids=str)
@pytest.mark.parametrize("picture", [RAMP, COLOURS], ids=["grey", "YCbCr"])
def test_a_jpeg_keeps_its_own_compressed_pixels(picture: Image.Image, options: dict[str, Any]) -> None:
    content = image_bytes(picture, "JPEG", **options)
    (jpeg,) = jpegs(content)
    begin = content.index(b"\xff\xda")
    assert jpeg[jpeg.index(b"\xff\xda") :] == content[begin:]
    assert Image.open(io.BytesIO(jpeg)).tobytes() == Image.open(io.BytesIO(content)).tobytes()


def test_a_phones_second_picture_stays_behind() -> None:
    content = image_bytes(COLOURS, "MPO", save_all=True, append_images=[COLOURS.rotate(180)])
    (jpeg,) = jpegs(content)
    assert len(jpeg) < len(content) * 0.6
    assert jpeg.endswith(b"\xff\xd9")


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(image_bytes(COLOURS.convert("CMYK"), "JPEG"), id="CMYK"),
        pytest.param(image_bytes(COLOURS, "JPEG", keep_rgb=True), id="RGB"),
        pytest.param(image_bytes(COLOURS.resize((9_000, 30)), "JPEG"), id="too wide"),
        pytest.param(image_bytes(COLOURS.resize((20, 20)), "JPEG"), id="too small"),
    ],
)
def test_a_jpeg_of_another_kind_is_encoded_anew(content: bytes) -> None:
    (jpeg,) = jpegs(content)
    assert jpeg[jpeg.index(b"\xff\xda") :] != content[content.index(b"\xff\xda") :]
    assert Image.open(io.BytesIO(jpeg)).mode == "RGB"


def test_a_jpeg_with_an_orientation_is_turned_and_encoded_anew() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    assert page(image_bytes(COLOURS, "JPEG", exif=exif)).size == (48, 64)


def test_a_jpeg_that_is_cut_is_not_passed_on() -> None:
    content = image_bytes(COLOURS, "JPEG", quality=95)
    with pytest.raises(DocumentRejected, match="damaged"):
        page(content[:-200])


def test_a_large_picture_is_brought_to_size_in_strips_without_a_seam() -> None:
    picture = Image.linear_gradient("L").resize((9_000, 4_000), Image.Resampling.BICUBIC).convert("RGBA")
    whole = picture.convert("RGB").resize((8_000, 3_556), Image.Resampling.LANCZOS)
    found = page(image_bytes(picture, "PNG", compress_level=1))
    assert found.size == whole.size
    columns = [image.convert("L").crop((4_000, 0, 4_001, 3_556)).tobytes() for image in (found, whole)]
    assert max(abs(a - b) for a, b in zip(*columns, strict=True)) <= 2
