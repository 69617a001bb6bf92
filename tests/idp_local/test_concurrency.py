"""Lambda's limit of functions that run at once, and what each caller sees when it is reached."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from idp_finetuning.adapters.account_limits import AccountLimits
from idp_finetuning.deployment import FINETUNING
from idp_finetuning.nova.quotas import AccountUsage, known_quotas
from idp_local.aws.names import function_name
from idp_local.environment import local_client
from idp_local.functions.service import Throttled
from idp_local.runtime import LocalRuntime
from tests.idp_local.test_workflows import execute, put_manifest
from tests.support.graphql_client import GraphQLClient, GraphQLError

pytestmark = pytest.mark.xdist_group("local_runtime")

LIMIT = 3
ACCEPTED = {"jobId": "quick", "number": 1, "document": {"id": "a", "behaviour": "accept"}}


@pytest.fixture(scope="module")
def small_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the runtime keeps its files."""
    return tmp_path_factory.mktemp("small")


@pytest.fixture(scope="module")
def small(small_directory: Path, handler_root: Path) -> Iterator[LocalRuntime]:
    """A runtime in whose account three functions run at once."""
    with LocalRuntime(small_directory, handler_root=handler_root, workers=4, concurrency_limit=LIMIT) as running:
        yield running


def client(runtime: LocalRuntime, service: str) -> Any:
    return local_client(service, runtime.connection.aws_endpoint_url)


def events(directory: Path, function: str) -> list[dict[str, Any]]:
    """Events that a function got."""
    log = directory / "logs" / f"{function_name(function)}.log"
    lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
    return [json.loads(line)["event"] for line in lines if line.startswith('{"event"')]


@contextmanager
def all_running(runtime: LocalRuntime, directory: Path, end: Path) -> Iterator[None]:
    """As many functions run as may, until the block ends, which makes the file `end`."""
    name = function_name("GenerateExample")
    event = {"jobId": str(end), "number": 1, "document": {"id": "a", "behaviour": "wait", "until": str(end)}}
    with ThreadPoolExecutor(LIMIT) as threads:
        runs = [threads.submit(runtime.functions.invoke, name, event) for _ in range(LIMIT)]
        try:
            until(lambda: events(directory, "GenerateExample").count(event) == LIMIT)
            yield
        finally:
            end.touch()
    assert not any(run.result().failed for run in runs)


def until(is_true: Callable[[], bool]) -> None:
    """Wait for it."""
    latest = time.monotonic() + 30
    while not is_true():
        assert time.monotonic() < latest
        time.sleep(0.05)


def test_the_account_says_its_limit_and_lists_every_quota_a_job_is_warned_of(small: LocalRuntime) -> None:
    limits = AccountLimits(client(small, "lambda"), client(small, "service-quotas"))
    assert limits.unreserved_concurrency() == LIMIT
    listed = limits.bedrock_quotas()
    full = AccountUsage(custom_models=100, customization_jobs=10, deployments=10)
    warnings = known_quotas().nearly_used_up(full, listed)
    assert len(warnings) == 3
    assert all("as Service Quotas says" in words for words in warnings)


def test_an_ordinary_runtime_has_an_ordinary_accounts_limit(runtime: LocalRuntime) -> None:
    limits = AccountLimits(client(runtime, "lambda"), client(runtime, "service-quotas"))
    assert limits.unreserved_concurrency() == 1000


def test_one_more_invocation_is_throttled_until_one_has_ended(
    small: LocalRuntime, small_directory: Path, tmp_path: Path
) -> None:
    name = function_name("GenerateExample")
    lambda_ = client(small, "lambda")
    before = small.functions.throttles[name]
    with all_running(small, small_directory, tmp_path / "end"):
        with pytest.raises(Throttled):
            small.functions.invoke(name, ACCEPTED)
        with pytest.raises(lambda_.exceptions.TooManyRequestsException):
            lambda_.invoke(FunctionName=name, Payload=json.dumps(ACCEPTED).encode())
    assert small.functions.throttles[name] > before
    assert not small.functions.invoke(name, ACCEPTED).failed


def test_a_call_of_the_api_is_refused_as_appsync_refuses_it(
    small: LocalRuntime, small_directory: Path, tmp_path: Path
) -> None:
    api = GraphQLClient(small.connection, "author@example.com")
    query = 'mutation { deleteFinetuningJob(jobId: "{\\"data\\": true}") }'
    assert api.execute(query) == {"deleteFinetuningJob": True}
    with all_running(small, small_directory, tmp_path / "end"), pytest.raises(GraphQLError) as refused:
        api.execute(query)
    assert refused.value.error_type == "InternalError"


def test_an_event_waits_in_the_queue(small: LocalRuntime, small_directory: Path, tmp_path: Path) -> None:
    event = {"jobId": "queued"}
    with all_running(small, small_directory, tmp_path / "end"):
        answer = client(small, "lambda").invoke(
            FunctionName=function_name("CompleteJob"), InvocationType="Event", Payload=json.dumps(event).encode()
        )
        assert answer["StatusCode"] == 202
        assert event not in events(small_directory, "CompleteJob")
    until(lambda: event in events(small_directory, "CompleteJob"))


def test_a_map_that_is_throttled_loses_no_document(small: LocalRuntime, small_directory: Path) -> None:
    documents = [{"id": f"d{number}", "behaviour": "sleep", "seconds": 0.3} for number in range(12)]
    put_manifest(small, "greedy", documents)
    small.functions.throttles.clear()

    assert execute(small, FINETUNING, "greedy")["status"] == "SUCCEEDED"

    assert small.functions.throttles[function_name("GenerateExample")] > 0
    seen = [
        str(event["document"]["id"])
        for event in events(small_directory, "GenerateExample")
        if event["jobId"] == "greedy"
    ]
    assert sorted(seen) == sorted(str(document["id"]) for document in documents)
    assert "greedy" not in [event["jobId"] for event in events(small_directory, "RejectDocument")]
