from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import NoReturn

import pytest

from idp_finetuning.test_sets.sections import Section, parse_section
from idp_finetuning.test_sets.test_set import TestSetFile
from idp_sdk import Layout
from idp_sdk.errors import InvalidInput
from idp_sdk.uploads.folders import LabelledFolder, read_folder
from tests.support.sdk.folders import tree

EMPTY_MD5 = "d41d8cd98f00b204e9800998ecf8427e"


def keys(folder: LabelledFolder) -> list[str]:
    return [file.key for file in folder.files]


def reasons(folder: LabelledFolder) -> dict[str, str]:
    return {ignored.path: ignored.reason for ignored in folder.ignored}


def test_each_sub_folder_is_a_class_at_any_depth(tmp_path: Path) -> None:
    folder = read_folder(tree(tmp_path, "invoice/2026/März/a b.pdf", "invoice/b.png", " pay stub/c.tiff"))
    assert folder.layout is Layout.CLASSES
    assert folder.documents == 3
    assert set(keys(folder)) == {
        "input/invoice/2026/März/a b.pdf",
        "baseline/invoice/2026/März/a b.pdf/sections/1/result.json",
        "input/invoice/b.png",
        "baseline/invoice/b.png/sections/1/result.json",
        "input/ pay stub/c.tiff",
        "baseline/ pay stub/c.tiff/sections/1/result.json",
    }
    labels = {file.key: file.content for file in folder.files if isinstance(file.content, bytes)}
    label = labels["baseline/ pay stub/c.tiff/sections/1/result.json"]
    assert parse_section(label) == Section(class_name="pay stub")
    assert json.loads(label) == {"document_class": {"type": "pay stub"}}


def test_sizes_are_those_of_what_is_sent_and_keys_are_legal(tmp_path: Path) -> None:
    folder = read_folder(tree(tmp_path, "invoice/日本/ü.pdf"))
    for file in folder.files:
        content = file.content if isinstance(file.content, bytes) else file.content.read_bytes()
        assert file.size == len(content)
        TestSetFile(key=file.key, size=file.size, md5=EMPTY_MD5)


def test_the_accelerators_layout_is_found_and_sent_as_it_is(tmp_path: Path) -> None:
    paths = ("input/a/b.pdf", "baseline/a/b.pdf/sections/1/result.json", "baseline/a/b.pdf/pages/1/result.json")
    folder = read_folder(tree(tmp_path, *paths, "README.md"))
    assert folder.layout is Layout.ACCELERATOR
    assert folder.documents == 1
    assert set(keys(folder)) == set(paths)
    assert reasons(folder) == {"README.md": "outside input/ and baseline/"}


def test_a_layout_that_is_named_is_not_guessed(tmp_path: Path) -> None:
    root = tree(tmp_path, "input/a.pdf", "baseline/b.pdf")
    folder = read_folder(root, Layout.CLASSES)
    assert "baseline/input/a.pdf/sections/1/result.json" in keys(folder)
    assert read_folder(tree(tmp_path / "x", "input/a.pdf")).layout is Layout.CLASSES


def test_what_is_not_sent_is_named_with_its_reason(tmp_path: Path) -> None:
    outside = tree(tmp_path / "outside", "secret.pdf") / "secret.pdf"
    root = tree(
        tmp_path / "documents",
        "invoice/good.pdf",
        "invoice/.DS_Store",
        ".git/config",
        "loose.pdf",
        f"{'x' * 201}/a.pdf",
        "invoice/two\nlines.pdf",
        "invoice/${filename}",
        "invoice/$5.pdf",
        f"invoice/{'y' * 250}/{'y' * 250}/{'y' * 250}/{'y' * 150}.pdf",
    )
    (root / "empty").mkdir()
    (root / "invoice" / "out.pdf").symlink_to(outside)
    (root / "invoice" / "within.pdf").symlink_to(root / "invoice" / "good.pdf")
    (root / "invoice" / "nothing.pdf").symlink_to(root / "gone.pdf")
    (root / "invoice" / "folder").symlink_to(tmp_path / "outside")
    os.mkfifo(root / "invoice" / "pipe")
    with (root / "invoice" / "large.pdf").open("wb") as large:
        large.truncate(250_000_001)

    folder = read_folder(root)
    assert {key for key in keys(folder) if key.startswith("input/")} == {
        "input/invoice/good.pdf",
        "input/invoice/within.pdf",
    }
    found = reasons(folder)
    long_path = next(path for path in found if "yyy" in path)
    assert found == {
        "invoice/.DS_Store": "hidden",
        ".git/": "hidden",
        "loose.pdf": "outside a class folder",
        f"{'x' * 201}/a.pdf": "class name above 200 characters (400 bytes)",
        "invoice/two\nlines.pdf": "name with characters that an S3 key cannot have",
        "invoice/${filename}": "name with ${filename}, which S3 replaces in uploads",
        "invoice/$5.pdf": "name with $, which S3 does not accept in uploads; rename it",
        long_path: "path too long",
        "empty/": "an empty folder",
        "invoice/out.pdf": "a link to outside of the folder",
        "invoice/nothing.pdf": "a link to nothing",
        "invoice/folder/": "a link to a folder",
        "invoice/pipe": "not a regular file",
        "invoice/large.pdf": "larger than 250 MB",
    }


