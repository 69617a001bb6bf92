"""A classification whose process is killed in the middle goes on in another, and pays for no page twice."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from idp_local.aws.names import DATA_BUCKET
from idp_local.bedrock import BedrockServer
from idp_local.client import client_for
from idp_local.environment import local_client
from idp_local.runtime import LocalRuntime
from idp_sdk import Classification, DocumentClass
from tests.support.domain.samples import coloured_pdf

PAGES = 50
MODEL = "us.amazon.nova-lite-v1:0"


class CountingBedrock(BedrockServer):
    """Counts calls of Converse, which take as long as a quick model."""

    asked = 0

    def respond(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        """Answer as the stand-in does."""
        if target.endswith("/converse"):
            type(self).asked += 1
            time.sleep(0.05)
        return super().respond(method, target, headers, body)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_classification_killed_in_the_middle_is_continued(tmp_path: Path) -> None:
    made = lambda aws: CountingBedrock(s3_endpoint=aws)  # noqa: E731
    with (
        LocalRuntime(tmp_path, bedrock=made) as runtime,
        client_for(runtime.connection, "author@example.com") as client,
    ):
        s3 = local_client("s3", runtime.connection.aws_endpoint_url)
        killed_at: list[int] = []

        def kill_once(found: Classification) -> None:
            pages = s3.list_objects_v2(Bucket=DATA_BUCKET, Prefix=f"classifications/{found.id}/pages/")["KeyCount"]
            if pages >= 10 and not killed_at:
                killed_at.append(pages)
                for worker in classifying():
                    os.kill(worker, signal.SIGKILL)

        client.config_versions.create("killed", model=MODEL, classes=[DocumentClass(name="letter")])
        document = coloured_pdf(*[(1.0, 0.0, 0.0)] * PAGES, side=40)
        found = client.classify(
            "scan.pdf", content=document, config_version="killed", poll_interval=0.1, progress=kill_once
        )
    assert (found.status, len(found.pages), found.pages_done) == ("COMPLETED", PAGES, PAGES)
    assert 10 <= killed_at[0] < PAGES
    assert PAGES <= CountingBedrock.asked <= PAGES + 1


def classifying() -> list[int]:
    """Return the processes of this test whose output goes to the log of ClassifyDocument."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
            log = (folder / "fd/1").readlink().name
        except OSError:
            continue
        if parent == str(os.getpid()) and log == "idp-finetuning-classify-document.log":
            found.append(int(folder.name))
    return found
