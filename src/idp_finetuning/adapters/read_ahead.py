"""How much is read ahead of a consumer that takes contents in order: so many files, and no more than so many bytes."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from itertools import count, islice
from threading import Condition
from typing import TypeVar

PARALLEL_READS = 32
READ_AHEAD_BYTES = 64_000_000

Admit = Callable[[int], None]
F = TypeVar("F")
R = TypeVar("R")


class _Budget:
    """The bytes of contents that are read and not yet taken; the content that is taken next is always admitted."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held: dict[int, int] = {}
        self._next = 0
        self._closed = False
        self._changed = Condition()

    def admit(self, number: int, size: int) -> None:
        """Wait until there is room for a content of this size; the one that is taken next does not wait."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._closed or number <= self._next or sum(self._held.values()) + size <= self._limit
            )
            self._held[number] = size

    def release(self, number: int) -> None:
        """Forget a content that was taken."""
        with self._changed:
            self._held.pop(number, None)
            self._next = number + 1
            self._changed.notify_all()

    def close(self) -> None:
        """Let all go on that wait: nobody takes anything any more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()


def read_ahead(
    read: Callable[[F, Admit], R], files: Iterable[F], within_seconds: float, *, limit: int | None = None
) -> Iterator[R]:
    """Yield what `read` returns for each file, in their order; several are read at once.

    `read` calls what it is given with the size of a content before it reads that. Raises TimeoutError if it takes
    longer.
    """
    waiting = zip(count(), files)
    latest = time.monotonic() + within_seconds
    budget = _Budget(READ_AHEAD_BYTES if limit is None else limit)
    threads = ThreadPoolExecutor(PARALLEL_READS)

    def start(number: int, file: F) -> tuple[int, Future[R]]:
        return number, threads.submit(read, file, partial(budget.admit, number))

    try:
        running = deque(start(*item) for item in islice(waiting, 2 * PARALLEL_READS))
        while running:
            left = latest - time.monotonic()
            if left <= 0:
                raise TimeoutError
            number, future = running.popleft()
            yield future.result(None if left == float("inf") else left)
            del future  # holds the content
            budget.release(number)
            running.extend(start(*item) for item in islice(waiting, 1))
    finally:
        budget.close()
        # A read that hangs must not keep the caller beyond its time.
        threads.shutdown(wait=time.monotonic() < latest, cancel_futures=True)
