"""Handlers in worker processes, seen as a caller of Lambda sees them."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from idp_finetuning.deployment import FunctionSpec, Variable
from idp_local.aws.names import function_arn
from idp_local.errors import LocalRuntimeError
from idp_local.functions.pool import WorkerPool
from idp_local.functions.service import Functions, UnknownFunction

HANDLERS = """
import json, os, sys, time
class DocumentRejected(Exception):
    pass
def handler(event, context):
    match event.get("do"):
        case "raise":
            raise DocumentRejected("encrypted: secret of the document")
        case "environment":
            return dict(os.environ)
        case "sleep":
            time.sleep(event["seconds"])
            return {"left": context.get_remaining_time_in_millis()}
        case "exit":
            sys.exit(4)
        case "kill":
            os.kill(os.getpid(), 9)
        case "strange":
            return {"a": {1, 2}}
        case "half a pair":
            return "\\ud800"
        case "nested":
            for _ in range(100_000):
                event = [event]
            return event
        case "large":
            return "x" * 6_291_556
        case "fail once":
            if not os.path.exists(event["mark"]):
                open(event["mark"], "w").close()
                raise ValueError
            os.rename(event["mark"], event["done"])
    print("a line of the handler")
    return {"event": event, "function": context.function_name, "pid": os.getpid()}
