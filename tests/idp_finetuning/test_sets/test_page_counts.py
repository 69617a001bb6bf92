"""Real page counts decide what labels leave open, before a job starts."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from idp_finetuning.nova.base_models import find_base_model
from idp_finetuning.test_sets.labels import Labels
from idp_finetuning.test_sets.page_counts import CountedDocument, PageCounts
from idp_finetuning.test_sets.validation import Validation, validate
from tests.support.domain.samples import document, labels, of_classes

NOVA_2 = find_base_model("us.amazon.nova-2-lite-v1:0")
NOVA_1 = find_base_model("us.amazon.nova-lite-v1:0")
UNTOLD = of_classes({"a": 30, "b": 30}, pages=None)


def counts(test_set: Labels, rejections: Mapping[str, str] = {}, pages: int = 1) -> PageCounts:
    """So many pages in every document, but for those with a code."""
    return PageCounts(
        documents=tuple(
            CountedDocument(path=d.path, rejection=rejections[d.path])
            if d.path in rejections
            else CountedDocument(path=d.path, pages=pages)
            for d in test_set.documents
        )
    )


def verdict(test_set: Labels, known: PageCounts | None, base_model: str = NOVA_1.id) -> Validation:
    return validate(test_set, train_split=0.9, base_model=base_model, counts=known)


def test_too_few_pages_are_an_error_though_no_label_says_how_many_there_are() -> None:
    assert verdict(UNTOLD, None, NOVA_2.id).is_valid
    (error,) = verdict(UNTOLD, counts(UNTOLD, pages=2), NOVA_2.id).errors
    assert error == "Nova 2 Lite needs at least 200 training pages; the training share of this test set has 108."
    assert verdict(UNTOLD, counts(UNTOLD, pages=4), NOVA_2.id).errors == ()


def test_more_pages_than_a_model_takes_are_an_error() -> None:
    assert verdict(UNTOLD, None).is_valid
    assert not verdict(UNTOLD, counts(UNTOLD, pages=NOVA_1.maximum_records)).is_valid


def test_counts_change_neither_the_split_nor_the_distribution() -> None:
    before = verdict(UNTOLD, None)
    after = verdict(UNTOLD, counts(UNTOLD, {"a/0.pdf": "encrypted"}))
    for field in ("document_count", "class_distribution", "train_count", "validation_count", "held_out_paths"):
        assert getattr(before, field) == getattr(after, field)


def test_documents_that_cannot_be_opened_are_a_warning_with_their_codes_and_no_pages() -> None:
    found = verdict(UNTOLD, counts(UNTOLD, {"a/1.pdf": "encrypted", "b/2.pdf": "too_many_pages"}, pages=4), NOVA_2.id)
    assert found.is_valid
    assert (
        "Documents that cannot be opened will be rejected (2): a/1.pdf (encrypted), b/2.pdf (too_many_pages). Correct "
        "them in a new test set."
    ) in found.warnings
    bare = of_classes({"a": 20, "b": 20})
    lost = {d.path: "empty" for d in bare.documents[:2]}
    (error,) = verdict(bare, counts(bare, lost), NOVA_2.id).errors
    train = 40 - 4 - len(lost.keys() - verdict(bare, None).held_out_paths)
    assert error.endswith(f"the training share of this test set has {train}.")


def test_labels_of_another_number_of_pages_are_named() -> None:
    test_set = labels(*(document(f"{n}.pdf", "ab"[n % 2], pages=2) for n in range(20)))
    known = counts(test_set, pages=2)
    wrong = CountedDocument(path="3.pdf", pages=5)
    known = PageCounts(documents=tuple(wrong if d.path == "3.pdf" else d for d in known.documents))
    found = verdict(test_set, known)
    assert found.is_valid
    assert (
        "Documents with another number of pages than their labels will be rejected (1): 3.pdf (labels 2, document 5). "
        "Correct the sections in a new test set."
    ) in found.warnings


@pytest.mark.parametrize(("lost", "valid"), [(6, True), (7, False)])
def test_more_documents_than_a_job_tolerates_are_an_error(lost: int, valid: bool) -> None:
    codes = {d.path: "damaged" for d in UNTOLD.documents[:lost]}
    found = verdict(UNTOLD, counts(UNTOLD, codes))
    assert found.is_valid == valid
    if not valid:
        assert found.errors[0].startswith("7 of 60 documents cannot be used; at most 10% may be rejected.")


def test_a_class_that_loses_all_its_training_documents_is_an_error() -> None:
    test_set = of_classes({"a": 30, "b": 30, "c": 1})
    (error,) = verdict(test_set, counts(test_set, {"c/0.pdf": "encrypted"})).errors
    assert error.startswith("No training document of these classes can be used: c.")


def test_a_document_whose_counting_failed_leaves_the_pages_open() -> None:
    known = counts(UNTOLD)
    first = CountedDocument(path=UNTOLD.documents[0].path)
    found = verdict(UNTOLD, PageCounts(documents=(first, *known.documents[1:])), NOVA_2.id)
    assert found.is_valid
    assert found.warnings == verdict(UNTOLD, None, NOVA_2.id).warnings
