"""Every rule a test set has to meet: warnings."""

from __future__ import annotations

import pytest

from idp_finetuning.test_sets.labels import DocumentLabels, LeftOutFile
from idp_finetuning.test_sets.validation import validate
from idp_finetuning.text import join_first
from tests.support.domain.samples import document, labels, of_classes


def warnings(*documents: DocumentLabels, orphans: tuple[str, ...] = ()) -> list[str]:
    """Warnings at the default split, of documents with pages enough for every model."""
    found = validate(labels(*documents, orphans=orphans), train_split=0.9)
    assert found.is_valid, found.errors
    return list(found.warnings)


def enough(**counts: int) -> tuple[DocumentLabels, ...]:
    """Documents of ten pages each."""
    return of_classes(counts, pages=10).documents


def test_a_class_of_ten_examples_is_small_and_one_of_eleven_is_not() -> None:
    assert warnings(*enough(a=11, b=11)) == []
    assert warnings(*enough(a=11, b=11, c=10)) == ["Class 'c' has relatively few examples (10)"]


def test_imbalance_is_told_above_five_to_one() -> None:
    assert warnings(*enough(a=55, b=11)) == []
    (warning,) = warnings(*enough(a=56, b=11))
    assert warning.startswith("Classes are imbalanced: 'a' has 56 examples, 'b' has 11.")


def test_a_class_with_no_held_out_document_is_named() -> None:
    told = warnings(*enough(a=20, b=20, single=1))
    assert "Classes without a held-out document are not evaluated: single" in told


def test_nothing_held_out_is_told_once() -> None:
    told = warnings(*(document(f"{n}.pdf", f"class {n}", pages=30) for n in range(12)))
    assert [w.split(":")[0] for w in told if "held" in w] == ["No document can be held out"]


def test_class_names_that_differ_only_by_case_are_told() -> None:
    told = warnings(*enough(Invoice=11, INVOICE=11, receipt=11, Straße=11, STRASSE=11))
    assert [w for w in told if "case" in w] == [
        "Class names differ only by case and are trained as different classes: 'INVOICE' and 'Invoice'",
        "Class names differ only by case and are trained as different classes: 'STRASSE' and 'Straße'",
    ]


def test_class_names_that_look_alike_are_told_with_what_tells_them_apart() -> None:
    nfc, nfd, wide, spaced = "R\u00e9sum\u00e9", "Re\u0301sume\u0301", "pay\u00a0stub", "pay stub"
    told = warnings(*enough(**{nfc: 11, nfd: 11, wide: 11, spaced: 11, "letter": 11}))
    assert [w for w in told if "alike" in w] == [
        "Class names look alike and are trained as different classes: "
        f"'{nfd}' (\"Re\\u0301sume\\u0301\") and '{nfc}' (\"R\\u00e9sum\\u00e9\")",
        f"Class names look alike and are trained as different classes: 'pay stub' and '{wide}' (\"pay\\u00a0stub\")",
    ]


def test_files_that_are_no_documents_are_named_with_their_reasons() -> None:
    left_out = (LeftOutFile(path="a/Thumbs.db", reason="written by Windows"), LeftOutFile(path="b", reason="empty"))
    found = validate(labels(*enough(a=11, b=11)).model_copy(update={"left_out": left_out}), train_split=0.9)
    assert (found.is_valid, found.document_count) == (True, 22)
    assert found.warnings == (
        "Files that are no documents are left out (2): a/Thumbs.db (written by Windows), b (empty)",
    )


def test_identical_files_under_different_labels_are_told() -> None:
    twin = {"size": 5, "etag": "same"}
    first = document("1.pdf", "a", pages=10).model_copy(update=twin)
    second = document("2.pdf", "b", pages=10).model_copy(update=twin)
    assert "Identical files under different labels: 1.pdf, 2.pdf" in warnings(*enough(a=11, b=11), first, second)


def test_of_many_identical_files_ten_are_named_and_the_others_counted() -> None:
    twins = [
        document(f"{name}{n}.pdf", name, pages=10).model_copy(update={"size": 5, "etag": f"same {n}"})
        for n in range(13)
        for name in ("a", "b")
    ]
    told = [w for w in warnings(*enough(a=11, b=11), *twins) if "different labels" in w]
    assert len(told) == 11
    assert told[-1] == "Identical files under different labels: 3 more such files."


def test_identical_files_under_one_label_are_not_told() -> None:
    twin = {"size": 5, "etag": "same"}
    copies = [document(f"{n}.pdf", "a", pages=10).model_copy(update=twin) for n in range(2)]
    assert warnings(*enough(a=11, b=11), *copies) == []


def test_baselines_without_a_document_are_counted_and_named() -> None:
    assert warnings(*enough(a=11, b=11), orphans=("gone.pdf", "x y.pdf")) == [
        "Baselines without a document are ignored (2): gone.pdf, x y.pdf"
    ]


def test_without_a_base_model_each_model_that_is_out_of_reach_is_named() -> None:
    found = validate(of_classes({"a": 14, "b": 14}), train_split=0.9)
    assert [w.partition(" needs")[0] for w in found.warnings] == ["Nova 2 Lite", "Nova 2 Pro"]


@pytest.mark.parametrize(
    ("things", "text"),
    [
        (["a"], "a"),
        (["a b", "c"], "a b, c"),
        (["line\nbreak"], '"line\\nbreak"'),
        ([str(n) for n in range(11)], "0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 1 more"),
    ],
)
def test_names_are_listed_ten_at_most_and_quoted_where_unclear(things: list[str], text: str) -> None:
    assert join_first(things) == text