"""
SPECS = (
    FunctionSpec(name="EndJob", variables=(Variable.JOBS_TABLE,), timeout_seconds=1),
    FunctionSpec(name="CompleteJob", variables=(Variable.DATA_BUCKET,), timeout_seconds=60),
    FunctionSpec(name="Resolver", variables=(), timeout_seconds=60),
    FunctionSpec(name="Missing", variables=(), timeout_seconds=60),
)
VALUES = {Variable.JOBS_TABLE: "jobs", Variable.DATA_BUCKET: "data"}


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("logs")


@pytest.fixture(scope="module")
def functions(tmp_path_factory: pytest.TempPathFactory, logs: Path) -> Iterator[Functions]:
    root = tmp_path_factory.mktemp("root")
    (root / "lambdas").mkdir()
    for module in ("end_job", "complete_job", "resolver"):
        (root / f"lambdas/{module}.py").write_text(HANDLERS, encoding="utf-8")
    pool = WorkerPool(1, handler_root=root, log=logs / "workers.log")
    endpoints = {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}
    yield Functions(
        SPECS, prefix="p", pool=pool, values=VALUES, endpoints=endpoints, logs=logs, retry_interval_seconds=0.1
    )
    pool.close()


def payload(functions: Functions, name: str, event: dict[str, Any]) -> Any:
    outcome = functions.invoke(name, event)
    assert not outcome.failed, outcome.payload
    return outcome.payload


def error(functions: Functions, name: str, event: dict[str, Any]) -> dict[str, Any]:
    outcome = functions.invoke(name, event)
    assert outcome.failed
    answer: dict[str, Any] = outcome.payload
    return answer


def test_a_function_answers_by_name_and_by_arn(functions: Functions) -> None:
    for name in ("p-complete-job", function_arn("p-complete-job")):
        answer = payload(functions, name, {"ä": [1, None]})
        assert (answer["event"], answer["function"]) == ({"ä": [1, None]}, "p-complete-job")


def test_an_unknown_function_is_refused(functions: Functions) -> None:
    with pytest.raises(UnknownFunction):
        functions.invoke("other-complete-job", {})


def test_an_exception_surfaces_under_its_class_name(functions: Functions) -> None:
    answer = error(functions, "p-complete-job", {"do": "raise"})
    assert answer["errorType"] == "DocumentRejected"
    assert answer["errorMessage"] == "encrypted: secret of the document"
    assert "complete_job.py" in answer["stackTrace"][0]


def test_the_log_of_a_function_has_its_output_and_the_place_of_a_failure_but_not_its_text(
    functions: Functions, logs: Path
) -> None:
    functions.invoke("p-complete-job", {})
    functions.invoke("p-complete-job", {"do": "raise"})
    text = (logs / "p-complete-job.log").read_text(encoding="utf-8")
    assert "a line of the handler" in text
    assert "[ERROR] DocumentRejected" in text
    assert "secret of the document" not in text.replace(
        'raise DocumentRejected("encrypted: secret of the document")', ""
    )


def test_a_function_finds_its_own_variables_and_no_others(
    functions: Functions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "production")
    end_job = payload(functions, "p-end-job", {"do": "environment"})
    complete_job = payload(functions, "p-complete-job", {"do": "environment"})
    assert end_job.keys() - complete_job.keys() == {"JOBS_TABLE"}
    assert complete_job.keys() - end_job.keys() == {"DATA_BUCKET"}
    assert "AWS_PROFILE" not in end_job
    assert end_job["AWS_ENDPOINT_URL"] == "http://127.0.0.1:1"
    assert (end_job["POWERTOOLS_SERVICE_NAME"], end_job["LOG_LEVEL"]) == ("idp-finetuning", "INFO")


def test_a_run_that_outlasts_its_time_is_ended_and_the_next_one_works(functions: Functions) -> None:
    begun = time.monotonic()
    answer = error(functions, "p-end-job", {"do": "sleep", "seconds": 30})
    assert time.monotonic() - begun < 10
    assert answer["errorType"] == "Sandbox.Timedout"
    assert "Task timed out after 1.00 seconds" in answer["errorMessage"]
    assert 0 < payload(functions, "p-end-job", {"do": "sleep", "seconds": 0})["left"] <= 1000


@pytest.mark.parametrize(("how", "said"), [("exit", "exit status 4"), ("kill", "signal: 9")])
def test_a_worker_that_dies_is_reported_and_replaced(functions: Functions, how: str, said: str) -> None:
    answer = error(functions, "p-complete-job", {"do": how})
    assert answer["errorType"] == "Runtime.ExitError"
    assert said in answer["errorMessage"]
    assert payload(functions, "p-complete-job", {})["pid"] != os.getpid()


@pytest.mark.parametrize("what", ["strange", "half a pair", "nested"])
def test_an_answer_that_is_not_json_is_lambdas_marshal_error(functions: Functions, what: str) -> None:
    assert error(functions, "p-complete-job", {"do": what})["errorType"] == "Runtime.MarshalError"


def nested() -> Any:
    deep: Any = 1
    for _ in range(100_000):
        deep = [deep]
    return deep


@pytest.mark.parametrize("event", [{"value": {1, 2}}, {"value": b"bytes"}, nested()])
def test_an_event_that_is_not_json_is_refused_as_often_as_it_comes_and_holds_no_worker(
    functions: Functions, event: Any
) -> None:
    for _ in range(5):
        assert functions.invoke("p-complete-job", event).payload["errorType"] == "InvalidRequestContentException"
    assert payload(functions, "p-complete-job", {})["event"] == {}


@pytest.mark.parametrize("value", ["\ud800", float("inf"), "\x00 \u202e"])
def test_an_event_comes_as_it_was_sent(functions: Functions, value: object) -> None:
    for _ in range(5):
        error(functions, "p-complete-job", {"do": "raise", "value": value})
    seen = functions.invoke("p-complete-job", {"value": value})
    assert seen.payload["errorType"] == "Runtime.MarshalError" if value != "\x00 \u202e" else not seen.failed


def test_an_answer_above_lambdas_limit_is_refused(functions: Functions) -> None:
    assert error(functions, "p-complete-job", {"do": "large"})["errorType"] == "Function.ResponseSizeTooLarge"


def test_a_run_that_nobody_waits_for_is_tried_again(functions: Functions, tmp_path: Path) -> None:
    done = tmp_path / "done"
    functions.invoke_later("p-complete-job", {"do": "fail once", "mark": str(tmp_path / "mark"), "done": str(done)})
    deadline = time.monotonic() + 10
    while not done.exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_missing_handler_module_is_lambdas_import_error(functions: Functions) -> None:
    answer = error(functions, "p-missing", {})
    assert answer["errorType"] == "Runtime.ImportModuleError"
    assert "lambdas.missing" in answer["errorMessage"]


def test_the_api_need_not_wait_for_a_busy_workflow(functions: Functions) -> None:
    with ThreadPoolExecutor() as threads:
        busy = [threads.submit(functions.invoke, "p-complete-job", {"do": "sleep", "seconds": 1.5}) for _ in range(2)]
        time.sleep(0.3)
        begun = time.monotonic()
        payload(functions, "p-resolver", {})
        assert time.monotonic() - begun < 1.0
        assert not any(run.done() for run in busy)
    assert not any(run.result().failed for run in busy)


def test_a_variable_without_a_local_value_is_refused_at_the_start(tmp_path: Path) -> None:
    pool = WorkerPool(0, handler_root=tmp_path, log=tmp_path / "workers.log")
    try:
        with pytest.raises(LocalRuntimeError, match="DATA_BUCKET"):
            Functions(SPECS, prefix="p", pool=pool, values={Variable.JOBS_TABLE: "j"}, endpoints={}, logs=tmp_path)
    finally:
        pool.close()
