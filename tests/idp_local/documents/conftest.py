"""The demo's test set, drawn once, and its pages as small pictures."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO

import pypdfium2
import pytest
from PIL import Image, ImageSequence

from idp_local.documents.generator import demo_test_set
from idp_sdk import LabelledDocument

Pictures = list[list[Image.Image]]


@pytest.fixture(scope="session")
def test_set() -> tuple[LabelledDocument, ...]:
    return demo_test_set()


@pytest.fixture(scope="session")
def pictures(test_set: Sequence[LabelledDocument]) -> Pictures:
    """Grey pictures of about 40 dpi, a list for each document."""
    return [_pictures(document.read()) for document in test_set]


def _pictures(content: bytes) -> list[Image.Image]:
    if content.startswith(b"%PDF"):
        pdf = pypdfium2.PdfDocument(content)
        return [page.render(scale=40 / 72, grayscale=True).to_pil() for page in pdf]
    with Image.open(BytesIO(content)) as image:
        return [frame.convert("L").reduce(2) for frame in ImageSequence.Iterator(image)]
