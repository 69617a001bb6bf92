"""The page image shows what a person sees: forms, annotations, fonts that are not embedded, and nothing half drawn."""

from __future__ import annotations

import base64
import io
import zlib
from typing import Any

import pytest
from PIL import Image, ImageChops, ImageDraw

from idp_finetuning.adapters.pages import open_document
from idp_finetuning.errors import DocumentRejected
from tests.support.domain.pdf_files import page_of, stream
from tests.support.domain.samples import image_bytes

BLACK = (0, 0, 0)
NOISE = Image.effect_noise((120, 80), 90)


def page(content: bytes) -> Image.Image:
    """The only page."""
    with open_document(content) as source:
        assert source.page_count == 1
        return Image.open(io.BytesIO(source.jpeg(0))).convert("RGB")


def ink(picture: Image.Image, left: float, top: float, right: float, bottom: float) -> float:
    """How dark a part of the page is, 0 to 1; the part is given in points from the top left of a page of 300."""
    scale = picture.width / 300
    part = picture.crop(tuple(int(edge * scale) for edge in (left, top, right, bottom))).convert("L")  # type: ignore[arg-type]
    return 1 - sum(value * count for value, count in enumerate(part.histogram())) / (255 * part.width * part.height)


def rejection(content: bytes) -> str:
    """The reason's code."""
    with pytest.raises(DocumentRejected) as rejected:
        page(content)
    return rejected.value.reason_code


WIDGET = "<</Type/Annot/Subtype/Widget/FT/Tx/T(name)/V(Maria)/Rect[100 100 200 120]/F 4/AP<</N 6 0 R>>>>"
APPEARANCE = stream(
    "/Type/XObject/Subtype/Form/BBox[0 0 100 20]/Resources<</Font<</F 7 0 R>>>>", b"BT /F 16 Tf 2 4 Td (Maria) Tj ET"
)
HELVETICA = "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"


@pytest.mark.parametrize(
    "catalog",
    [
        pytest.param("/AcroForm<</Fields[5 0 R]>>", id="with its form"),
        pytest.param("", id="form lost"),
        pytest.param("/AcroForm null", id="form null"),
        pytest.param("/AcroForm<</Fields[]>>", id="form empty"),
    ],
)
def test_the_value_of_a_field_is_drawn_whatever_became_of_the_form(catalog: str) -> None:
    content = page_of(b"", entries="/Annots[5 0 R]", catalog=catalog, more=(WIDGET, APPEARANCE, HELVETICA))
    assert ink(page(content), 100, 80, 200, 100) > 0.05


@pytest.mark.parametrize("state", ["Yes", "Off"])
def test_a_check_mark_is_drawn_if_it_is_set(state: str) -> None:
    box = (
        f"<</Type/Annot/Subtype/Widget/FT/Btn/T(ok)/V/{state}/AS/{state}/Rect[100 100 120 120]/F 4"
        "/AP<</N<</Yes 6 0 R>>>>>>"
    )
    mark = stream("/Type/XObject/Subtype/Form/BBox[0 0 20 20]", b"0 g 4 4 12 12 re f")
    dark = ink(page(page_of(b"", entries="/Annots[5 0 R]", more=(box, mark))), 100, 80, 120, 100)
    assert dark > 0.3 if state == "Yes" else dark < 0.2  # fields have a tint


def test_a_stamp_lies_on_the_page() -> None:
    stamp = "<</Type/Annot/Subtype/Stamp/Rect[100 100 200 120]/F 4/AP<</N 6 0 R>>>>"
    paint = stream("/Type/XObject/Subtype/Form/BBox[0 0 100 20]", b"1 0 0 rg 0 0 100 20 re f")
    drawn = page(page_of(b"0 0 1 rg 0 0 300 50 re f", entries="/Annots[5 0 R]", more=(stamp, paint)))
    assert drawn.getpixel((300, 190))[0] > 200  # type: ignore[index]
    assert drawn.getpixel((300, 380))[2] > 200  # type: ignore[index]


