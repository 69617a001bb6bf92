"""The split of documents into training and held-out ones, deterministic for a test set."""

from __future__ import annotations

import hashlib
from collections import Counter, deque
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from heapq import heapify, heappop, heapreplace
from typing import Annotated

from pydantic import Field

from idp_finetuning.test_sets.labels import DocumentLabels

DEFAULT_TRAIN_SPLIT = 0.9
TrainSplit = Annotated[float, Field(ge=0.5, le=0.95)]

# How often each training page becomes a record. AWS advises to duplicate data below 1,000 records (Nova user guide,
# "Hyperparameters").
Repeat = Annotated[int, Field(ge=1, le=4)]


class Split(StrEnum):
    """Side of the split a document is on."""

    TRAIN = "train"
    VALIDATION = "validation"


def held_out_target(document_count: int, train_split: float) -> int:
    """Return how many documents to hold out: the share rounded half up (150 at 0.9: 15)."""
    share = document_count * (1 - Decimal(str(train_split)))
    return int(share.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def hold_out(test_set_id: str, documents: Sequence[DocumentLabels], train_split: float) -> frozenset[str]:
    """Choose the documents to hold out, and return their paths.

    As many as `held_out_target` returns, or the next lower number that leaves every class a training document. As many
    classes as fit are on both sides, largest first; the rest follows the classes' shares. A packet counts for each
    class in it. The order within a class is a hash of test set and path. Identical files stay on one side, because a
    model knows what it was trained with; they are separated only if the total cannot be reached otherwise.
    """
    ordered = sorted(documents, key=lambda d: hashlib.sha256(f"{test_set_id}\0{d.path}".encode()).digest())
    target = held_out_target(len(ordered), train_split)
    cover = _training_cover(ordered)
    best: tuple[str, ...] = ()
    for together in (True, False):
        for kept in (frozenset[str](), cover):
            chosen = _Choice(_units(ordered, together), target, kept).fill()
            if len(chosen) > len(best):
                best = chosen
            if len(best) == target:
                return frozenset(best)
    return frozenset(best)


class _Unit:
    """Documents that move together, and how many of them have each class."""

    def __init__(self, documents: Sequence[DocumentLabels]) -> None:
        self.paths = tuple(d.path for d in documents)
        self.counts = Counter(name for d in documents for name in d.classes)
        self.kind = (len(documents), frozenset(self.counts.items()))


def _units(ordered: Sequence[DocumentLabels], together: bool) -> list[_Unit]:
    """Return each document as a unit, or identical files as one, in the order of the first."""
    units: dict[object, list[DocumentLabels]] = {}
    for document in ordered:
        units.setdefault((document.etag, document.size) if together else document.path, []).append(document)
    return [_Unit(members) for members in units.values()]


class _Choice:
    """Units moved one by one to the held-out side while every class keeps a training document.

    Units of the same kind (number of documents and classes) are interchangeable, so they wait in one queue, in
    hash order. A queue whose first unit cannot be moved now is done: room and training counts only fall.
    """

    def __init__(self, units: Sequence[_Unit], target: int, kept: frozenset[str]) -> None:
        self.room = target
        self.queues: dict[object, deque[_Unit]] = {}
        for unit in units:
            if not kept.intersection(unit.paths):
                self.queues.setdefault(unit.kind, deque()).append(unit)
        self.total = Counter[str]()
        for unit in units:
            self.total.update(unit.counts)
        self.training = Counter(self.total)
        self.chosen: list[str] = []

    def fill(self) -> tuple[str, ...]:
        """Cover the classes, largest first, then fill up by the classes' shares."""
        self._cover_classes()
        waiting = [queue for queue in self.queues.values() if queue]
        turns = {name: deque(queue for queue in waiting if name in queue[0].counts) for name in sorted(self.total)}
        while turns and self.room:
            behind = max(turns, key=lambda n: self.training[n] / self.total[n])
            while turns[behind] and not self._movable(turns[behind][0]):
                turns[behind].popleft()
            if turns[behind]:
                self._move(turns[behind][0])
                turns[behind].rotate(-1)
            else:
                del turns[behind]
        return tuple(self.chosen)

    def _cover_classes(self) -> None:
        """Move the unit that puts most classes on both sides; among equals, the largest classes; until none does.

        A queue's rank only falls, so the first one whose rank is still the one it had is the best.
        """
        queues = list(self.queues.values())
        waiting = [(self._rank(queue), place) for place, queue in enumerate(queues)]
        heapify(waiting)
        while waiting:
            rank, place = waiting[0]
            queue = queues[place]
            if not (self._movable(queue) and self._find_newly_covered(queue)):
                heappop(waiting)
            elif (now := self._rank(queue)) != rank:
                heapreplace(waiting, (now, place))
            else:
                self._move(queue)

    def _movable(self, queue: deque[_Unit]) -> bool:
        return bool(
            queue
            and len(queue[0].paths) <= self.room
            and all(self.training[name] > count for name, count in queue[0].counts.items())
        )

    def _move(self, queue: deque[_Unit]) -> None:
        unit = queue.popleft()
        self.chosen.extend(unit.paths)
        self.room -= len(unit.paths)
        self.training.subtract(unit.counts)

    def _find_newly_covered(self, queue: deque[_Unit]) -> list[str]:
        return [name for name in queue[0].counts if self.training[name] == self.total[name]]

    def _rank(self, queue: deque[_Unit]) -> tuple[int, int, list[tuple[int, str]]]:
        """Rank by most newly covered classes, then fewest documents, then the largest classes by name."""
        new = self._find_newly_covered(queue)
        return -len(new), len(queue[0].paths), sorted((-self.total[name], name) for name in new)


def _training_cover(documents: Sequence[DocumentLabels]) -> frozenset[str]:
    """Return a small set of documents that has every class (greedy set cover), to be kept for training.

    What a document adds only falls, so the first one that adds as much as when it was last looked at is the best.
    """
    missing = {name for d in documents for name in d.classes}
    waiting = [(-len(document.classes), place) for place, document in enumerate(documents)]
    heapify(waiting)
    cover: set[str] = set()
    while missing:
        counted, place = waiting[0]
        adds = len(documents[place].classes & missing)
        if adds < -counted:
            heapreplace(waiting, (-adds, place))
            continue
        cover.add(documents[place].path)
        missing -= documents[place].classes
    return frozenset(cover)
