"""The same page saved in another way looks the same; another page does not, even of the same form."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from PIL import Image, ImageDraw

from idp_finetuning.adapters.page_looks import is_same_page, page_look
from idp_finetuning.evaluation.trained import is_empty

SIZE = (1_240, 1_754)


def form(amount: str, lines: int = 30) -> Image.Image:
    """A page of an invoice: always the same but for the amount."""
    page = Image.new("RGB", SIZE, "white")
    draw = ImageDraw.Draw(page)
    draw.rectangle((80, 80, 500, 220), fill="navy")
    for line in range(lines):
        draw.text((100, 300 + 40 * line), f"Position {line}   {line * 7919 % 1000} pieces", fill="black", font_size=26)
    draw.text((800, 1_560), f"Total {amount}", fill="black", font_size=48)
    return page


def jpeg(page: Image.Image, quality: int = 85) -> bytes:
    """The page as a file."""
    file = io.BytesIO()
    page.save(file, "JPEG", quality=quality)
    return file.getvalue()


def distance(first: bytes, second: bytes) -> int:
    """In how many bits two looks differ."""
    return (int(page_look(first), 16) ^ int(page_look(second), 16)).bit_count()


@pytest.mark.parametrize(
    "change",
    [
        lambda page: jpeg(page, 50),
        lambda page: jpeg(page, 30),
        lambda page: jpeg(page.convert("L")),
        lambda page: jpeg(page.resize((1_203, 1_701))),
        lambda page: jpeg(page.resize((620, 877))),
    ],
    ids=["quality 50", "quality 30", "gray", "97 percent", "half"],
)
def test_the_same_page_saved_in_another_way_is_found(change: Callable[[Image.Image], bytes]) -> None:
    page = form("1,234.00")
    first, second = jpeg(page), change(page)
    assert distance(first, second) <= 24
    assert is_same_page(first, second)
    assert is_same_page(second, first)


def test_another_document_of_the_same_form_is_another_page() -> None:
    first, second = jpeg(form("1,234.00")), jpeg(form("98,765.43"))
    assert distance(first, second) <= 24  # the hash alone does not tell them apart
    assert not is_same_page(first, second)


def test_an_empty_page_says_nothing() -> None:
    assert is_empty(page_look(jpeg(Image.new("RGB", SIZE, "white"))))
    assert not is_empty(page_look(jpeg(form("1.00"))))
    assert len(page_look(jpeg(form("1.00")))) == 64
