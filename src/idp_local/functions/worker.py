"""`python -m idp_local.functions.worker <handler root> [<instrument>]`: runs handlers as Lambda's Python runtime does.

An instrument observes or disturbs what handlers do, for tests. It is named "<module>:<function>", a module that can be
imported from the checkout. The function is called once, before any handler is imported, and returns an `Instrument`;
this is called with each task before its handler runs, and finds what it is to do in `Task.for_instrument`.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from importlib import import_module
from queue import SimpleQueue
from typing import Any

from idp_local.environment import CHECKOUT
from idp_local.functions.messages import Outcome, Task, failure

MAXIMUM_PAYLOAD = 6_291_556  # bytes, as Lambda's own message says; its page of quotas says 6 MB

Handler = Callable[[Any, Any], Any]
Instrument = Callable[[Task], None]


class LambdaContext:
    """The context object, with the members Lambda documents."""

    function_version = "$LATEST"

    def __init__(self, task: Task) -> None:
        self.function_name = task.function_name
        self.invoked_function_arn = task.function_arn
        self.memory_limit_in_mb = str(task.memory_mb)
        self.aws_request_id = task.request_id
        self.log_group_name = f"/aws/lambda/{task.function_name}"
        self.log_stream_name = "local"
        self._deadline = time.monotonic() + task.timeout_seconds

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the run is ended."""
        return max(0, int((self._deadline - time.monotonic()) * 1000))


def main() -> None:
    """Serve until stdin ends; then leave at once, even in the middle of a handler."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    handler_root, *instrument = sys.argv[1:]
    sys.path.insert(0, handler_root)
    responses = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what handlers print belongs to the log
    begin = _install(*instrument) if instrument else None
    lines: SimpleQueue[bytes] = SimpleQueue()
    threading.Thread(target=_read, args=(lines,), daemon=True).start()
    while True:
        task = Task.from_line(lines.get())
        if begin:
            begin(task)
        outcome = run(task)
        responses.write(outcome.to_line())
        responses.flush()


def _install(name: str) -> Instrument:
    module_name, _, function_name = name.partition(":")
    sys.path.append(str(CHECKOUT))
    install: Callable[[], Instrument] = getattr(import_module(module_name), function_name)
    return install()


def _read(lines: SimpleQueue[bytes]) -> None:
    with os.fdopen(os.dup(0), "rb") as orders:
        for line in orders:
            lines.put(line)
    os._exit(0)


def run(task: Task) -> Outcome:
    """Run the handler with exactly the task's environment; its output goes to the task's log."""
    _log_to(task.log_file)
    os.environ.clear()
    os.environ.update(task.environment)
    handler = _import_handler(task.handler)
    if isinstance(handler, Outcome):
        return handler
    try:
        result = handler(task.event, LambdaContext(task))
    except Exception as error:  # the outermost edge: Lambda reports whatever a handler raises
        return _report_error(error, task.request_id)
    try:
        payload = json.dumps(result, allow_nan=False, ensure_ascii=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        return failure("Runtime.MarshalError", f"Unable to marshal response: {error}")
    if len(payload) > MAXIMUM_PAYLOAD:
        message = f"Response payload size exceeded maximum allowed payload size ({MAXIMUM_PAYLOAD} bytes)."
        return failure("Function.ResponseSizeTooLarge", message)
    return Outcome(failed=False, payload=json.loads(payload))


def _log_to(path: str) -> None:
    log = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)


def _import_handler(name: str) -> Handler | Outcome:
    module_name, _, function_name = name.rpartition(".")
    try:
        module = import_module(module_name)
    except Exception as error:
        traceback.print_exc()
        return failure("Runtime.ImportModuleError", f"Unable to import module '{module_name}': {error}")
    handler: Handler | None = getattr(module, function_name, None)
    if handler is None:
        return failure("Runtime.HandlerNotFound", f"Handler '{function_name}' missing on module '{module_name}'")
    return handler


def _report_error(error: Exception, request_id: str) -> Outcome:
    """Build Lambda's error object. The log gets the places only: the text of an exception may quote a document."""
    places = traceback.format_tb(error.__traceback__)[1:]
    print(f"[ERROR] {type(error).__name__} RequestId: {request_id}\n{''.join(places)}", end="", file=sys.stderr)
    return Outcome(
        failed=True,
        payload={
            "errorMessage": str(error),
            "errorType": type(error).__name__,
            "requestId": request_id,
            "stackTrace": places,
        },
    )


if __name__ == "__main__":
    main()
