"""When something happens that happens now and then: at random, but sure to, so that no run goes without it."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Generic, TypeVar

T = TypeVar("T")


class OnceEvery:
    """One of every `period` events, at a place drawn from the seed anew each time."""

    def __init__(self, period: int, seed: str) -> None:
        self._period = period
        self._chance = random.Random(seed)  # noqa: S311 - a repeatable order, not a secret
        self._number = 0
        self._chosen = 0

    def happens(self) -> bool:
        """Whether it happens at the next event. Not safe for threads."""
        place = self._number % self._period
        if place == 0:
            self._chosen = self._chance.randrange(self._period)
        self._number += 1
        return place == self._chosen


class InTurn(Generic[T]):
    """One of every `period` events is given a kind: each kind once, in an order drawn from the seed, then again."""

    def __init__(self, kinds: Sequence[T], period: int, seed: str) -> None:
        self._kinds = tuple(kinds)
        self._place = OnceEvery(period, f"{seed}/place")
        self._chance = random.Random(f"{seed}/kind")  # noqa: S311 - a repeatable order, not a secret
        self._left: list[T] = []

    def next(self) -> T | None:
        """The kind given to the next event; None where it gets none. Not safe for threads."""
        if not self._place.happens():
            return None
        if not self._left:
            self._left = self._chance.sample(self._kinds, len(self._kinds))
        return self._left.pop()