def composite(collection: str, cmap: str, text: str, encoding: str, name: str) -> bytes:
    """A page with text in a Chinese, Japanese or Korean font that is not embedded."""
    shown = text.encode(encoding).hex().encode()
    return page_of(
        b"BT /F 40 Tf 20 100 Td <" + shown + b"> Tj ET",
        resources="/Font<</F 5 0 R>>",
        more=(
            f"<</Type/Font/Subtype/Type0/BaseFont/{name}/Encoding/{cmap}/DescendantFonts[6 0 R]>>",
            f"<</Type/Font/Subtype/CIDFontType0/BaseFont/{name}/DW 1000/FontDescriptor 7 0 R"
            f"/CIDSystemInfo<</Registry(Adobe)/Ordering({collection})/Supplement 2>>>>",
            f"<</Type/FontDescriptor/FontName/{name}/Flags 4/ItalicAngle 0/Ascent 880/Descent -120/StemV 80"
            "/CapHeight 700/FontBBox[0 -120 1000 880]>>",
        ),
    )


@pytest.mark.parametrize(
    ("collection", "cmap", "text", "encoding", "name"),
    [
        ("Japan1", "UniJIS-UCS2-H", "請求書", "utf-16-be", "HeiseiMin-W3"),
        ("GB1", "UniGB-UCS2-H", "发票号", "utf-16-be", "STSong-Light"),
        ("CNS1", "UniCNS-UCS2-H", "發票號", "utf-16-be", "MSung-Light"),
        ("Korea1", "UniKS-UCS2-H", "청구서", "utf-16-be", "HYGoThic-Medium"),
    ],
)
def test_chinese_japanese_and_korean_are_drawn_without_their_fonts(
    collection: str, cmap: str, text: str, encoding: str, name: str
) -> None:
    drawn = page(composite(collection, cmap, text, encoding, name))
    for number in range(3):
        left = 20 + 40 * number
        assert ink(drawn, left, 60, left + 40, 110) > 0.05, number


def simple(base_font: str, names: str, *, widths: str = "") -> bytes:
    """A page with three letters, by glyph name, in a font that is not embedded."""
    return page_of(
        b"BT /F 40 Tf 20 100 Td (ABC) Tj ET",
        resources="/Font<</F 5 0 R>>",
        more=(
            f"<</Type/Font/Subtype/TrueType/BaseFont/{base_font}/FirstChar 65/LastChar 67/Widths[800 800 800]"
            f"/Encoding<</BaseEncoding/WinAnsiEncoding/Differences[65 {names}]>>>>",
        ),
    )


@pytest.mark.parametrize("font", ["ArialMT", "Helvetica", "TimesNewRomanPSMT", "Verdana"])
@pytest.mark.parametrize(
    "names", ["/afii10017/afii10018/afii10026", "/Omega/Sigma/Pi", "/uni0414/uni0416/uni042F"], ids=str
)
def test_cyrillic_and_greek_are_drawn_under_any_name_of_a_font(font: str, names: str) -> None:
    drawn = page(simple(font, names))
    for number in range(3):
        left = 20 + 32 * number
        assert ink(drawn, left, 65, left + 32, 105) > 0.04, number


def test_text_that_no_font_has_is_rejected() -> None:
    assert rejection(simple("ArialMT", "/uniA000/uniA001/uniA002")) == "missing_glyphs"


def test_a_single_character_that_no_font_has_is_counted() -> None:
    content = page_of(
        b"BT /F 20 Tf 20 100 Td (WWWWWWWWA) Tj ET",
        resources="/Font<</F 5 0 R>>",
        more=(
            "<</Type/Font/Subtype/TrueType/BaseFont/ArialMT"
            "/Encoding<</BaseEncoding/WinAnsiEncoding/Differences[65/uniA000]>>>>",
        ),
    )
    with open_document(content) as source:
        source.jpeg(0)
        assert source.missing_glyphs == {0: 1}


def test_text_below_a_scan_that_nobody_sees_is_no_fault() -> None:
    content = page_of(
        b"BT 3 Tr /F 40 Tf 20 100 Td (ABC) Tj ET",
        resources="/Font<</F 5 0 R>>",
        more=(
            "<</Type/Font/Subtype/TrueType/BaseFont/ArialMT"
            "/Encoding<</BaseEncoding/WinAnsiEncoding/Differences[65/uniA000/uniA001/uniA002]>>>>",
        ),
    )
    assert ink(page(content), 0, 0, 300, 200) < 0.01


