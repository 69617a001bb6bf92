"""Faults of AWS calls in a worker, as the caller of botocore and the called service see them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from idp_local.environment import CREDENTIALS, process_environment
from idp_local.functions.messages import Outcome, Task
from idp_local.functions.pool import WorkerPool
from tests.support.local.faults import FAULT_LOG, Fault, FaultKind, with_faults
from tests.support.local.instrument import INSTRUMENT

HANDLER = """
import os
import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
def handler(event, context):
    config = Config(retries={"total_max_attempts": 1})
    codes = []
    for service in event["services"]:
        try:
            client = boto3.client(service, endpoint_url=event["url"], region_name="us-east-1", config=config)
            client.list_buckets() if service == "s3" else client.list_tables()
            codes.append("fine")
        except ClientError as error:
            codes.append(error.response["Error"]["Code"])
        except BotoCoreError as error:
            codes.append(type(error).__name__)
    return codes
"""


class Service(BaseHTTPRequestHandler):
    """Answers everything with an empty object and counts."""

    received = 0

    def do_POST(self) -> None:
        Service.received += 1
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Nothing."""


@pytest.fixture
def url() -> Iterator[str]:
    """Address of the service, which has received nothing yet."""
    Service.received = 0
    with ThreadingHTTPServer(("127.0.0.1", 0), Service) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WorkerPool]:
    """One worker, whose handler calls AWS."""
    root = tmp_path_factory.mktemp("calling")
    (root / "calling.py").write_text(HANDLER, encoding="utf-8")
    made = WorkerPool(1, handler_root=root, log=root / "workers.log", instrument=INSTRUMENT)
    yield made
    made.close()


def run(pool: WorkerPool, tmp_path: Path, url: str, services: list[str], *faults: Fault) -> Outcome:
    """The outcome of a run that calls each service once."""
    task = Task(
        request_id="r",
        function_name="calling",
        function_arn="arn",
        handler="calling.handler",
        environment={**process_environment(), **CREDENTIALS},
        timeout_seconds=30,
        memory_mb=128,
        log_file=str(tmp_path / "calling.log"),
        event={"url": url, "services": services},
    )
    return pool.run(with_faults(task, faults))


def injected(tmp_path: Path) -> list[str]:
    """The lines of the fault log."""
    log = tmp_path / FAULT_LOG
    return log.read_text(encoding="utf-8").splitlines() if log.exists() else []


@pytest.mark.parametrize(
    ("kind", "seen", "received"),
    [
        (FaultKind.THROTTLED, "ThrottlingException", 0),
        (FaultKind.SERVER_ERROR, "InternalServerException", 0),
        (FaultKind.REFUSED, "AccessDeniedException", 0),
        (FaultKind.UNREACHABLE, "ConnectTimeoutError", 0),
        (FaultKind.RESPONSE_LOST, "ReadTimeoutError", 1),
        (FaultKind.DELAYED, "fine", 1),
    ],
)
def test_a_fault_reaches_the_caller_as_its_own_error(
    pool: WorkerPool, tmp_path: Path, url: str, kind: FaultKind, seen: str, received: int
) -> None:
    outcome = run(pool, tmp_path, url, ["dynamodb"], Fault(kind=kind))

    assert outcome.payload == [seen]
    assert Service.received == received
    assert injected(tmp_path) == [kind.value]


def test_s3_gets_its_errors_as_xml(pool: WorkerPool, tmp_path: Path, url: str) -> None:
    assert run(pool, tmp_path, url, ["s3"], Fault(kind=FaultKind.THROTTLED)).payload == ["ThrottlingException"]


@pytest.mark.parametrize(("kind", "received"), [(FaultKind.KILLED_BEFORE, 0), (FaultKind.KILLED_AFTER, 1)])
def test_a_killed_worker_is_what_lambda_calls_an_exit(
    pool: WorkerPool, tmp_path: Path, url: str, kind: FaultKind, received: int
) -> None:
    outcome = run(pool, tmp_path, url, ["dynamodb"], Fault(kind=kind))

    assert outcome.payload["errorType"] == "Runtime.ExitError"
    assert "signal: 9" in outcome.payload["errorMessage"]
    assert Service.received == received
    assert injected(tmp_path) == [kind.value]


def test_only_the_calls_it_names_are_hit(pool: WorkerPool, tmp_path: Path, url: str) -> None:
    fault = Fault(kind=FaultKind.SERVER_ERROR, first=1, times=2, operation="ListTables")

    answers = run(pool, tmp_path, url, ["dynamodb", "dynamodb", "dynamodb", "dynamodb"], fault).payload

    assert answers == ["fine", "InternalServerException", "InternalServerException", "fine"]


def test_the_next_run_has_no_faults(pool: WorkerPool, tmp_path: Path, url: str) -> None:
    run(pool, tmp_path, url, [], Fault(kind=FaultKind.SERVER_ERROR))

    assert run(pool, tmp_path, url, ["dynamodb"]).payload == ["fine"]


def test_a_worker_without_the_instrument_injects_nothing(tmp_path: Path, url: str) -> None:
    (tmp_path / "calling.py").write_text(HANDLER, encoding="utf-8")
    plain = WorkerPool(1, handler_root=tmp_path, log=tmp_path / "workers.log")
    try:
        assert run(plain, tmp_path, url, ["dynamodb"], Fault(kind=FaultKind.REFUSED)).payload == ["fine"]
    finally:
        plain.close()
    assert injected(tmp_path) == []
