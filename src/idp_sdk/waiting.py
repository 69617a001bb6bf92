"""A deadline for polling and retries."""

from __future__ import annotations

import math
import time

from idp_sdk.errors import InvalidInput


def require_seconds(interval: float, timeout: float | None) -> None:
    """Raise InvalidInput for times that nobody can wait for."""
    if not (math.isfinite(interval) and interval >= 0) or math.isnan(timeout or 0):
        raise InvalidInput("The poll interval and the timeout are numbers of seconds from 0 on. Correct them.")


class Deadline:
    """`seconds` from now; None never passes."""

    def __init__(self, seconds: float | None) -> None:
        self._ends = None if seconds is None else time.monotonic() + seconds

    @property
    def remaining(self) -> float | None:
        """Seconds left, 0 once it has passed; None if it never does."""
        return None if self._ends is None else max(0.0, self._ends - time.monotonic())

    def sleep(self, seconds: float) -> bool:
        """Sleep, at most up to the deadline; return False if it has already passed."""
        remaining = self.remaining
        if remaining is None:
            time.sleep(seconds)
            return True
        if remaining <= 0:
            return False
        time.sleep(min(seconds, remaining))
        return True
