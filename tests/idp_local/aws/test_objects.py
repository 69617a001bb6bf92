"""Contents of the local S3's objects: on disk unless they are small, and not copied by lists of versions."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws
from moto.s3 import models

from idp_local.aws.objects import IN_MEMORY_BYTES, ObjectContent, ObjectFolder

SMALL, LARGE = b"s" * IN_MEMORY_BYTES, b"l" * (IN_MEMORY_BYTES + 1)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setitem(vars(models), "tempfile", tempfile)
    for method in ("__deepcopy__", "__getstate__", "__setstate__"):
        monkeypatch.setattr(models.FakeKey, method, None, raising=False)
    monkeypatch.setattr(ObjectContent, "folder", None, raising=False)
    ObjectFolder(tmp_path).use()
    return tmp_path


@pytest.mark.parametrize("content", [b"", b"a", SMALL, LARGE])
def test_content_is_read_as_it_was_written_whole_and_in_parts(folder: Path, content: bytes) -> None:
    stored = ObjectContent("1")
    for written in (b"before" * 2000, content):
        stored.seek(0)
        stored.truncate()
        stored.write(written)
    stored.seek(0)
    assert (stored.read(), stored.read()) == (content, b"")
    stored.seek(1)
    assert (stored.read(3), stored.read()) == (content[1:4], content[4:])
    assert (folder / "1").exists() is (content == LARGE)
    stored.close()
    assert not (folder / "1").exists()


@mock_aws
def test_large_objects_are_on_disk_until_their_last_version_is_deleted(folder: Path) -> None:
    s3: Any = boto3.client("s3", region_name="us-east-1")
    s3.create_bucket(Bucket="bucket")
    s3.put_bucket_versioning(Bucket="bucket", VersioningConfiguration={"Status": "Enabled"})
    contents = {
        s3.put_object(Bucket="bucket", Key="k", Body=content)["VersionId"]: content for content in (SMALL, LARGE)
    }
    assert [file.stat().st_size for file in folder.iterdir()] == [len(LARGE)]
    for version in s3.list_object_versions(Bucket="bucket")["Versions"]:
        which = {"Bucket": "bucket", "Key": "k", "VersionId": version["VersionId"]}
        assert s3.get_object(**which)["Body"].read() == contents[version["VersionId"]]
        s3.delete_object(**which)
    assert not list(folder.iterdir())


@mock_aws
def test_a_list_of_versions_reads_no_content(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    s3: Any = boto3.client("s3", region_name="us-east-1")
    s3.create_bucket(Bucket="bucket")
    s3.put_object(Bucket="bucket", Key="k", Body=LARGE)

    def read(content: ObjectContent, size: int = -1) -> bytes:
        raise AssertionError

    monkeypatch.setattr(ObjectContent, "read", read)
    (listed,) = s3.list_object_versions(Bucket="bucket")["Versions"]
    assert (listed["Key"], listed["Size"], listed["IsLatest"]) == ("k", len(LARGE), True)
