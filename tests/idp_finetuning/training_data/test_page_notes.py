"""What drawing showed goes in front of a document's records and becomes warnings of the report."""

from __future__ import annotations

from idp_finetuning.test_sets.sections import Section
from idp_finetuning.test_sets.split import Split
from idp_finetuning.training_data.examples import ManifestDocument
from idp_finetuning.training_data.page_notes import NotedPages, PageNotes, image_digest, join_notes, split_notes

RECORDS = b'{"schemaVersion":"bedrock-conversation-2024"}\n'


def noted(*documents: tuple[str, str, list[bytes], list[int]]) -> list[str]:
    """The warnings of documents with path, class, page images and counts of missing characters."""
    pages = NotedPages("docs/input/")
    for path, name, images, missing in documents:
        document = ManifestDocument(
            document_id=path, key=f"docs/input/{path}", split=Split.TRAIN, sections=(Section(class_name=name),)
        )
        digests = tuple(image_digest(image) for image in images)
        pages.add(document, PageNotes(digests=digests, missing_glyphs=tuple(missing)))
    return list(pages.warnings())


def test_notes_come_back_and_leave_the_records() -> None:
    notes = PageNotes(digests=("a", "b"), missing_glyphs=(0, 3))
    assert split_notes(join_notes(notes, RECORDS * 2)) == (notes, RECORDS * 2)


def test_an_example_without_notes_is_all_records() -> None:
    assert split_notes(RECORDS) == (None, RECORDS)


def test_identical_images_under_different_labels_are_a_warning_with_both_pages() -> None:
    (warning,) = noted(("a.pdf", "approved", [b"1", b"2"], [0, 0]), ("b.pdf", "rejected", [b"3", b"2"], [0, 0]))
    assert "a.pdf page 2 (approved) and b.pdf page 2 (rejected)" in warning


def test_identical_images_under_one_label_are_none() -> None:
    assert noted(("a.pdf", "approved", [b"1"], [0]), ("b.pdf", "approved", [b"1"], [0])) == []


def test_missing_characters_are_a_warning_by_page() -> None:
    (warning,) = noted(("a.pdf", "approved", [b"1", b"2"], [0, 4]))
    assert "a.pdf page 2 (4)" in warning
