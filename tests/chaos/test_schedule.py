"""What happens now and then happens for sure."""

from __future__ import annotations

import pytest

from tests.chaos.schedule import InTurn, OnceEvery


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


@pytest.mark.parametrize("seed", ["one", "two", "20261122"])
def test_each_kind_has_its_turn_before_one_comes_again(seed: str) -> None:
    schedule = InTurn(("a", "b", "c"), 5, seed)

    given = [schedule.next() for _ in range(30)]

    kinds = [kind for kind in given if kind]
    assert [sum(kind is not None for kind in given[start : start + 5]) for start in range(0, 30, 5)] == [1] * 6
    assert [sorted(kinds[:3]), sorted(kinds[3:])] == [["a", "b", "c"]] * 2
