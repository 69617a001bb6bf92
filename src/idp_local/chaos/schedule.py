"""When something happens that happens now and then: at random, but sure to, so that no run goes without it."""

from __future__ import annotations

import random


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