def test_litter_and_other_files_beside_documents_are_left_out_and_the_rest_is_sent(tmp_path: Path) -> None:
    root = tree(
        tmp_path / "documents",
        "invoice/a.pdf",
        "invoice/Thumbs.db",
        "invoice/desktop.ini",
        "invoice/~$letter.docx",
        "invoice/notes.txt",
        "invoice/letter.docx",
        "__MACOSX/invoice/._a.pdf",
    )
    (root / "invoice" / "empty.pdf").touch()
    (root / "invoice" / "text.pdf").write_bytes(b"This is no PDF.")
    (root / "invoice" / "scan.txt").write_bytes(b"%PDF-1.7 named like a text")
    folder = read_folder(root)
    assert [key for key in keys(folder) if key.startswith("input/")] == [
        "input/invoice/a.pdf",
        "input/invoice/scan.txt",
    ]
    other = "neither a PDF nor a PNG, JPEG, GIF, WebP, TIFF or BMP image"
    assert reasons(folder) == {
        "__MACOSX/": "written by macOS",
        "invoice/Thumbs.db": "written by Windows",
        "invoice/desktop.ini": "written by Windows",
        "invoice/empty.pdf": "empty",
        "invoice/letter.docx": other,
        "invoice/notes.txt": other,
        "invoice/text.pdf": other,
        "invoice/~$letter.docx": "written by Office while a document is open",
    }


def test_links_that_loop_and_names_that_are_not_utf8_are_named(tmp_path: Path) -> None:
    root = tree(tmp_path / "documents", "invoice/a.pdf")
    (root / "invoice" / "one.pdf").symlink_to(root / "invoice" / "two.pdf")
    (root / "invoice" / "two.pdf").symlink_to(root / "invoice" / "one.pdf")
    (root / "invoice" / "up").symlink_to(root)
    Path(os.fsdecode(bytes(root / "invoice" / "M") + b"\xfcll.pdf")).write_bytes(b"%PDF-")
    folder = read_folder(root)
    assert folder.documents == 1
    assert reasons(folder) == {
        "invoice/one.pdf": "a link that leads to itself",
        "invoice/two.pdf": "a link that leads to itself",
        "invoice/up/": "a link to a folder",
        "invoice/M\\xfcll.pdf": "name that is not UTF-8; rename it",
    }


def test_a_folder_and_a_file_without_permission_are_named_and_the_rest_is_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tree(tmp_path / "documents", "invoice/a.pdf", "locked/b.pdf", "invoice/secret.pdf")
    listed, opened = Path.iterdir, Path.open

    def denied(self: Path, *_: object, **__: object) -> NoReturn:
        raise PermissionError(errno.EACCES, "Permission denied", str(self))

    monkeypatch.setattr(Path, "iterdir", lambda self: denied(self) if self.name == "locked" else listed(self))
    monkeypatch.setattr(
        Path, "open", lambda self, *given: denied(self) if self.name == "secret.pdf" else opened(self, *given)
    )
    folder = read_folder(root)
    assert folder.documents == 1
    assert reasons(folder) == {
        "locked/": "not readable: Permission denied",
        "invoice/secret.pdf": "not readable: Permission denied",
    }
    with pytest.raises(InvalidInput, match=r"locked' cannot be read: Permission denied\. Correct its permissions\."):
        read_folder(root / "locked")


def test_labels_of_a_document_that_is_left_out_are_not_sent_either(tmp_path: Path) -> None:
    label = "sections/1/result.json"
    root = tree(tmp_path, "input/a.pdf", "input/b.docx", f"baseline/a.pdf/{label}", f"baseline/b.docx/{label}")
    folder = read_folder(tree(root, "baseline/b.docx/pages/1/result.json", "baseline/Thumbs.db"))
    assert keys(folder) == [f"baseline/a.pdf/{label}", "input/a.pdf"]
    assert set(reasons(folder)) == {
        "input/b.docx",
        f"baseline/b.docx/{label}",
        "baseline/b.docx/pages/1/result.json",
        "baseline/Thumbs.db",
    }


def test_a_folder_of_other_files_only_says_what_they_are(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"Left out: invoice/notes\.txt \(neither a PDF nor .* image\)\."):
        read_folder(tree(tmp_path, "invoice/notes.txt"))


@pytest.mark.parametrize("paths", [(), ("loose.pdf",), (".hidden/a.pdf",)])
def test_a_folder_without_a_labelled_document_is_refused(tmp_path: Path, paths: tuple[str, ...]) -> None:
    with pytest.raises(InvalidInput, match=r"has no labelled document\. Put the documents into folders"):
        read_folder(tree(tmp_path, *paths))


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="is not a folder"):
        read_folder(tree(tmp_path, "a.pdf") / "a.pdf")
