"""Documents that the demo does not have: damaged ones, unusable ones, and packets labelled out of order."""

from __future__ import annotations

import io
from collections.abc import Sequence

from fpdf import FPDF
from PIL import Image

from idp_sdk import LabelledDocument, LabelledSection
from tests.support.domain.samples import GUIDE_CLASSES

# Class of each page of a packet and whether it starts a document, as the section files below say.
EXPECTED = [
    ("letter", "start"),
    ("invoice", "start"),
    ("letter", "continue"),
    ("invoice", "continue"),
    ("receipt", "start"),
    ("receipt", "start"),
]
SECTIONS = (
    LabelledSection(class_name="letter", page_indices=(0, 2)),  # not consecutive
    LabelledSection(class_name="invoice", page_indices=(3, 1)),  # not in order
    LabelledSection(class_name="receipt", page_indices=(4,)),
    LabelledSection(class_name="receipt", page_indices=(5,)),
)


def damaged() -> tuple[LabelledDocument, ...]:
    """Two that cannot be used."""
    label = (LabelledSection(class_name="invoice", page_indices=(0,)),)
    return (
        LabelledDocument(path="bad/no pages.pdf", content=b"%PDF- just text", sections=label),
        LabelledDocument(path="bad/cut off.pdf", content=b"%PDF-1.7", sections=label),
    )


def unusable() -> tuple[LabelledDocument, ...]:
    """Enough documents and classes to begin with, none of which can be opened."""
    return tuple(
        LabelledDocument(
            path=f"{number}.pdf",
            content=b"%%PDF- no document %d" % number,
            sections=(LabelledSection(class_name="ab"[number % 2], page_indices=(0,)),),
        )
        for number in range(10)
    )


def cut_off() -> tuple[LabelledDocument, ...]:
    """As many that can be opened and not be drawn: a job begins though the pages of its documents were counted."""
    whole = io.BytesIO()
    Image.effect_noise((60, 80), 64).save(whole, "PNG")
    half = whole.getvalue()[: whole.tell() // 2]
    return tuple(
        LabelledDocument(
            path=f"{number}.png",
            content=half + b"%d" % number,
            sections=(LabelledSection(class_name="ab"[number % 2], page_indices=(0,)),),
        )
        for number in range(10)
    )


def packets() -> tuple[LabelledDocument, ...]:
    """Ten packets of six pages whose text says the label; one name does not say that it is a document."""
    return tuple(
        LabelledDocument(
            path=f"sub folder/packet {number} – ü{'.pdf' if number else ''}",
            content=pdf([f"packet {number} page {page} {name} {kind}" for page, (name, kind) in enumerate(EXPECTED)]),
            sections=SECTIONS,
        )
        for number in range(10)
    )


def guide() -> tuple[LabelledDocument, ...]:
    """The guide's test set: 150 documents, its classes in its order.

    They have a page each, to be quick; the labels do not tell, or Nova 2 would be warned of, which the guide is not.
    """
    return tuple(
        LabelledDocument(
            path=f"{place} {name}/{number}.pdf",
            content=pdf([f"{name} {number}"]),
            sections=(LabelledSection(class_name=name, page_indices=None),),
        )
        for place, (name, count) in enumerate(GUIDE_CLASSES.items())
        for number in range(count)
    )


def pdf(texts: Sequence[str]) -> bytes:
    """A PDF with a page a text."""
    document = FPDF(format=(100, 140))
    document.set_font("Helvetica", size=14)
    for text in texts:
        document.add_page()
        document.multi_cell(80, 8, text)
    buffer = io.BytesIO()
    document.output(buffer)
    return buffer.getvalue()
