"""How a page looks, for finding the same page saved in another way; docs/decisions.md says what was measured."""

from __future__ import annotations

import io

from PIL import Image, ImageChops, ImageFilter

_COLUMNS, _ROWS = 16, 16
_WIDTH, _HEIGHT, _BLOCK = 256, 352, 16
# Of 255, of the block that differs most: another quality of a page rarely differs by more, two invoices of one layout
# differ by 8.
_MOST_DIFFERENCE = 6


def page_look(jpeg: bytes) -> str:
    """Return 64 hexadecimal characters that differ in few bits for pages that look alike.

    A bit says whether a part of the page is lighter than the next one to its right (a difference hash of 16 by 16).
    """
    shown = _gray(jpeg, _COLUMNS + 1, _ROWS).tobytes()
    bits = 0
    for row in range(_ROWS):
        for column in range(_COLUMNS):
            place = row * (_COLUMNS + 1) + column
            bits = bits << 1 | (shown[place] > shown[place + 1])
    return f"{bits:064x}"


def is_same_page(first: bytes, second: bytes) -> bool:
    """Return whether two JPEGs show the same page, for example at another quality or size."""
    one, other = (_gray(jpeg, _WIDTH, _HEIGHT).filter(ImageFilter.GaussianBlur(1.5)) for jpeg in (first, second))
    blocks = (_WIDTH // _BLOCK, _HEIGHT // _BLOCK)
    difference = ImageChops.difference(one, other).resize(blocks, Image.Resampling.BOX)
    return max(difference.tobytes()) <= _MOST_DIFFERENCE


def _gray(jpeg: bytes, width: int, height: int) -> Image.Image:
    with Image.open(io.BytesIO(jpeg)) as image:
        image.draft("L", (2 * width, 2 * height))  # decodes no more than is needed
        return image.convert("L").resize((width, height), Image.Resampling.BOX)
