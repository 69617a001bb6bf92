"""What is read ahead of a slow consumer is bounded by bytes, in order, and never stuck."""

from __future__ import annotations

import random
import threading
import time

import pytest

from idp_finetuning.adapters.read_ahead import Admit, read_ahead

FOREVER = float("inf")


class Reader:
    """Reads numbers as contents of that size; `most` is the largest sum that was in memory at once."""

    def __init__(self) -> None:
        self.held = 0
        self.most = 0
        self._lock = threading.Lock()

    def __call__(self, size: int, admit: Admit) -> int:
        time.sleep(random.uniform(0, 0.002))
        admit(size)
        with self._lock:
            self.held += size
            self.most = max(self.most, self.held)
        return size

    def taken(self, size: int) -> None:
        with self._lock:
            self.held -= size


def test_contents_come_in_order_and_no_more_bytes_than_allowed_are_held() -> None:
    sizes = [random.Random(7).randrange(1, 40) for _ in range(300)]
    reader = Reader()
    seen = []
    for size in read_ahead(reader, sizes, FOREVER, limit=100):
        time.sleep(0.001)
        seen.append(size)
        reader.taken(size)
    assert seen == sizes
    assert reader.most <= 100 + 40  # the next one is never kept waiting


def test_a_content_that_is_larger_than_all_that_is_allowed_is_read_all_the_same() -> None:
    reader = Reader()
    sizes = [5, 1000, 5, 1000, 5]
    for size, expected in zip(read_ahead(reader, sizes, FOREVER, limit=10), sizes, strict=True):
        assert size == expected
        reader.taken(size)
    assert reader.most <= 1010


def test_small_contents_are_read_side_by_side() -> None:
    together = threading.Barrier(8, timeout=10)

    def read(number: int, admit: Admit) -> int:
        admit(1)
        if number < 8:
            together.wait()
        return number

    assert list(read_ahead(read, range(20), FOREVER)) == list(range(20))


def test_a_consumer_that_stops_and_a_time_that_is_over_leave_no_thread_waiting() -> None:
    contents = read_ahead(Reader(), [60] * 50, FOREVER, limit=100)
    assert next(contents) == 60
    began = time.monotonic()
    contents.close()  # type: ignore[attr-defined]

    def hang(size: int, _: Admit) -> int:
        time.sleep(0.2)
        return size

    with pytest.raises(TimeoutError):
        list(read_ahead(hang, [1], 0.05))
    assert time.monotonic() - began < 5


def test_a_read_that_fails_is_raised_in_its_place() -> None:
    def read(number: int, admit: Admit) -> int:
        admit(60)
        if number == 2:
            raise KeyError(number)
        return number

    contents = read_ahead(read, range(50), FOREVER, limit=100)
    assert [next(contents), next(contents)] == [0, 1]
    with pytest.raises(KeyError):
        next(contents)
