from __future__ import annotations

from pathlib import Path

from fpdf import FPDF
from PIL import Image

from idp_local.documents.class_folders import read_class_folders


def pdf(path: Path, pages: int = 1, password: str | None = None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    document = FPDF()
    for _ in range(pages):
        document.add_page()
    if password:
        document.set_encryption(owner_password=password, user_password=password)
    document.output(str(path))


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
    documents = read_class_folders(tmp_path).documents
    assert len(documents) == 2
    assert {d.sections[0].page_indices for d in documents} == {None}
    assert all("split_document" not in content.decode() for d in documents for _, content in d.baselines())
