"""Times as the guide shows them."""

from __future__ import annotations

from datetime import UTC, datetime


def moment(at: datetime | None) -> str:
    """`2024-01-15 10:00:00`, in UTC; nothing for no time."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S") if at else ""


def elapsed(begun: datetime, ended: datetime | None = None) -> str:
    """Hours, minutes and seconds between two times, `0:12:05`; without an end until now."""
    seconds = max(0, int(((ended or datetime.now(UTC)) - begun).total_seconds()))
    return f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
