"""The test set of all jobs: twelve small one-page images of two classes."""

from __future__ import annotations

import io

from PIL import Image, ImageDraw

from idp_sdk import LabelledDocument, LabelledSection

COUNT = 12


def tiny_test_set() -> tuple[LabelledDocument, ...]:
    """Draw pages that are cheap to convert, of classes that look very different."""
    return tuple(_draw(number) for number in range(COUNT))


def _draw(number: int) -> LabelledDocument:
    class_name = ("letter", "invoice")[number % 2]
    page = Image.new("RGB", (96, 128), "white")
    draw = ImageDraw.Draw(page)
    top = 10 + number * 3
    box = (10, top, 86, top + 20) if class_name == "letter" else (40, 10, 56, 110)
    draw.rectangle(box, fill="black")
    content = io.BytesIO()
    page.save(content, "PNG")
    return LabelledDocument(
        path=f"{class_name}-{number}.png",
        content=content.getvalue(),
        sections=(LabelledSection(class_name=class_name, page_indices=(0,)),),
    )
