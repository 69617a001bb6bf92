"""Time on the wire: UTC, milliseconds, ending in Z."""

from __future__ import annotations

from datetime import UTC, datetime


def timestamp(moment: datetime | None = None) -> str:
    """ISO 8601 in UTC with milliseconds, for example 2026-11-22T18:45:03.120Z; now without a moment."""
    moment = (moment or datetime.now(UTC)).astimezone(UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
