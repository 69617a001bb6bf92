"""Images, one page each but for TIFF: decoded whole, then brought to RGB and size strip by strip."""

from __future__ import annotations

import copy
import io
import struct
from typing import Any, cast

from PIL import (
    BmpImagePlugin,
    ExifTags,
    GifImagePlugin,
    Image,
    ImageColor,
    ImageFile,
    ImageFilter,
    ImagePalette,
    JpegImagePlugin,
    MpoImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from idp_finetuning.adapters.drawing.deep_grey import grey_range, is_deep, to_8_bits
from idp_finetuning.adapters.drawing.document import Drawing
from idp_finetuning.adapters.drawing.encoding import own_jpeg
from idp_finetuning.adapters.drawing.limits import MAXIMUM_PIXELS, target_size
from idp_finetuning.adapters.drawing.tiff import page_directories
from idp_finetuning.errors import DocumentRejected
from idp_finetuning.test_sets.document_types import OF_NO_TYPE, document_type

# Pillow imports these when it first needs them; the process that draws can open no file by then.
_LOADED = (
    *(
        BmpImagePlugin,
        GifImagePlugin,
        JpegImagePlugin,
        MpoImagePlugin,
        PngImagePlugin,
        TiffImagePlugin,
        WebPImagePlugin,
    ),
    *(ImageColor, ImageFile, ImageFilter, ImagePalette, copy),
)

_IMAGE_FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "TIFF", "BMP")

# What Pillow raises on damaged files; TypeError for a TIFF without dimensions, struct.error for broken EXIF.
_PILLOW_FAILURES = (OSError, ValueError, SyntaxError, EOFError, TypeError, struct.error)

_STRIP_PIXELS = 16_000_000
_MOST_UNEVEN = 8.0  # of the resolutions of a fax; beyond, the tags are wrong

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SIDEWAYS = (5, 6, 7, 8)

Image.MAX_IMAGE_PIXELS = None  # every image is held to MAXIMUM_PIXELS before it is decoded
Image.preinit()
Image.init()


class ImagePages:
    """An image file."""

    def __init__(self, content: bytes) -> None:
        if document_type(content) is None:
            raise DocumentRejected("unsupported_type", f"The file is {OF_NO_TYPE}.")
        self._content = content
        try:
            self._image = Image.open(io.BytesIO(content), formats=_IMAGE_FORMATS)
        except _PILLOW_FAILURES as error:
            raise _damaged_image() from error
        self._directories = page_directories(content) if self._image.format == "TIFF" else [0]
        self.page_count = len(self._directories)

    def draw(self, index: int) -> Drawing:
        """Draw a page; a JPEG that needs no change is passed on once it has been decoded."""
        try:
            if self._directories[index] != self._image.tell():
                self._image.seek(self._directories[index])
            width, height = self._image.size
            if width * height > MAXIMUM_PIXELS:
                raise DocumentRejected(
                    "decompression_bomb",
                    f"The image has {width} by {height} pixels; at most {MAXIMUM_PIXELS:,} are allowed.",
                )
            size = target_size(*_square_pixels(self._image))
            self._image.load()
            return Drawing(own_jpeg(self._content, self._image) or _upright_rgb(self._image, size))
        except _PILLOW_FAILURES as error:
            raise DocumentRejected("damaged", f"Image {index + 1} is damaged or incomplete.") from error

    def close(self) -> None:
        """Free the image."""
        self._image.close()


def _damaged_image() -> DocumentRejected:
    return DocumentRejected("damaged", "The image cannot be opened; it is damaged or incomplete.")


def _upright_rgb(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    turn = _TURNS.get(image.getexif().get(ExifTags.Base.Orientation, 1))  # Pillow has turned a TIFF already
    picture = _to_rgb(image, size)
    return picture if turn is None else picture.transpose(turn)


def _square_pixels(image: Image.Image) -> tuple[float, float]:
    """Return the size with square pixels of an image that is not loaded: a fax has 204 dots an inch and 98 down."""
    width, height = image.size
    if image.format == "TIFF":
        across, down = (_number(value) for value in cast("tuple[Any, Any]", image.info.get("dpi", (1, 1))))
        if image.getexif().get(ExifTags.Base.Orientation, 1) in _SIDEWAYS:
            across, down = down, across  # the size has been turned, the resolution has not
        if across > 0 and down > 0 and 1.01 < max(across, down) / min(across, down) <= _MOST_UNEVEN:
            return (width, height * across / down) if across > down else (width * down / across, height)
    return width, height


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError, ZeroDivisionError):
        return 0.0


def _to_rgb(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Convert any mode to RGB or grey of this size, transparency on white, with no second copy of a large image."""
    black, white = grey_range(image) if is_deep(image) else (0.0, 0.0)
    if size == image.size and image.mode in ("RGB", "L"):
        return image if "transparency" not in image.info else _flatten(image)
    width, height = image.size
    if size == image.size and width * height <= _STRIP_PIXELS:
        return _flatten(image, black, white)
    picture = Image.new("RGB", size)
    scale = height / size[1]
    reach = 4 * max(1.0, scale)  # rows beyond a strip that its edge is made from
    rows = max(1, int(_STRIP_PIXELS / max(width * scale, size[0])))
    for top in range(0, size[1], rows):
        bottom = min(top + rows, size[1])
        first, last = max(0, int(top * scale - reach)), min(height, int(bottom * scale + reach) + 1)
        part = image.crop((0, first, width, last))
        part.info = image.info
        strip = _flatten(part, black, white)
        if size != image.size:
            box = (0, top * scale - first, width, min(bottom * scale, height) - first)
            strip = strip.resize((size[0], bottom - top), Image.Resampling.LANCZOS, box)
        else:
            strip = strip.crop((0, top - first, width, bottom - first))
        picture.paste(strip, (0, top))
    return picture


def _flatten(picture: Image.Image, black: float = 0.0, white: float = 255.0) -> Image.Image:
    if is_deep(picture):
        return to_8_bits(picture, black, white).convert("RGB")
    if picture.mode in ("RGBA", "LA") and picture.getchannel("A").getextrema() == (255, 255):
        return picture.convert("RGB")
    if picture.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in picture.info:
        layered = picture if picture.mode == "RGBA" else picture.convert("RGBA")
        flat = Image.new("RGB", layered.size, "white")
        flat.paste(layered, mask=layered.getchannel("A"))
        return flat
    return picture if picture.mode == "RGB" else picture.convert("RGB")
