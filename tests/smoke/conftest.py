"""A local account for runs: Bedrock's stand-in, and moto's S3, IAM and STS."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from moto.server import ThreadedMotoServer

from idp_local.bedrock import BedrockServer
from idp_local.bedrock.answers import Answers
from idp_local.bedrock.behaviour import Behaviour
from idp_local.bedrock.s3 import parse_uri, read
from idp_local.bedrock.switches import Switches
from idp_local.bedrock.training_process import Order, Progress
from smoke.run import Consent, SmokeRun
from smoke.state import StateFile
from smoke.steps import Patience
from tests.chaos.documents import tiny_test_set
from tests.idp_local.bedrock.conftest import client

RECORDS = 10
QUICK = Patience(poll=0.05, moments=10, validation=60, training=120, deployment=20)

Wrap = Callable[[str, Any], Any]


class TrainsOnce(Behaviour):
    """Trains as many records as before only once for a model: all runs are on the same pages."""

    def __init__(self) -> None:
        self._trained: dict[str, tuple[list[Progress], bytes]] = {}

    def progress(self, order: Order, s3: Any, train: Callable[[], Iterator[Progress]]) -> Iterator[Progress]:
        """Repeat what is known."""
        records = read(s3, parse_uri(order.training_uri)).count(b"\n")
        key = f"{order.model.model_dump_json()} {records} {len(order.validation_uris)}"
        if known := self._trained.get(key):
            order.model_path.write_bytes(known[1])
            yield from known[0]
            return
        seen = []
        for progress in train():
            seen.append(progress)
            if progress.trained:
                self._trained[key] = (seen, order.model_path.read_bytes())
            yield progress


class Account:
    """A local account and the runs on it, each of which goes on with the state of the one before."""

    def __init__(self, folder: Path, aws: str, bedrock: str) -> None:
        self.folder = folder
        self._endpoints = {"bedrock": bedrock, "bedrock-runtime": bedrock}
        self._aws = aws

    def client(self, service: str) -> Any:
        return client(service, self._endpoints.get(service, self._aws))

    def run(
        self, consent: Consent, *, wrap: Wrap = lambda _, made: made, patience: Patience = QUICK
    ) -> tuple[Answers, list[str]]:
        """Run; return the answers and what it said."""
        said: list[str] = []
        smoke = SmokeRun(
            StateFile(self.folder / "state.json"),
            self.folder / "answers",
            lambda service: wrap(service, self.client(service)),
            tiny_test_set,
            consent=consent,
            say=said.append,
            patience=patience,
            settle_seconds=0,
            records=RECORDS,
        )
        return smoke.run(), said

    def recorded(self) -> str:
        """Text of the file of answers."""
        (file,) = (self.folder / "answers").glob("*.json")
        return file.read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def make_account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Switches], Account]]:
    """Make an account whose Bedrock has these switches."""
    aws = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    aws.start()
    host, port = aws.get_host_and_port()
    url, behaviour = f"http://{host}:{port}", TrainsOnce()
    servers = []

    def make(switches: Switches) -> Account:
        server = BedrockServer(s3_endpoint=url, seconds_per_phase=0.4, switches=switches, behaviour=behaviour)
        server.start()
        servers.append(server)
        return Account(tmp_path_factory.mktemp("smoke"), url, server.url)

    yield make
    for server in servers:
        server.stop()
    aws.stop()
