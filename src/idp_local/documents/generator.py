"""Invented documents of eight classes with their labels, the same for the same seed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from random import Random
from types import MappingProxyType

from idp_local.documents.layouts import LAYOUTS
from idp_local.documents.scans import ScanFormat, scan
from idp_local.documents.sheet import Sheet
from idp_sdk import LabelledDocument, LabelledSection

SEED = 2024
UNSEEN_SEED = 4711

# Files of one class: how many, and their page counts in turn.
SINGLES: Mapping[str, tuple[int, Sequence[int]]] = MappingProxyType(
    {
        "bank_statement": (20, (2, 3, 2, 4, 3, 3)),
        "invoice": (18, (2, 1, 3, 2, 1)),
        "letter": (16, (2, 1, 3, 2, 1)),
        "pay_stub": (12, (1,)),
        "w2": (12, (1,)),
        "receipt": (12, (1,)),
        "drivers_license": (11, (2, 1)),
        "utility_bill": (12, (2, 1)),
    }
)
PACKETS = 18
# Formats of the files, in turn; None is a PDF that was never on paper.
FORMS: tuple[ScanFormat | None, ...] = (None, None, "jpg", "tiff", None, "png", "pdf")
FOLDERS = ("", "", "2023", "scans/batch 07", "März", "Eingang/Müller & Söhne")
STEMS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "bank_statement": ("statement", "Account statement", "Kontoauszug"),
        "invoice": ("invoice", "INV", "Rechnung für März"),
        "letter": ("letter", "Letter to customer", "Schreiben"),
        "pay_stub": ("payslip", "Pay stub", "earnings"),
        "w2": ("w2", "W-2 form", "wage statement"),
        "receipt": ("receipt", "till receipt", "reçu"),
        "drivers_license": ("licence", "Driver license", "ID scan"),
        "utility_bill": ("bill", "Energy bill", "utility"),
        "packet": ("packet", "Loan file", "Unterlagen Größe L"),
    }
)


def demo_test_set(seed: int = SEED) -> tuple[LabelledDocument, ...]:
    """Draw 131 documents with 265 pages: more than 200 training pages after a split by document at 0.9."""
    random = Random(seed)  # noqa: S311 - repeatable documents, not secrets
    return (*_singles(random, SINGLES), *_packets(random, PACKETS))


def unseen_documents(seed: int = UNSEEN_SEED) -> tuple[LabelledDocument, ...]:
    """Draw one document of each class and a packet, to classify after training; none is in the test set."""
    random = Random(seed)  # noqa: S311
    return (
        *_singles(random, {name: (1, (min(2, pages[0]),)) for name, (_, pages) in SINGLES.items()}),
        *_packets(random, 1),
    )


def _singles(random: Random, plan: Mapping[str, tuple[int, Sequence[int]]]) -> Iterator[LabelledDocument]:
    for class_name, (count, page_counts) in plan.items():
        for number in range(count):
            pages = page_counts[number % len(page_counts)]
            sheet = Sheet(random)
            LAYOUTS[class_name](sheet, pages)
            form = FORMS[(number + len(class_name)) % len(FORMS)]
            if pages > 1 and form in ("jpg", "png"):
                form = "tiff"
            content = sheet.to_pdf() if form is None else scan(sheet.to_pdf(), form, random)
            section = LabelledSection(class_name=class_name, page_indices=tuple(range(sheet.page_count)))
            path = _path(random, class_name, number, form or "pdf")
            yield LabelledDocument(path=path, content=content, sections=(section,))


def _packets(random: Random, count: int) -> Iterator[LabelledDocument]:
    for number in range(count):
        sheet = Sheet(random)
        sections = []
        for class_name in random.sample(sorted(LAYOUTS), random.randint(2, 4)):
            first = sheet.page_count
            sheet.restyle()
            LAYOUTS[class_name](sheet, min(2, random.choice(SINGLES[class_name][1])))
            sections.append(LabelledSection(class_name=class_name, page_indices=tuple(range(first, sheet.page_count))))
        scanned = number % 3 == 1
        content = scan(sheet.to_pdf(), "pdf", random) if scanned else sheet.to_pdf()
        path = _path(random, "packet", number, "pdf")
        yield LabelledDocument(path=path, content=content, sections=tuple(sections))


def _path(random: Random, kind: str, number: int, extension: str) -> str:
    folder = random.choice(FOLDERS)
    name = f"{random.choice(STEMS[kind])} {number + 1:02d}.{extension}"
    if random.random() < 0.4:
        name = name.replace(" ", "_")
    return f"{folder}/{name}" if folder else name
