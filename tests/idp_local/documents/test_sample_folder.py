from __future__ import annotations

from pathlib import Path

import pytest

from idp_local.command import main
from idp_local.documents.generator import demo_test_set, unseen_documents
from idp_sdk.uploads.folders import Layout, read_folder


def test_the_folder_is_what_an_upload_takes_and_the_same_each_time(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["documents", str(tmp_path / "one")]) == 0
    output = capsys.readouterr()
    assert f"{len(demo_test_set())} documents with labels" in output.out
    assert output.err.startswith("Next: idp-cli testset upload ")
    folder = read_folder(tmp_path / "one/labelled")
    assert (folder.layout, folder.documents, folder.ignored) == (Layout.ACCELERATOR, len(demo_test_set()), ())
    new = [path for path in (tmp_path / "one/new").rglob("*") if path.is_file()]
    assert len(new) == len(unseen_documents())

    assert main(["documents", str(tmp_path / "two")]) == 0
    files = [
        {path.relative_to(tmp_path / name): path.read_bytes() for path in (tmp_path / name).rglob("*.json")}
        for name in ("one", "two")
    ]
    assert files[0] == files[1]


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    assert main(["documents", str(tmp_path)]) == 1
    assert "is not empty. Name a new folder." in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