def scan(picture: Image.Image, data: bytes, filters: str, *, size: str = "300 0 0 200 0 0", extra: str = "") -> bytes:
    """A page of one image with this data."""
    space = "/DeviceGray" if picture.mode == "L" else "/DeviceRGB"
    entries = (
        f"/Type/XObject/Subtype/Image/Width {picture.width}/Height {picture.height}/BitsPerComponent 8"
        f"/ColorSpace{space}{filters}{extra}"
    )
    return page_of(f"q {size} cm /I Do Q".encode(), resources="/XObject<</I 5 0 R>>", more=(stream(entries, data),))


WHOLE = {
    "/Filter/DCTDecode": image_bytes(NOISE, "JPEG"),
    "/Filter/FlateDecode": zlib.compress(NOISE.tobytes()),
    "/Filter/JPXDecode": image_bytes(NOISE, "JPEG2000"),
}


@pytest.mark.parametrize("filters", WHOLE)
def test_a_page_that_is_one_image_has_the_images_own_pixels(filters: str) -> None:
    drawn = page(scan(NOISE, WHOLE[filters], filters))
    assert drawn.size == NOISE.size
    difference = ImageChops.difference(drawn.convert("L"), NOISE).resize((1, 1), Image.Resampling.BOX)
    assert difference.getpixel((0, 0)) < 20  # type: ignore[operator]


def test_a_scan_of_more_than_150_dpi_is_drawn_at_150() -> None:
    fine = Image.new("L", (1250, 833), 90)
    assert page(scan(fine, zlib.compress(fine.tobytes()), "/Filter/FlateDecode")).size == (625, 417)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(scan(NOISE, WHOLE["/Filter/JPXDecode"][:-300], "/Filter/JPXDecode"), id="JPEG 2000"),
        pytest.param(scan(NOISE, WHOLE["/Filter/DCTDecode"][:2000], "/Filter/DCTDecode"), id="JPEG"),
        pytest.param(scan(NOISE, WHOLE["/Filter/FlateDecode"][:4000], "/Filter/FlateDecode"), id="deflated"),
        pytest.param(scan(NOISE, WHOLE["/Filter/FlateDecode"], "/Filter/ZopfliDecode"), id="unknown filter"),
    ],
)
def test_an_image_that_cannot_be_decoded_to_its_end_rejects_the_page(content: bytes) -> None:
    assert rejection(content) == "damaged_page"


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_the_blank_back_of_a_sheet_is_a_page(mode: str) -> None:
    blank = Image.new(mode, (300, 200), "white")
    for data, filters in (
        (image_bytes(blank, "JPEG"), "/Filter/DCTDecode"),
        (zlib.compress(blank.tobytes()), "/Filter/FlateDecode"),
        (image_bytes(blank, "JPEG2000"), "/Filter/JPXDecode"),
    ):
        assert ink(page(scan(blank, data, filters)), 0, 0, 300, 200) < 0.01


def fax_data(height: int = 400) -> tuple[bytes, bytes]:
    """A fax of 600 columns with text above a white margin, coded as group 4 and as group 3."""
    picture = Image.new("1", (600, height), 1)
    pen = ImageDraw.Draw(picture)
    for top in range(10, height - 60, 20):
        pen.text((30, top), "Invoice number 12345 of a supplier " * 2, fill=0)
    coded = []
    for compression in ("group4", "group3"):
        file = image_bytes(picture, "TIFF", compression=compression)
        with Image.open(io.BytesIO(file)) as opened:
            tags: Any = opened.tag_v2  # type: ignore[attr-defined]
        assert tags[278] == height, "one strip is one fax"
        coded.append(file[tags[273][0] : tags[273][0] + tags[279][0]])
    return coded[0], coded[1]


def fax(data: bytes, parameters: str = "/K -1", height: int = 400) -> bytes:
    """A page with these data as its one image."""
    entries = (
        f"/Type/XObject/Subtype/Image/Width 600/Height {height}/BitsPerComponent 1/ColorSpace/DeviceGray"
        f"/Filter/CCITTFaxDecode/DecodeParms<<{parameters}/Columns 600/Rows {height}>>"
    )
    return page_of(b"q 300 0 0 200 0 0 cm /I Do Q", resources="/XObject<</I 5 0 R>>", more=(stream(entries, data),))


GROUP_4, GROUP_3 = fax_data()
JBIG2_PAGE = bytes.fromhex("00000000 30 00 01 00000013 00000258 00000190 00000000 00000000 00 0000")


