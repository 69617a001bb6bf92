"""Faults of AWS calls, and sudden ends, inside a worker: injected when botocore sends a request."""

from __future__ import annotations

import io
import os
import signal
import threading
import time
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any

import botocore
from botocore.awsrequest import AWSResponse, HeadersDict
from botocore.exceptions import ConnectTimeoutError, ReadTimeoutError
from botocore.httpsession import URLLib3Session
from pydantic import BaseModel, ConfigDict, TypeAdapter

from idp_local.functions.messages import Task

FAULT_LOG = "faults.log"


class FaultKind(StrEnum):
    """What happens to an AWS call."""

    THROTTLED = "throttled (429)"
    SERVER_ERROR = "server error (5xx)"
    UNREACHABLE = "connection timeout"
    RESPONSE_LOST = "carried out, response lost"
    DELAYED = "call delayed"
    REFUSED = "refused (403)"
    KILLED_BEFORE = "worker killed before a call"
    KILLED_AFTER = "worker killed after a call"


class Fault(BaseModel):
    """A fault of the run's AWS calls number `first` (from 0, tries of botocore included) and the `times` - 1 after it.

    If `operation` is given, only calls of it are counted. A delayed call is sent after `seconds`.
    """

    model_config = ConfigDict(frozen=True)

    kind: FaultKind
    first: int = 0
    times: int = 1
    operation: str | None = None
    seconds: float = 1.0


_FAULTS = TypeAdapter(tuple[Fault, ...])


def with_faults(task: Task, faults: Sequence[Fault]) -> Task:
    """Return the task with these faults in place of those it had."""
    given = _FAULTS.dump_python(tuple(faults), mode="json")
    return task.model_copy(update={"for_instrument": given})


def faults_of(task: Task) -> tuple[Fault, ...]:
    """Return the faults that `with_faults` gave the task."""
    return _FAULTS.validate_python(task.for_instrument or ())


class FaultInjector:
    """Injects the faults of the task that this process runs; writes a line for each to FAULT_LOG beside its log."""

    def __init__(self) -> None:
        self._faults: Sequence[Fault] = ()
        self._sent: list[int] = []
        self._log = Path(os.devnull)
        self._lock = threading.Lock()
        self._http = URLLib3Session()
        before_send: Any = self._before_send
        botocore.register_initializer(lambda session: session.register("before-send", before_send))

    def begin(self, task: Task) -> None:
        """Count calls anew, as those of this task."""
        faults, log = faults_of(task), Path(task.log_file).with_name(FAULT_LOG)
        with self._lock:
            self._faults, self._sent, self._log = faults, [0] * len(faults), log

    def _before_send(self, request: Any, event_name: str, **_: Any) -> AWSResponse | None:
        service, operation = event_name.split(".")[1:]
        fault = self._due(operation)
        if fault and fault.kind is FaultKind.DELAYED:
            self._note(fault.kind)
            time.sleep(fault.seconds)
            return None
        return self._answer(fault.kind, request, service) if fault else None

    def _due(self, operation: str) -> Fault | None:
        due = None
        with self._lock:
            for index, fault in enumerate(self._faults):
                if fault.operation in (None, operation):
                    number, self._sent[index] = self._sent[index], self._sent[index] + 1
                    if fault.first <= number < fault.first + fault.times:
                        due = due or fault
        return due

    def _answer(self, kind: FaultKind, request: Any, service: str) -> AWSResponse:
        if kind in (FaultKind.RESPONSE_LOST, FaultKind.KILLED_AFTER):
            self._http.send(request)
        self._note(kind)
        if kind is FaultKind.UNREACHABLE:
            raise ConnectTimeoutError(endpoint_url=request.url)
        if kind is FaultKind.RESPONSE_LOST:
            raise ReadTimeoutError(endpoint_url=request.url)
        if kind in (FaultKind.KILLED_BEFORE, FaultKind.KILLED_AFTER):
            os.kill(os.getpid(), signal.SIGKILL)
        status, code = _ERRORS[kind]
        return _error(request.url, status, code, service)

    def _note(self, kind: FaultKind) -> None:
        file = os.open(self._log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(file, f"{kind}\n".encode())
        finally:
            os.close(file)


_ERRORS = {
    FaultKind.THROTTLED: (429, "ThrottlingException"),
    FaultKind.SERVER_ERROR: (500, "InternalServerException"),
    FaultKind.REFUSED: (403, "AccessDeniedException"),
}


class _Raw(io.BytesIO):
    """A body as urllib3 hands it out."""

    def stream(self, **_: Any) -> list[bytes]:
        return [self.read()]


def _error(url: str, status: int, code: str, service: str) -> AWSResponse:
    """Build the error in the service's own form: XML for S3, JSON for all others."""
    if service == "s3":
        text = f"<Error><Code>{code}</Code><Message>Injected.</Message></Error>"
    else:
        text = f'{{"__type": "{code}", "message": "Injected."}}'
    headers: Any = HeadersDict({"x-amzn-ErrorType": code})
    return AWSResponse(url, status, headers, _Raw(text.encode()))
