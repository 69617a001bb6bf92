from __future__ import annotations

from collections import Counter

from idp_sdk import LabelledDocument, LabelledSection
from tests.support.shuffled_labels import shuffled


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
