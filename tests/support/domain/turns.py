"""Two runs of one function at once, whose AWS calls take turns in a given order."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pytest

from idp_finetuning.errors import FinetuningError
from tests.idp_finetuning.conftest import client
from tests.support.domain.fake_bedrock import FakeBedrock

# Which of the two runs makes the next call: in step, one far behind, and both ways of overtaking.
ORDERS: tuple[tuple[int, ...], ...] = ((0, 1) * 8, (0, 0, 1, 1) * 4, (0, 1, 1) * 5, (0, 0, 0, 1, 1, 1) * 3)


class Turns:
    """Lets each thread call AWS only when it is its turn; a thread that ended loses its turns."""

    def __init__(self, order: Iterable[int]) -> None:
        self._order = deque(order)
        self._changed = threading.Condition()
        self._names: dict[int, int] = {}

    def call(self, work: Callable[[], Any]) -> Any:
        """Does the work when it is this thread's turn, alone; other threads' work goes on undisturbed."""
        me = self._names.get(threading.get_ident())
        with self._changed:
            if me is None:
                return work()
            assert self._changed.wait_for(lambda: not self._order or self._order[0] == me, timeout=20)
            try:
                return work()
            finally:
                if self._order:
                    self._order.popleft()
                self._changed.notify_all()

    def run(self, work: Callable[[], Any]) -> list[Any]:
        """Answer, or expected failure, of each of two runs of the work at once."""
        outcomes: list[Any] = [None, None]
        both = threading.Barrier(2)

        def one(number: int) -> None:
            self._names[threading.get_ident()] = number
            both.wait(20)
            try:
                outcomes[number] = work()
            except FinetuningError as error:
                outcomes[number] = error
            finally:
                with self._changed:
                    self._order = deque(turn for turn in self._order if turn != number)
                    self._changed.notify_all()

        threads = [threading.Thread(target=one, args=(number,)) for number in (0, 1)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        return outcomes


def at_once(
    work: Callable[[], Any], order: Sequence[int], fake_bedrock: FakeBedrock, monkeypatch: pytest.MonkeyPatch
) -> list[Any]:
    """Outcomes of two runs of the work whose DynamoDB and Bedrock calls take turns in this order."""
    turns = Turns(order)
    dynamodb = client("dynamodb")
    send = dynamodb._make_api_call
    with monkeypatch.context() as patched:
        patched.setattr(dynamodb, "_make_api_call", lambda *given: turns.call(lambda: send(*given)), raising=False)
        patched.setattr(fake_bedrock, "before_call", turns.call)
        return turns.run(work)
