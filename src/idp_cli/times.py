"""Times as the guide shows them."""

from __future__ import annotations

from datetime import UTC, datetime


def moment(at: datetime | None) -> str:
    """Return a time as `2024-01-15 10:00:00` in UTC, or nothing for None."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S") if at else ""


def format_elapsed(start: datetime, end: datetime | None = None) -> str:
    """Return hours, minutes and seconds between two times, `0:12:05`; without an end until now."""
    seconds = max(0, int(((end or datetime.now(UTC)) - start).total_seconds()))
    return f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