def jbig2(*, cut: bool = False) -> bytes:
    """A page of one image of a JBIG2 page and a generic region coded as a fax."""
    region = bytes.fromhex("00000258 00000190 00000000 00000000 00 01") + GROUP_4
    segment = bytes.fromhex("00000001 26 00 01") + len(region).to_bytes(4, "big") + region
    whole = JBIG2_PAGE + segment
    entries = (
        "/Type/XObject/Subtype/Image/Width 600/Height 400/BitsPerComponent 1/ColorSpace/DeviceGray/Filter/JBIG2Decode"
    )
    shown = whole[: len(whole) // 2] if cut else whole
    return page_of(b"q 300 0 0 200 0 0 cm /I Do Q", resources="/XObject<</I 5 0 R>>", more=(stream(entries, shown),))


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(fax(GROUP_4), id="group 4"),
        pytest.param(fax(GROUP_4[:-3]), id="group 4 without its end mark"),
        pytest.param(fax(GROUP_4, "/K -1/BlackIs1 true"), id="inverted"),
        pytest.param(fax(GROUP_3, "/K 0"), id="group 3"),
        pytest.param(jbig2(), id="JBIG2"),
    ],
)
def test_a_whole_fax_with_a_white_margin_is_drawn(content: bytes) -> None:
    assert 0.01 < ink(page(content), 0, 0, 300, 200) < 0.99


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(fax(GROUP_4[: len(GROUP_4) // 2]), id="group 4"),
        pytest.param(fax(GROUP_4[: len(GROUP_4) // 2], "/K -1/BlackIs1 true"), id="inverted"),
        pytest.param(fax(GROUP_3[: len(GROUP_3) // 2], "/K 0"), id="group 3"),
        pytest.param(jbig2(cut=True), id="JBIG2"),
    ],
)
def test_a_fax_that_ends_early_rejects_the_page(content: bytes) -> None:
    assert rejection(content) == "damaged_page"


def test_a_blank_fax_is_the_back_of_a_sheet() -> None:
    blank = image_bytes(Image.new("1", (600, 400), 1), "TIFF", compression="group4")
    with Image.open(io.BytesIO(blank)) as opened:
        tags: Any = opened.tag_v2  # type: ignore[attr-defined]
    data = blank[tags[273][0] : tags[273][0] + tags[279][0]]
    assert ink(page(fax(data, "/K -1/BlackIs1 false")), 0, 0, 300, 200) in (0.0, 1.0)


TALL = Image.new("L", (120, 80), 255)
TALL.paste(NOISE.crop((0, 0, 120, 40)))


def lzw(data: bytes) -> bytes:
    """Data as LZW codes of nine bits that never grow: a clear code after every 250 bytes."""
    bits = "".join(
        f"{256:09b}" + "".join(f"{byte:09b}" for byte in data[start : start + 250])
        for start in range(0, len(data), 250)
    )
    bits += f"{257:09b}"
    bits += "0" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8, "big")


def run_lengths(data: bytes) -> bytes:
    """Data as runs that are copied."""
    parts = (data[start : start + 128] for start in range(0, len(data), 128))
    return b"".join(bytes([len(part) - 1]) + part for part in parts) + b"\x80"


ENCODED = {
    "/Filter/LZWDecode": lzw(TALL.tobytes()),
    "/Filter/RunLengthDecode": run_lengths(TALL.tobytes()),
    "/Filter/ASCII85Decode": base64.a85encode(TALL.tobytes()) + b"~>",
    "/Filter/ASCIIHexDecode": TALL.tobytes().hex().encode() + b">",
    "/Filter[/ASCII85Decode/FlateDecode]": base64.a85encode(zlib.compress(TALL.tobytes())) + b"~>",
    "": TALL.tobytes(),
}


@pytest.mark.parametrize("filters", ENCODED)
def test_rows_that_are_missing_under_any_filter_reject_the_page(filters: str) -> None:
    whole = ENCODED[filters]
    assert ink(page(scan(TALL, whole, filters)), 0, 0, 300, 200) > 0.1
    cut = ENCODED[filters][: int(len(whole) * 0.7)]
    assert rejection(scan(TALL, cut, filters)) == "damaged_page"


def test_an_image_in_a_stamp_that_cannot_be_decoded_rejects_the_page() -> None:
    def stamped(data: bytes, flags: int = 4) -> bytes:
        entries = "/Type/XObject/Subtype/Image/Width 120/Height 80/BitsPerComponent 8/ColorSpace/DeviceGray"
        return page_of(
            b"0 0 1 rg 0 0 300 50 re f",
            entries="/Annots[5 0 R]",
            more=(
                f"<</Type/Annot/Subtype/Stamp/Rect[100 100 220 180]/F {flags}/AP<</N 6 0 R>>>>",
                stream(
                    "/Type/XObject/Subtype/Form/BBox[0 0 120 80]/Resources<</XObject<</I 7 0 R>>>>",
                    b"q 120 0 0 80 0 0 cm /I Do Q",
                ),
                stream(f"{entries}/Filter/FlateDecode", data),
            ),
        )

    assert ink(page(stamped(WHOLE["/Filter/FlateDecode"])), 100, 20, 220, 100) > 0.2
    broken = WHOLE["/Filter/FlateDecode"][:2000]
    assert rejection(stamped(broken)) == "damaged_page"
    for not_shown in (2, 32):
        assert ink(page(stamped(broken, not_shown)), 100, 20, 220, 100) == 0


@pytest.mark.parametrize("contents", ["9 0 R", "[4 0 R 9 0 R]"])
def test_contents_that_are_not_in_the_file_reject_the_page(contents: str) -> None:
    content = page_of(b" ").replace(b"/Contents 4 0 R", f"/Contents {contents}".encode())
    assert rejection(content) == "damaged_page"


def test_a_page_without_contents_is_blank() -> None:
    assert ink(page(page_of(b"").replace(b"/Contents 4 0 R", b"/Rotate 0      ")), 0, 0, 300, 200) == 0


CONTENT = zlib.compress(b"0 0 0 rg " + b"".join(b"%d %d 5 5 re f " % (n % 290, n * 7 % 190) for n in range(400)))


@pytest.mark.parametrize(
    ("data", "filters"),
    [
        pytest.param(CONTENT[: len(CONTENT) // 2], "/Filter/FlateDecode", id="cut"),
        pytest.param(CONTENT[:100] + b"\xff" * 40 + CONTENT[140:], "/Filter/FlateDecode", id="overwritten"),
        pytest.param(CONTENT, "/Filter/ZopfliDecode", id="unknown filter"),
    ],
)
def test_contents_that_cannot_be_read_reject_the_page(data: bytes, filters: str) -> None:
    assert rejection(page_of(data, content_entries=filters)) == "damaged_page"


@pytest.mark.parametrize("data", [CONTENT, CONTENT[:-4], CONTENT + b"\r\n"], ids=["whole", "no checksum", "padded"])
def test_whole_contents_are_drawn(data: bytes) -> None:
    assert ink(page(page_of(data, content_entries="/Filter/FlateDecode")), 0, 0, 300, 200) > 0.05


@pytest.mark.parametrize(
    "catalog",
    [
        pytest.param("/NeedsRendering true/AcroForm<</Fields[]/XFA 5 0 R>>", id="dynamic XFA"),
        pytest.param("/AcroForm<</Fields[]/XFA 5 0 R>>", id="XFA that does not say so"),
        pytest.param("/Collection<</Type/Collection/View/D>>", id="portfolio"),
    ],
)
def test_a_page_that_stands_for_another_document_is_rejected(catalog: str) -> None:
    content = page_of(
        b"BT /F 12 Tf 20 100 Td (Please wait... If this message is not replaced, open it in Adobe Reader.) Tj ET",
        catalog=catalog,
        resources=f"/Font<</F {HELVETICA}>>",
        more=(stream("", b"<xdp/>"),),
    )
    assert rejection(content) == "placeholder"


def test_a_static_xfa_form_is_drawn() -> None:
    content = page_of(
        b"0 g 0 0 300 200 re f",
        entries="/Annots[5 0 R]",
        catalog="/AcroForm<</Fields[5 0 R]/XFA 8 0 R>>",
        more=(WIDGET, APPEARANCE, HELVETICA, stream("", b"<xdp/>")),
    )
    assert ink(page(content), 0, 0, 50, 200) > 0.9


@pytest.mark.parametrize("box", ["400 400 500 500", "0 0 0 0", "-90 -90 -10 -10"])
def test_a_crop_box_that_leaves_nothing_is_passed_over(box: str) -> None:
    drawn = page(page_of(b"0 g 0 0 300 200 re f", entries=f"/CropBox[{box}]"))
    assert abs(drawn.width - 625) <= 1
    assert ink(drawn, 0, 0, 300, 200) > 0.95
