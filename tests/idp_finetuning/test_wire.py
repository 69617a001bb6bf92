from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from pydantic import ValidationError

from idp_finetuning.wire import UtcTime, WireModel


class Moment(WireModel):
    """A model with a time."""

    happened_at: UtcTime


@pytest.mark.parametrize(
    "written", ["2026-11-22T18:45:03.120Z", "2026-11-22T20:45:03.120+02:00", "2026-11-22T18:45:03.120999Z"]
)
def test_a_time_is_utc_to_the_millisecond_in_code_and_in_json(written: str) -> None:
    moment = Moment.model_validate({"happenedAt": written})
    assert moment.happened_at == datetime(2026, 11, 22, 18, 45, 3, 120_000, tzinfo=UTC)
    assert moment.happened_at.tzinfo is UTC
    assert moment.to_wire() == {"happenedAt": "2026-11-22T18:45:03.120Z"}
    assert json.loads(moment.model_dump_json(by_alias=True)) == moment.to_wire()


def test_a_time_given_in_code_equals_the_one_read_back() -> None:
    elsewhere = datetime(2026, 11, 22, 20, 45, 3, 120_999, tzinfo=timezone(timedelta(hours=2)))
    moment = Moment(happened_at=elsewhere)
    assert Moment.model_validate(moment.to_wire()) == moment


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValidationError, match="timezone"):
        Moment.model_validate({"happenedAt": "2026-11-22T18:45:03.120"})
