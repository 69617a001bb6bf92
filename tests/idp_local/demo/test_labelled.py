from __future__ import annotations

from collections import Counter

from idp_finetuning.labels import Section, parse_section
from idp_local.demo.labelled import LabelledDocument, LabelledSection, shuffled

PACKET = LabelledDocument(
    path="Eingang/Größe L.pdf",
    content=b"%PDF-",
    sections=(
        LabelledSection(class_name="invoice", page_indices=(0, 1)),
        LabelledSection(class_name="letter", page_indices=(2,)),
    ),
)


def test_each_section_has_a_baseline_file_numbered_from_one() -> None:
    assert [key for key, _ in PACKET.baselines()] == [
        "baseline/Eingang/Größe L.pdf/sections/1/result.json",
        "baseline/Eingang/Größe L.pdf/sections/2/result.json",
    ]


def test_baselines_say_what_the_sections_say() -> None:
    assert [parse_section(content) for _, content in PACKET.baselines()] == [
        Section(class_name="invoice", page_indices=(0, 1)),
        Section(class_name="letter", page_indices=(2,)),
    ]


def test_a_section_of_unknown_pages_says_nothing_about_them() -> None:
    section = LabelledSection(class_name="invoice", page_indices=None)
    document = LabelledDocument(path="invoice/locked.pdf", content=b"", sections=(section,))
    assert [parse_section(content) for _, content in document.baselines()] == [Section(class_name="invoice")]
    assert document.page_count is None


def test_shuffling_deals_the_classes_anew_and_changes_nothing_else() -> None:
    documents = [
        LabelledDocument(
            path=f"{number}.pdf",
            content=b"%PDF-",
            sections=(LabelledSection(class_name="abcd"[number % 4], page_indices=(0,)),),
        )
        for number in range(40)
    ]
    dealt = shuffled(documents, seed=5)
    before, after = ([d.sections[0].class_name for d in side] for side in (documents, dealt))
    assert Counter(after) == Counter(before)
    assert sum(old == new for old, new in zip(before, after, strict=True)) < 20
    assert [(d.path, d.content, d.sections[0].page_indices) for d in dealt] == [
        (d.path, d.content, d.sections[0].page_indices) for d in documents
    ]
    assert shuffled(documents, seed=5) == dealt
    assert shuffled(documents, seed=6) != dealt
