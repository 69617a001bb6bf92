"""What happens now and then happens for sure."""

from __future__ import annotations

from idp_local.chaos.schedule import OnceEvery


def test_it_happens_once_in_each_period() -> None:
    schedule = OnceEvery(6, "seed")

    happened = [schedule.happens() for _ in range(60)]

    assert [sum(happened[start : start + 6]) for start in range(0, 60, 6)] == [1] * 10


def test_the_seed_decides_when() -> None:
    def drawn(seed: str) -> list[bool]:
        schedule = OnceEvery(6, seed)
        return [schedule.happens() for _ in range(60)]

    assert drawn("one") == drawn("one")
    assert drawn("one") != drawn("two")
