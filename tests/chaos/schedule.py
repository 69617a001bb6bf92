"""Schedules of what happens now and then: at random, but certain, so that no run is without it."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Generic, TypeVar

T = TypeVar("T")


class OnceEvery:
    """One of every `period` events, at a place that is drawn from the seed for each period."""

    def __init__(self, period: int, seed: str) -> None:
        self._period = period
        self._chance = random.Random(seed)
        self._number = 0
        self._chosen = 0

    def happens(self) -> bool:
        """Return whether it happens at the next event. Not thread-safe."""
        place = self._number % self._period
        if place == 0:
            self._chosen = self._chance.randrange(self._period)
        self._number += 1
        return place == self._chosen


class InTurn(Generic[T]):
    """Gives one of every `period` events a kind: each kind once, in an order drawn from the seed, then all again."""

    def __init__(self, kinds: Sequence[T], period: int, seed: str) -> None:
        self._kinds = tuple(kinds)
        self._place = OnceEvery(period, f"{seed}/place")
        self._chance = random.Random(f"{seed}/kind")
        self._left: list[T] = []

    def next(self) -> T | None:
        """Return the kind of the next event, or None if it has none. Not thread-safe."""
        if not self._place.happens():
            return None
        if not self._left:
            self._left = self._chance.sample(self._kinds, len(self._kinds))
        return self._left.pop()
