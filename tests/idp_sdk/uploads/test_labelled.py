from __future__ import annotations

from pathlib import Path

import pytest

from idp_finetuning.test_sets.sections import Section, parse_section
from idp_sdk import IDPClient, LabelledDocument, LabelledSection, TestSetStatus
from idp_sdk.errors import InvalidInput
from tests.support.sdk.deployment import Deployment
from tests.support.sdk.test_sets import TestSetTable

PACKET = LabelledDocument(
    path="Eingang/Größe L.pdf",
    content=b"%PDF-",
    sections=(
        LabelledSection(class_name="invoice", page_indices=(0, 1)),
        LabelledSection(class_name="letter", page_indices=(2,)),
    ),
)


def test_members_that_do_not_exist_are_refused_with_the_one_that_was_meant() -> None:
    with pytest.raises(ValueError, match=r"LabelledSection has no 'pages'\. Did you mean 'page_indices'"):
        LabelledSection(class_name="invoice", pages=(0,))  # type: ignore[call-arg]
    with pytest.raises(ValueError, match=r"LabelledDocument has no 'section'\. Did you mean 'sections'") as refused:
        LabelledDocument(path="a.pdf", content=b"%PDF-secret", section=())  # type: ignore[call-arg]
    assert "secret" not in str(refused.value)


def test_each_section_has_a_baseline_file_numbered_from_one() -> None:
    assert [key for key, _ in PACKET.baselines()] == [
        "baseline/Eingang/Größe L.pdf/sections/1/result.json",
        "baseline/Eingang/Größe L.pdf/sections/2/result.json",
    ]


def test_baselines_say_what_the_sections_say() -> None:
    assert [parse_section(content) for _, content in PACKET.baselines()] == [
        Section(class_name="invoice", page_indices=(0, 1)),
        Section(class_name="letter", page_indices=(2,)),
    ]


def test_a_section_of_unknown_pages_says_nothing_about_them() -> None:
    section = LabelledSection(class_name="invoice", page_indices=None)
    document = LabelledDocument(path="invoice/locked.pdf", content=b"", sections=(section,))
    assert [parse_section(content) for _, content in document.baselines()] == [Section(class_name="invoice")]
    assert document.page_count is None


def test_documents_are_sent_from_memory_and_from_files_with_the_label_of_each_section(
    deployment: Deployment, client: IDPClient, tmp_path: Path
) -> None:
    TestSetTable(deployment)
    scan = tmp_path / "scan.pdf"
    scan.write_bytes(b"%PDF-scan")
    letter = LabelledDocument(path="b.pdf", content=scan, sections=(LabelledSection(class_name="letter"),))
    counts: list[int] = []
    uploaded = client.test_sets.upload_documents(
        [PACKET, letter], name="docsplit", progress=lambda done, *_: counts.append(done)
    )
    assert (uploaded.status, uploaded.file_count, counts) == (TestSetStatus.READY, 2, [1, 2, 3, 4, 5])
    sent = {key.removeprefix("docsplit/"): content for key, content in deployment.objects.items()}
    assert sent == {
        "input/Eingang/Größe L.pdf": b"%PDF-",
        "input/b.pdf": b"%PDF-scan",
        **dict(PACKET.baselines()),
        **dict(letter.baselines()),
    }


def test_two_documents_of_one_path_are_refused_before_anything_is_sent(
    deployment: Deployment, client: IDPClient
) -> None:
    with pytest.raises(InvalidInput, match=r"2 documents have the path 'Eingang/Größe L\.pdf'"):
        client.test_sets.upload_documents([PACKET, PACKET], name="docsplit")
    assert deployment.calls == []


def test_a_document_whose_file_is_missing_is_named_before_anything_is_sent(
    deployment: Deployment, client: IDPClient, tmp_path: Path
) -> None:
    gone = LabelledDocument(path="a.pdf", content=tmp_path / "gone.pdf", sections=(LabelledSection(class_name="a"),))
    with pytest.raises(InvalidInput, match=r"gone\.pdf' cannot be read"):
        client.test_sets.upload_documents([gone], name="docsplit")
    assert deployment.calls == []


def test_files_that_are_no_documents_are_named_before_anything_is_sent(
    deployment: Deployment, client: IDPClient
) -> None:
    bad = {"notes.txt": b"hello", "empty.pdf": b"", "Thumbs.db": b"%PDF-", "price $5.pdf": b"%PDF-"}
    sections = (LabelledSection(class_name="a"),)
    documents = [LabelledDocument(path=path, content=content, sections=sections) for path, content in bad.items()]
    with pytest.raises(InvalidInput) as refused:
        client.test_sets.upload_documents([PACKET, *documents], name="docsplit")
    assert str(refused.value) == (
        "4 of the files cannot be sent: notes.txt (neither a PDF nor a PNG, JPEG, GIF, WebP, TIFF or BMP image), "
        "empty.pdf (empty), Thumbs.db (written by Windows), price $5.pdf (name with $, which S3 does not accept in "
        "uploads; rename it). Leave them out."
    )
    assert deployment.calls == []
