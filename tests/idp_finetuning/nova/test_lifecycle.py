"""When a base model's life is worth a warning."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from idp_finetuning.nova.lifecycle import ModelLifecycle

NOW = datetime(2026, 11, 26, tzinfo=UTC)


@pytest.mark.parametrize(
    ("status", "days", "words"),
    [
        ("ACTIVE", None, None),
        ("ACTIVE", 366, None),
        ("ACTIVE", 364, "Nova Lite reaches its end of life on 2027-11-25."),
        ("LEGACY", None, "Nova Lite is LEGACY in Bedrock."),
        ("LEGACY", 30, "Nova Lite reaches its end of life on 2026-12-26."),
        ("LEGACY", 1000, "Nova Lite is LEGACY in Bedrock."),
        ("RETIRING_SOMEHOW", None, None),
    ],
)
def test_a_legacy_model_and_one_that_ends_within_a_year_are_warned_of(
    status: str, days: int | None, words: str | None
) -> None:
    ends = None if days is None else NOW + timedelta(days=days)
    warning = ModelLifecycle(status=status, end_of_life=ends).warn("Nova Lite", NOW)
    assert warning is None if words is None else warning and warning.startswith(words)
