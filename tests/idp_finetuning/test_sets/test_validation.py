"""Every rule a test set has to meet: errors."""

from __future__ import annotations

import pytest

from idp_finetuning.nova.base_models import BaseModelSpec, find_base_model
from idp_finetuning.nova.prompt import RESERVED_WORDS
from idp_finetuning.test_sets.labels import Labels
from idp_finetuning.test_sets.sections import LabelProblem
from idp_finetuning.test_sets.validation import Validation, validate
from tests.support.domain.samples import GUIDE_CLASSES, document, labels, of_classes

NOVA_2 = find_base_model("us.amazon.nova-2-lite-v1:0")
NOVA_1 = find_base_model("us.amazon.nova-lite-v1:0")


def verdict(test_set: Labels, base_model: BaseModelSpec | None = None, uploading: bool = False) -> Validation:
    """The verdict at the default split."""
    return validate(test_set, train_split=0.9, base_model=base_model.id if base_model else None, uploading=uploading)


@pytest.mark.parametrize("base_model", [None, NOVA_1, NOVA_2])
def test_the_guides_test_set_is_valid_with_exactly_the_guides_warning(base_model: BaseModelSpec | None) -> None:
    found = verdict(of_classes(GUIDE_CLASSES, pages=2), base_model=base_model)
    assert found.errors == ()
    assert found.warnings == ("Class 'other' has relatively few examples (10)",)
    assert (found.is_valid, found.document_count, found.class_count) == (True, 150, 8)
    assert (found.train_count, found.validation_count) == (135, 15)
    assert found.class_distribution == GUIDE_CLASSES


def test_the_distribution_counts_sections_in_the_order_their_classes_appear() -> None:
    packets = [document(f"{n}.pdf", "small", "large", "large") for n in range(12)]
    found = verdict(labels(*packets))
    assert list(found.class_distribution.items()) == [("small", 12), ("large", 24)]
    assert found.document_count == 12


@pytest.mark.parametrize("count", [0, 1, 9])
def test_fewer_than_ten_documents_are_insufficient(count: int) -> None:
    found = verdict(labels(*(document(f"{n}.pdf", "ab"[n % 2]) for n in range(count))))
    assert not found.is_valid
    assert found.errors[0].startswith(f"Insufficient documents: {count} found, at least 10 needed.")


def test_ten_documents_of_two_classes_are_enough() -> None:
    found = verdict(of_classes({"a": 5, "b": 5}), base_model=NOVA_1)
    assert found.errors == ()
    assert (found.train_count, found.validation_count) == (9, 1)


def test_one_class_is_insufficient() -> None:
    found = verdict(of_classes({"a": 20}))
    assert [e.split(":")[0] for e in found.errors] == ["Insufficient classes"]
    assert found.errors[0].startswith("Insufficient classes: 1 found, at least 2 needed.")


@pytest.mark.parametrize("problem", list(LabelProblem))
def test_each_label_problem_is_an_error_that_names_the_document(problem: LabelProblem) -> None:
    good = of_classes({"a": 10, "b": 10}).documents
    found = verdict(labels(*good, document("folder/bad one.pdf", problem=problem)))
    assert found.errors == (f"1 document {problem.value}: folder/bad one.pdf. {problem.advice}",)


def test_of_many_unlabelled_documents_the_first_ten_are_named_and_the_rest_counted() -> None:
    bad = [document(f"{n:02}.pdf", problem=LabelProblem.UNCLASSIFIED) for n in range(25)]
    (error,) = verdict(labels(*of_classes({"a": 10, "b": 10}).documents, *bad)).errors
    assert error.startswith("25 documents have no classification in their baseline: ")
    assert "00.pdf" in error
    assert "09.pdf" in error
    assert "10.pdf" not in error
    assert "and 15 more" in error


def test_different_problems_are_told_together() -> None:
    found = verdict(
        labels(
            *of_classes({"a": 10, "b": 10, "user: x": 3}).documents,
            document("1.pdf", problem=LabelProblem.OVERLAP),
            document("2.pdf", problem=LabelProblem.GAP),
        )
    )
    assert [error.split(":")[0] for error in found.errors] == [
        "1 document has sections that overlap",
        "1 document has sections that leave pages out",
        "Class name 'user",
    ]


