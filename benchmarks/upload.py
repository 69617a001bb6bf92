"""Upload of a test set by the client library, against boto3's transfer manager on the same files and S3."""

from __future__ import annotations

import io
import os
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from boto3.s3.transfer import TransferConfig, create_transfer_manager

from idp_local.aws.names import TEST_SET_BUCKET
from idp_local.client import client_for
from idp_local.environment import local_client
from idp_local.runtime import LocalRuntime
from idp_sdk import LabelledDocument, LabelledSection

SMALL, SMALL_BYTES = 1000, 40_000  # with the labels of each 2,000 files
LARGE, LARGE_BYTES = 4, 100_000_000
ROUNDS = 3
_MODEL = "us.amazon.nova-2-lite-v1:0"
TARGET_RATIO = 0.8


def measure_upload() -> dict[str, Any]:
    """Measure seconds of the client library and of boto3, in turns, and the ratio of their speeds."""
    rows: dict[str, Any] = {}
    with TemporaryDirectory() as directory, LocalRuntime(Path(directory) / "runtime") as runtime:
        s3 = local_client("s3", runtime.connection.aws_endpoint_url)
        for kind, count, size in (("small", SMALL, SMALL_BYTES), ("large", LARGE, LARGE_BYTES)):
            documents = _documents(Path(directory) / kind, count, size)
            ours, theirs = [], []
            for number in range(ROUNDS):
                with client_for(runtime.connection, "author@example.com") as client:
                    list(client.test_sets.list())  # signs in
                    began = time.monotonic()
                    client.test_sets.upload_documents(documents, name=f"{kind}-{number}")
                    ours.append(time.monotonic() - began)
                    # Its pages are counted in the background now, which must not cost the next turn anything.
                    client.finetuning.validate_test_set(f"{kind}-{number}", base_model=_MODEL)
                began = time.monotonic()
                _transfer(s3, documents, f"boto3-{kind}-{number}")
                theirs.append(time.monotonic() - began)
            rows[f"{kind}Seconds"] = round(median(ours), 1)
            rows[f"{kind}Boto3Seconds"] = round(median(theirs), 1)
            rows[f"{kind}Ratio"] = round(median(theirs) / median(ours), 2)
    return {"ratio": min(rows["smallRatio"], rows["largeRatio"]), **rows}


def _documents(folder: Path, count: int, size: int) -> Sequence[LabelledDocument]:
    folder.mkdir()
    made = []
    for number in range(count):
        path = folder / f"{number}.png"
        path.write_bytes(b"\x89PNG\r\n\x1a\n" + os.urandom(size))
        sections = (LabelledSection(class_name=f"class-{number % 2}", page_indices=(0,)),)
        made.append(LabelledDocument(path=path.name, content=path, sections=sections))
    return made


def _transfer(s3: Any, documents: Sequence[LabelledDocument], prefix: str) -> None:
    """Send the same files as the client library does, the labels included, with boto3's defaults."""
    with create_transfer_manager(s3, TransferConfig()) as manager:
        sent = []
        for document in documents:
            for file in document.files():
                content = str(file.content) if isinstance(file.content, Path) else io.BytesIO(file.content)
                sent.append(manager.upload(content, TEST_SET_BUCKET, f"{prefix}/{file.key}"))
        for future in sent:
            future.result()
