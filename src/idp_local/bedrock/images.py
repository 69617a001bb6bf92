"""What an image file is, by its content: format and size in pixels, read from its header."""

from __future__ import annotations

import io
from typing import NamedTuple

from PIL import Image, UnidentifiedImageError

# Bedrock's names [botocore bedrock-runtime ImageFormat] of what Pillow tells apart; MPO is what cameras call JPEG.
_FORMAT = {"PNG": "png", "JPEG": "jpeg", "MPO": "jpeg", "GIF": "gif", "WEBP": "webp"}
_READERS = ("PNG", "JPEG", "GIF", "WEBP")


class ImageFacts(NamedTuple):
    """Format in Bedrock's words and the sides in pixels."""

    format: str
    width: int
    height: int


def inspect(content: bytes) -> ImageFacts | None:
    """The facts of an image file; None where it is no image that Nova takes."""
    try:
        with Image.open(io.BytesIO(content), formats=_READERS) as image:
            return ImageFacts(_FORMAT[image.format or ""], *image.size)
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return None
