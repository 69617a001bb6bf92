from __future__ import annotations

from pathlib import Path

import pytest
from fpdf import FPDF
from PIL import Image

from idp_finetuning.errors import InvalidInput
from idp_local.demo.class_folders import read_class_folders


def pdf(path: Path, pages: int = 1, password: str | None = None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    document = FPDF()
    for _ in range(pages):
        document.add_page()
    if password:
        document.set_encryption(owner_password=password, user_password=password)
    document.output(str(path))


def ignored(folder: Path) -> dict[str, str]:
    return {item.path: item.reason for item in read_class_folders(folder).ignored}


def test_a_file_takes_the_class_of_the_top_folder_however_deep_it_lies(tmp_path: Path) -> None:
    pdf(tmp_path / "invoice" / "2024" / "März 1.pdf", pages=3)
    pdf(tmp_path / "letter" / "a.pdf")
    found = [(d.path, d.sections[0].class_name, d.page_count) for d in read_class_folders(tmp_path).documents]
    assert found == [("invoice/2024/März 1.pdf", "invoice", 3), ("letter/a.pdf", "letter", 1)]


def test_a_tiff_has_all_its_pages_and_other_images_have_one(tmp_path: Path) -> None:
    (tmp_path / "fax").mkdir()
    first, second = Image.new("L", (50, 50), 255), Image.new("L", (50, 50), 0)
    first.save(tmp_path / "fax" / "a.tif", save_all=True, append_images=[second])
    first.save(tmp_path / "fax" / "b.gif", save_all=True, append_images=[second])
    first.save(tmp_path / "fax" / "c.png")
    pages = [d.sections[0].page_indices for d in read_class_folders(tmp_path).documents]
    assert pages == [(0, 1), (0,), (0,)]


def test_a_file_that_cannot_be_opened_is_kept_and_says_nothing_about_its_pages(tmp_path: Path) -> None:
    pdf(tmp_path / "invoice" / "locked.pdf", password="x")
    (tmp_path / "invoice" / "broken.pdf").write_bytes(b"%PDF-1.7 cut off")
    (tmp_path / "invoice" / "empty.pdf").touch()
    (tmp_path / "invoice" / "notes.docx").write_bytes(b"PK\x03\x04 something")
    documents = read_class_folders(tmp_path).documents
    assert len(documents) == 4
    assert {d.sections[0].page_indices for d in documents} == {None}
    assert all("split_document" not in content.decode() for d in documents for _, content in d.baselines())


def test_everything_left_out_is_named_with_its_reason(tmp_path: Path) -> None:
    docs, elsewhere = tmp_path / "docs", tmp_path / "elsewhere"
    pdf(docs / "invoice" / "a.pdf")
    pdf(docs / "loose file.pdf")
    pdf(docs / "invoice" / ".hidden.pdf")
    pdf(docs / ".git" / "x.pdf")
    pdf(elsewhere / "secret.pdf")
    (docs / "empty").mkdir()
    (docs / "invoice" / "out.pdf").symlink_to(elsewhere / "secret.pdf")
    (docs / "invoice" / "nowhere.pdf").symlink_to(docs / "gone.pdf")
    (docs / "invoice" / "round").symlink_to(docs)
    assert ignored(docs) == {
        ".git/": "hidden",
        "empty/": "an empty folder",
        "invoice/.hidden.pdf": "hidden",
        "invoice/nowhere.pdf": "a link to nothing",
        "invoice/out.pdf": "a link to outside of the folder",
        "invoice/round/": "a link to a folder",
        "loose file.pdf": "outside a class folder",
    }
    assert [d.path for d in read_class_folders(docs).documents] == ["invoice/a.pdf"]


def test_a_link_to_a_file_inside_is_followed(tmp_path: Path) -> None:
    pdf(tmp_path / "invoice" / "a.pdf", pages=2)
    (tmp_path / "letter").mkdir()
    (tmp_path / "letter" / "b.pdf").symlink_to(tmp_path / "invoice" / "a.pdf")
    assert [(d.path, d.page_count) for d in read_class_folders(tmp_path).documents] == [
        ("invoice/a.pdf", 2),
        ("letter/b.pdf", 2),
    ]


def test_names_that_no_key_can_hold_are_named(tmp_path: Path) -> None:
    pdf(tmp_path / "invoice" / "a.pdf")
    pdf(tmp_path / "invoice" / "line\nbreak.pdf")
    pdf(tmp_path / ("x" * 201) / "a.pdf")
    deep = tmp_path / "invoice"
    for _ in range(5):
        deep = deep / ("d" * 200)
    pdf(deep / "a.pdf")
    assert set(ignored(tmp_path).values()) == {
        "name with characters that cannot be printed",
        "class name above 200 characters",
        "path too long",
    }


def test_a_folder_without_a_document_in_a_class_folder_is_refused(tmp_path: Path) -> None:
    pdf(tmp_path / "loose.pdf")
    with pytest.raises(InvalidInput, match="holds no document in a class folder"):
        read_class_folders(tmp_path)


def test_a_path_that_is_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="is not a folder"):
        read_class_folders(tmp_path / "nothing")
