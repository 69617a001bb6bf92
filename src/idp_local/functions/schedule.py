"""The schedule that EventBridge has on AWS: runs ReconcileJobs at an interval."""

from __future__ import annotations

import threading
from typing import Any

from idp_local.aws.names import function_name
from idp_local.functions.service import Functions


class ReconcileTimer:
    """Runs ReconcileJobs every `seconds` until cancelled; one run at a time."""

    def __init__(self, functions: Functions, seconds: float, event: dict[str, Any]) -> None:
        self._functions = functions
        self._seconds = seconds
        self._event = event
        self._ended = threading.Event()
        threading.Thread(target=self._run, daemon=True, name="reconcile").start()

    def cancel(self) -> None:
        """Start no further run."""
        self._ended.set()

    def _run(self) -> None:
        while not self._ended.wait(self._seconds):
            self._functions.invoke_when_possible(function_name("ReconcileJobs"), self._event)
