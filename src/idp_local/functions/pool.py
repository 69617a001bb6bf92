"""Worker processes: one task at a time each; one that dies or outlasts its time is replaced."""

from __future__ import annotations

import subprocess
import threading
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from queue import SimpleQueue

from idp_local.child import python_child, stop
from idp_local.functions.messages import Outcome, Task, failure


class WorkerPool:
    """`size` workers for the workflow, and one more that only calls of the API may take.

    These must not wait behind documents that render for minutes. `instrument` names what the workers install (see
    `worker`).
    """

    def __init__(self, size: int, *, handler_root: Path, log: Path, instrument: str | None = None) -> None:
        self._handler_root = handler_root
        self._instrument = instrument
        self._log = log
        self._closed = False
        self._lock = threading.Lock()
        self._workflow_share = threading.BoundedSemaphore(size)
        self._workers = {self._start() for _ in range(size + 1)}
        self._idle: SimpleQueue[subprocess.Popen[bytes]] = SimpleQueue()
        for worker in self._workers:
            self._idle.put(worker)

    def run(self, task: Task, *, for_api: bool = False) -> Outcome:
        """Wait for a free worker and run the task; failures of any kind are outcomes."""
        share: AbstractContextManager[object] = nullcontext() if for_api else self._workflow_share
        with share:
            worker = self._idle.get()
            try:
                outcome = _run_in(worker, task)
            finally:
                self._idle.put(self._replace_if_dead(worker))
        return outcome

    def close(self) -> None:
        """End all workers, whatever they run."""
        with self._lock:
            self._closed = True
        stop(list(self._workers))

    def _start(self) -> subprocess.Popen[bytes]:
        arguments = [str(self._handler_root), *([self._instrument] if self._instrument else [])]
        return python_child(["-m", "idp_local.functions.worker", *arguments], log=self._log)

    def _replace_if_dead(self, worker: subprocess.Popen[bytes]) -> subprocess.Popen[bytes]:
        with self._lock:
            if worker.poll() is None or self._closed:
                return worker
            self._workers.discard(worker)
            replacement = self._start()
            self._workers.add(replacement)
        stop([worker])
        return replacement


def _run_in(worker: subprocess.Popen[bytes], task: Task) -> Outcome:
    """Return the outcome, in Lambda's words if the worker died or had to be ended, or the event cannot be sent."""
    assert worker.stdin is not None  # noqa: S101 - python_child makes both pipes
    assert worker.stdout is not None  # noqa: S101
    try:
        order = task.to_line()
    except (ValueError, TypeError, RecursionError):
        # The words of Lambda's InvalidRequestContentException (Lambda API reference, Invoke).
        return failure("InvalidRequestContentException", "The request body could not be parsed as JSON.")
    timed_out = threading.Event()

    def end() -> None:
        timed_out.set()
        worker.kill()

    alarm = threading.Timer(task.timeout_seconds, end)
    alarm.daemon = True
    alarm.start()
    try:
        worker.stdin.write(order)
        worker.stdin.flush()
        line = worker.stdout.readline()
    except (OSError, ValueError):
        line = b""  # gone, or closed with the runtime
    finally:
        alarm.cancel()
        alarm.join()
        if timed_out.is_set():
            worker.wait()
    if line.endswith(b"\n"):
        return Outcome.from_line(line)
    if timed_out.is_set():
        seconds = f"{task.timeout_seconds:.2f}"
        return failure(
            "Sandbox.Timedout", f"RequestId: {task.request_id} Error: Task timed out after {seconds} seconds"
        )
    status = worker.wait()
    how = f"signal: {-status}" if status < 0 else f"exit status {status}"
    return failure("Runtime.ExitError", f"RequestId: {task.request_id} Error: Runtime exited with error: {how}")
