from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from idp_local.bedrock.foundation_models import MODELS
from idp_local.bedrock.training_process import Order
from tests.idp_local.bedrock.conftest import TRAINING, client


@pytest.fixture
def started(s3_url: str, tmp_path: Path) -> Iterator[Any]:
    processes: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> subprocess.Popen[str]:
        processes.append(
            subprocess.Popen(
                [sys.executable, "-m", "idp_local.bedrock", *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env=os.environ | {"AWS_ENDPOINT_URL": s3_url, "TMPDIR": str(tmp_path)},
            )
        )
        return processes[-1]

    yield start
    for process in processes:
        process.kill()
        process.wait()


def lines(process: subprocess.Popen[str]) -> Any:
    assert process.stdout is not None
    return process.stdout


def test_it_prints_its_address_and_ends_with_stdin(started: Any, tmp_path: Path) -> None:
    process = started("--exit-with-stdin", "--model", "amazon.nova-2-pro-v1:0:256k")
    rows = client("bedrock", lines(process).readline().strip()).list_foundation_models()["modelSummaries"]
    assert [row["modelId"] for row in rows] == ["amazon.nova-2-pro-v1:0:256k"]
    process.stdin.close()
    assert process.wait(10) == 0
    assert list(tmp_path.iterdir()) == []


def test_a_training_process_ends_with_the_server_that_holds_its_stdin(tmp_path: Path) -> None:
    # An S3 that takes the call and never answers: the process would wait for a minute.
    with socket.create_server(("127.0.0.1", 0)) as silent:
        order = Order(
            s3_endpoint=f"http://127.0.0.1:{silent.getsockname()[1]}",
            region="us-east-1",
            model=MODELS["amazon.nova-lite-v1:0:300k"],
            training_uri=TRAINING,
            validation_uris=(),
            epochs=1,
            model_path=tmp_path / "model",
        )
        process = subprocess.Popen(
            [sys.executable, "-m", "idp_local.bedrock.training_process"], stdin=subprocess.PIPE, text=True
        )
        try:
            assert process.stdin is not None
            process.stdin.write(order.model_dump_json() + "\n")
            process.stdin.flush()
            silent.settimeout(20)
            connection, _ = silent.accept()
            with connection:
                process.stdin.close()
                assert process.wait(10) == 1
        finally:
            process.kill()
            process.wait()
