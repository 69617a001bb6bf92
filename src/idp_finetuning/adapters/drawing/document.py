"""What every kind of document can do, and what it draws."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from PIL import Image


class Drawing(NamedTuple):
    """A page as an RGB, RGBX or grey picture within the pixel limits, or as the JPEG that it already is.

    A picture is valid until the next page is drawn. `missing_glyphs` counts characters that no font has.
    """

    picture: Image.Image | bytes
    missing_glyphs: int = 0


class Document(Protocol):
    """An opened document."""

    page_count: int

    def draw(self, index: int) -> Drawing:
        """Draw the page with this 0-based index. Raises DocumentRejected and MemoryError."""

    def close(self) -> None:
        """Free what it holds."""