@pytest.mark.parametrize("word", RESERVED_WORDS)
def test_a_class_name_with_a_reserved_word_is_an_error(word: str) -> None:
    name = f"my {word.upper()} class"
    found = verdict(of_classes({name: 10, "other": 10}))
    assert any(e.startswith(f"Class name '{name}' contains '{word}'") for e in found.errors)


def test_a_test_set_being_uploaded_is_not_ready() -> None:
    found = verdict(of_classes(GUIDE_CLASSES, pages=2), uploading=True)
    assert found.errors == (
        "The test set is not ready: its upload is still in progress. Complete the upload and try again.",
    )


@pytest.mark.parametrize(
    ("model", "pages", "refused"), [(NOVA_1, 1, False), (NOVA_2, 1, True), (NOVA_2, 7, True), (NOVA_2, 8, False)]
)
def test_a_model_with_too_few_training_pages_is_refused(model: BaseModelSpec, pages: int, refused: bool) -> None:
    found = verdict(of_classes({"a": 14, "b": 14}, pages=pages), base_model=model)  # 25 train
    assert bool(found.errors) is refused
    if refused:
        assert found.errors == (
            f"Nova 2 Lite needs at least 200 training pages; the training share of this test set has {25 * pages}.",
        )


def test_more_training_pages_than_the_model_takes_are_refused() -> None:
    found = verdict(of_classes({"a": 14, "b": 14}, pages=801), base_model=NOVA_1)
    assert found.errors == (
        "Nova Lite v1 takes at most 20000 records; this test set makes 22428: 20025 training pages and 2403 held-out "
        "pages. Remove documents.",
    )


def test_pages_the_labels_do_not_tell_refuse_no_model() -> None:
    found = verdict(of_classes({"a": 14, "b": 14}, pages=None), base_model=NOVA_2)
    assert found.errors == ()
    unknown = verdict(of_classes({"a": 14, "b": 14}, pages=None))
    assert not any("training pages" in warning for warning in unknown.warnings)


def test_known_pages_alone_can_be_too_many() -> None:
    known = of_classes({"a": 14, "b": 14}, pages=801).documents
    found = verdict(labels(*known, *(document(f"{n}.pdf", "a", pages=None) for n in range(3))), base_model=NOVA_1)
    assert found.errors[0].startswith("Nova Lite v1 takes at most 20000 records; this test set makes 22428")


def test_unusable_documents_are_counted_but_not_split() -> None:
    bad = [document(f"{n}.pdf", problem=LabelProblem.GAP) for n in range(5)]
    found = verdict(labels(*of_classes({"a": 10, "b": 10}).documents, *bad))
    assert (found.document_count, found.train_count, found.validation_count) == (25, 18, 2)


def test_a_model_that_cannot_be_fine_tuned_is_an_error_of_the_verdict() -> None:
    found = validate(of_classes({"a": 14, "b": 14}), train_split=0.9, base_model="us.amazon.nova-premier-v1:0")
    assert not found.is_valid
    assert found.errors[0].startswith("baseModel is not a model that can be fine-tuned.")


@pytest.mark.parametrize(
    ("model", "pages", "repeat", "refused"),
    [
        (NOVA_1, 714, 1, False),  # 25 documents train, 3 are held out: 19,992 records
        (NOVA_1, 715, 1, True),
        (NOVA_2, 800, 1, False),  # Nova 2 gets no validation file
        (NOVA_2, 801, 1, True),
        (NOVA_2, 200, 4, False),
        (NOVA_2, 201, 4, True),
        (NOVA_1, 377, 2, False),
        (NOVA_1, 378, 2, True),
    ],
)
def test_held_out_and_repeated_pages_count_as_records(
    model: BaseModelSpec, pages: int, repeat: int, refused: bool
) -> None:
    test_set = of_classes({"a": 14, "b": 14}, pages=pages)
    found = validate(test_set, train_split=0.9, base_model=model.id, repeat=repeat)
    assert bool(found.errors) is refused
    if refused:
        records = 25 * pages * repeat + (3 * pages if model is NOVA_1 else 0)
        assert f"takes at most 20000 records; this test set makes {records}:" in found.errors[0]
        assert ("lower repeat" in found.errors[0]) is (repeat > 1)


def test_a_page_that_is_repeated_counts_once_for_the_fewest_pages() -> None:
    found = validate(of_classes({"a": 14, "b": 14}, pages=4), train_split=0.9, base_model=NOVA_2.id, repeat=4)
    assert found.errors[0].startswith("Nova 2 Lite needs at least 200 training pages; ")
