from __future__ import annotations

import json
import os
from pathlib import Path

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


@pytest.mark.parametrize("paths", [(), ("loose.pdf",), (".hidden/a.pdf",)])
def test_a_folder_without_a_labelled_document_is_refused(tmp_path: Path, paths: tuple[str, ...]) -> None:
    with pytest.raises(InvalidInput, match=r"has no labelled document\. Put the documents into folders"):
        read_folder(tree(tmp_path, *paths))


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="is not a folder"):
        read_folder(tree(tmp_path, "a.pdf") / "a.pdf")
