"""The instrument of the tests' workers: logs every AWS call, and injects the faults of a task that has some."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.local.call_log import CallLog
from tests.support.local.faults import FaultInjector

if TYPE_CHECKING:
    from idp_local.functions.messages import Task
    from idp_local.functions.worker import Instrument

INSTRUMENT = f"{__name__}:install"  # for WorkerPool and LocalRuntime


def install() -> Instrument:
    """Register the call log and the fault injector with botocore."""
    calls, faults = CallLog(), FaultInjector()

    def begin(task: Task) -> None:
        calls.begin(task)
        faults.begin(task)

    return begin
