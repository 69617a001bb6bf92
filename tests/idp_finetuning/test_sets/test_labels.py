"""What the labels of a test set say, whatever its layout in S3."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import pytest

from idp_finetuning.test_sets.labels import Labels, Listing, StoredFile, read_labels
from idp_finetuning.test_sets.sections import LabelProblem, Section, parse_section
from tests.support.domain.samples import result_json

PNG = b"\x89PNG\r\n\x1a\n"


def listing(*keys: str) -> Listing:
    """Keys below the test set in the order S3 lists them."""
    files = sorted((f"docsplit/{key}" for key in keys), key=str.encode)
    return Listing(
        test_set_id="docsplit",
        files=tuple(StoredFile(key=k, size=1, etag=hashlib.md5(k.encode()).hexdigest()) for k in files),
    )


def read(files: dict[str, bytes]) -> Labels:
    """The labels of a test set with these files (keys below the test set)."""

    def read_all(keys: list[str]) -> Iterable[bytes]:
        return [files[key.removeprefix("docsplit/")] for key in keys]

    return read_labels(listing(*files), read_all, lambda keys: [PNG for _ in keys])


def test_a_packet_keeps_its_sections_in_numeric_order() -> None:
    files = {"input/packet.pdf": b""}
    for number in (1, 10, 2):
        files[f"baseline/packet.pdf/sections/{number}/result.json"] = result_json(f"class {number}", [number - 1])
    for number in range(3, 10):
        files[f"baseline/packet.pdf/sections/{number}/result.json"] = result_json(f"class {number}", [number - 1])
    (packet,) = read(files).documents
    assert [s.class_name for s in packet.sections] == [f"class {n}" for n in range(1, 11)]
    assert packet.page_count == 10


@pytest.mark.parametrize(
    "path",
    [
        "plain.pdf",
        "sub/folder/scan.pdf",
        "a name with spaces (2).pdf",
        "Überweisung 請求書 счёт.pdf",
        "Screenshot at 5.00.00\u202fPM.png",
        "odd/sections/1/result.json",
        "sections/1/sections/2/x.pdf",
        "no extension",
        "trailing.pdf.pdf",
        "/leading slash.pdf",
    ],
)
def test_a_document_finds_its_own_baseline_by_its_whole_path(path: str) -> None:
    found = read({f"input/{path}": b"", f"baseline/{path}/sections/1/result.json": result_json("invoice", [0, 1])})
    assert [(d.path, d.sections, d.problem) for d in found.documents] == [
        (path, (Section(class_name="invoice", page_indices=(0, 1)),), None)
    ]
    assert found.orphans == ()


def test_documents_of_one_file_name_in_two_folders_keep_their_own_labels() -> None:
    found = read(
        {
            "input/a/scan.pdf": b"",
            "input/b/scan.pdf": b"",
            "baseline/a/scan.pdf/sections/1/result.json": result_json("invoice"),
            "baseline/b/scan.pdf/sections/1/result.json": result_json("receipt"),
        }
    )
    assert {d.path: d.classes for d in found.documents} == {"a/scan.pdf": {"invoice"}, "b/scan.pdf": {"receipt"}}
    assert len({d.document_id("docsplit") for d in found.documents}) == 2


def test_folder_markers_and_page_files_are_no_documents_and_no_labels() -> None:
    found = read(
        {
            "input/": b"",
            "input/sub/": b"",
            "input/a.pdf": b"",
            "baseline/": b"",
            "baseline/a.pdf/": b"",
            "baseline/a.pdf/sections/": b"",
            "baseline/a.pdf/sections/1/": b"",
            "baseline/a.pdf/sections/1/result.json": result_json("invoice"),
            "baseline/a.pdf/pages/1/result.json": b'{"text": "secret"}',
            "baseline/a.pdf/pages/1/image.jpg": b"",
            "baseline/a.pdf/sections/notes/result.json": b"no section",
        }
    )
    assert [(d.path, d.problem) for d in found.documents] == [("a.pdf", None)]
    assert found.orphans == ()


def test_a_baseline_without_a_document_is_an_orphan_and_is_not_read() -> None:
    asked: list[str] = []

    def read_all(keys: list[str]) -> Iterable[bytes]:
        asked.extend(keys)
        return [result_json("invoice") for _ in keys]

    files = listing("input/a.pdf", "baseline/a.pdf/sections/1/result.json", "baseline/gone.pdf/sections/1/result.json")
    assert read_labels(files, read_all, read_all).orphans == ("gone.pdf",)
    assert asked == ["docsplit/baseline/a.pdf/sections/1/result.json"]


def test_files_that_are_no_documents_are_left_out_and_their_baselines_are_no_orphans() -> None:
    files = dict.fromkeys(("a.pdf", "Thumbs.db", "notes.txt", "scan", "sub/.hidden.pdf", "empty.png"), "labelled")
    sizes = {"input/empty.png": 0}
    stored = [f"input/{name}" for name in files] + [f"baseline/{name}/sections/1/result.json" for name in files]
    asked: list[str] = []

    def read_beginnings(keys: list[str]) -> Iterable[bytes]:
        asked.extend(keys)
        return [b"hello" if key.endswith(".txt") else PNG for key in keys]

    sized = tuple(f.model_copy(update={"size": sizes.get(f.key[9:], 1)}) for f in listing(*stored).files)
    found = read_labels(
        Listing(test_set_id="docsplit", files=sized), lambda keys: [result_json("a")] * len(keys), read_beginnings
    )
    assert [d.path for d in found.documents] == ["a.pdf", "scan"]
    assert {f.path: f.reason for f in found.left_out} == {
        "Thumbs.db": "written by Windows",
        "empty.png": "empty",
        "notes.txt": "neither a PDF nor a PNG, JPEG, GIF, WebP, TIFF or BMP image",
        "sub/.hidden.pdf": "hidden",
    }
    assert found.orphans == ()
    assert asked == ["docsplit/input/notes.txt", "docsplit/input/scan"]


def test_a_document_without_a_baseline_says_so() -> None:
    (found,) = read({"input/a.pdf": b""}).documents
    assert found.problem is LabelProblem.NO_BASELINE


@pytest.mark.parametrize(
    ("sections", "problem"),
    [
        ([[0, 1], [2]], None),
        ([[0, 3], [1, 2]], None),  # not consecutive
        ([[2], [0, 1]], None),
        ([None], None),
        ([[0, 1], [1, 2]], LabelProblem.OVERLAP),
        ([[0, 0]], LabelProblem.OVERLAP),
        ([None, None], LabelProblem.OVERLAP),
        ([None, [1]], LabelProblem.OVERLAP),
        ([[0], [2]], LabelProblem.GAP),
        ([[1, 2]], LabelProblem.COUNTED_FROM_ONE),
        ([[3, 1], [2]], LabelProblem.COUNTED_FROM_ONE),
        ([[1], [3]], LabelProblem.GAP),
        ([[1, 1]], LabelProblem.OVERLAP),
        ([[10**30]], LabelProblem.GAP),
        ([list(range(500))], None),
        ([list(range(501))], LabelProblem.TOO_MANY_PAGES),
        ([[0], []], LabelProblem.NO_PAGES),
    ],
)
def test_every_page_belongs_to_exactly_one_section(
    sections: list[list[int] | None], problem: LabelProblem | None
) -> None:
    files = {"input/a.pdf": b""}
    for number, indices in enumerate(sections, 1):
        files[f"baseline/a.pdf/sections/{number}/result.json"] = result_json("invoice", indices)
    (found,) = read(files).documents
    assert found.problem is problem
    assert bool(found.sections) is (problem is None)


def test_pages_from_one_on_are_a_gap_if_the_first_section_is_missing() -> None:
    (found,) = read(
        {"input/a.pdf": b"", "baseline/a.pdf/sections/2/result.json": result_json("invoice", [1, 2])}
    ).documents
    assert found.problem is LabelProblem.GAP


def test_a_bad_section_makes_the_whole_document_unusable_but_no_other() -> None:
    found = read(
        {
            "input/bad.pdf": b"",
            "input/good.pdf": b"",
            "baseline/bad.pdf/sections/1/result.json": result_json("invoice", [0]),
            "baseline/bad.pdf/sections/2/result.json": b"{broken",
            "baseline/good.pdf/sections/1/result.json": result_json("invoice", [0]),
        }
    )
    assert {d.path: d.problem for d in found.documents} == {"bad.pdf": LabelProblem.NOT_JSON, "good.pdf": None}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b'{"document_class": {"type": "w2"}}', Section(class_name="w2")),
        (b'{"document_class": "w2"}', Section(class_name="w2")),
        (b'{"document_class": " w2 "}', Section(class_name="w2")),
        (b'\xef\xbb\xbf{"document_class": "w2"}', Section(class_name="w2")),
        ('{"document_class": "facture\u00a0client"}'.encode(), Section(class_name="facture\u00a0client")),
        ('{"document_class": "نامه‌ها"}'.encode(), Section(class_name="نامه‌ها")),
        (b'{"document_class": "w2", "split_document": {}}', Section(class_name="w2")),
        (b'{"document_class": "w2", "split_document": null}', Section(class_name="w2")),
        (
            b'{"document_class": "w2", "split_document": {"page_indices": [1, 0]}}',
            Section(class_name="w2", page_indices=(1, 0)),
        ),
        (b'{"inference_result": {"total": 1}}', LabelProblem.UNCLASSIFIED),
        (b"{}", LabelProblem.UNCLASSIFIED),
        (b'{"document_class": {}}', LabelProblem.UNCLASSIFIED),
        (b'{"document_class": {"type": "  "}}', LabelProblem.UNCLASSIFIED),
        (b'{"document_class": {"type": 7}}', LabelProblem.CLASS_NOT_TEXT),
        (b'{"document_class": ["w2"]}', LabelProblem.CLASS_NOT_TEXT),
        (b'["w2"]', LabelProblem.NO_OBJECT),
        (b'"w2"', LabelProblem.NO_OBJECT),
        (b"", LabelProblem.EMPTY_FILE),
        (b"\xff\xfe\x00", LabelProblem.NOT_UTF8),
        (b" \n", LabelProblem.EMPTY_FILE),
        (b'{"document_class": "w2"', LabelProblem.NOT_JSON),
        (b'{"document_class": NaN}', LabelProblem.CLASS_NOT_TEXT),
        ('{"document_class": "\u200b"}'.encode(), LabelProblem.UNCLASSIFIED),
        (b'{"document_class": "w2", "split_document": {"page_indices": [Infinity]}}', LabelProblem.PAGES_NOT_NUMBERS),
        (b'{"document_class": "w2", "split_document": {"page_indices": []}}', LabelProblem.NO_PAGES),
        (b"[" * 100_000, LabelProblem.TOO_DEEP),
        (b'{"document_class": "w2", "split_document": {"page_indices": [true]}}', LabelProblem.PAGES_NOT_NUMBERS),
        (b'{"document_class": "w2", "split_document": {"page_indices": [0.0]}}', LabelProblem.PAGES_NOT_NUMBERS),
        (b'{"document_class": "w2", "split_document": {"page_indices": ["0"]}}', LabelProblem.PAGES_NOT_NUMBERS),
        (b'{"document_class": "w2", "split_document": {"page_indices": [-1]}}', LabelProblem.NEGATIVE_PAGE),
        (b'{"document_class": "w2", "split_document": {"page_indices": 0}}', LabelProblem.PAGES_NOT_LISTED),
        (b'{"document_class": "w\\n2"}', LabelProblem.BAD_CLASS_NAME),
        (b'{"document_class": "w\\u20282"}', LabelProblem.BAD_CLASS_NAME),
        (b'{"document_class": "\\ud800"}', LabelProblem.BAD_CLASS_NAME),
        (b'{"document_class": "' + b"x" * 201 + b'"}', LabelProblem.BAD_CLASS_NAME),
        (('{"document_class": "' + "界" * 134 + '"}').encode(), LabelProblem.BAD_CLASS_NAME),
    ],
)
def test_a_section_file_is_read_or_refused_never_guessed_around(
    content: bytes, expected: Section | LabelProblem
) -> None:
    assert parse_section(content) == expected


def test_a_test_set_being_uploaded_shows_it() -> None:
    assert listing("input/a.pdf", ".uploading").uploading
    assert not listing("input/a.pdf", "input/.uploading").uploading


def test_litter_and_empty_files_are_not_counted_as_documents() -> None:
    files = {"a.pdf": 1, "Thumbs.db": 9, ".DS_Store": 9, "__MACOSX/a.pdf": 9, "~$a.docx": 9, "empty.pdf": 0, "b/": 0}
    listed = Listing(
        test_set_id="t", files=tuple(StoredFile(key=f"t/input/{k}", size=size, etag=k) for k, size in files.items())
    )
    assert listed.document_count == 1


def test_the_fingerprint_changes_with_content_and_with_keys_only() -> None:
    def files(*pairs: tuple[str, str], size: int = 1) -> str:
        return Listing(test_set_id="t", files=tuple(StoredFile(key=k, size=size, etag=e) for k, e in pairs)).fingerprint

    first = files(("a", "1"), ("b", "2"))
    assert first == files(("a", "1"), ("b", "2"))
    assert len({first, files(("a", "1"), ("b", "3")), files(("a", "1"), ("c", "2")), files(("a", "1"))}) == 4
