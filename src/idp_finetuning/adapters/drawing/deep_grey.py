"""Grey of more than 8 bits, and grey of integers and floats, brought to 8 bits by its own depth."""

from __future__ import annotations

import math
from typing import Any, cast

from PIL import Image

from idp_finetuning.errors import DocumentRejected

_BITS_PER_SAMPLE, _PHOTOMETRIC, _MAXIMUM_SAMPLE, _SAMPLE_FORMAT = 258, 262, 281, 339
_WHITE_IS_ZERO, _SIGNED = 0, 2


def is_deep(image: Image.Image) -> bool:
    """Return whether the image has one channel of more than 8 bits."""
    return image.mode.startswith("I") or image.mode == "F"


def grey_range(image: Image.Image) -> tuple[float, float]:
    """Return the values that are black and white; the first is the greater if the file says that white is zero.

    Declared depths count: 12 bits end at 4,095. Of 32-bit and float samples, which have no usual range, the smallest
    of 1 (floats), 8, 16 and 24 bits that holds all values; else their own least and greatest.
    """
    tags = cast("dict[int, Any]", getattr(image, "tag_v2", {}))
    black, white = _value_range(image, tags)
    return (white, black) if tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO else (black, white)


def _value_range(image: Image.Image, tags: dict[int, Any]) -> tuple[float, float]:
    bits = _first(tags.get(_BITS_PER_SAMPLE, 16 if image.mode.startswith("I;16") else 0))
    signed = _first(tags.get(_SAMPLE_FORMAT, 1)) == _SIGNED
    if image.mode != "F" and 8 < bits <= 16 and not signed:
        most = 2**bits - 1
        stated = _first(tags.get(_MAXIMUM_SAMPLE, most))
        return 0.0, float(stated if 255 <= stated <= most else most)
    low, high = cast("tuple[float, float]", image.getextrema())
    if not (math.isfinite(low) and math.isfinite(high)):
        raise DocumentRejected("damaged", "The image has samples that are no numbers.")
    usual = [255.0, 65_535.0, 16_777_215.0] if image.mode != "F" else [1.0, 255.0, 65_535.0]
    if image.mode == "I" and not tags:
        usual = [65_535.0]  # a PNG's samples have 16 bits
    for most in usual:
        if low >= 0 and high <= most:
            return 0.0, most
    return (low, high) if low < high else (low - 1, high)


def _first(value: Any) -> int:
    found = value[0] if isinstance(value, tuple) and value else value
    return int(found) if isinstance(found, int | float) else 0


def to_8_bits(strip: Image.Image, black: float, white: float) -> Image.Image:
    """Return a part of a deep image in 8-bit grey."""
    deep = strip if strip.mode in ("F", "I") else strip.convert("I")
    scale = 255.0 / (white - black)
    return deep.convert("F").point(lambda value: value * scale - black * scale).convert("L")
