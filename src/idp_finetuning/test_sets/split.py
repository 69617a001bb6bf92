"""The split: which documents train and which are held out, by document and the same every time."""

from __future__ import annotations

import hashlib
from collections import Counter, deque
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

from idp_finetuning.test_sets.labels import DocumentLabels

DEFAULT_TRAIN_SPLIT = 0.9


class Split(StrEnum):
    """Side of the split a document is on."""

    TRAIN = "train"
    VALIDATION = "validation"


def held_out_target(document_count: int, train_split: float) -> int:
    """Documents to hold out: the share rounded half up (150 at 0.9: 15)."""
    share = document_count * (1 - Decimal(str(train_split)))
    return int(share.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def held_out(test_set_id: str, documents: Sequence[DocumentLabels], train_split: float) -> frozenset[str]:
    """Paths of the held-out documents.

    As many as `held_out_target` says, or as near below it as leaves every class a training document. Within
    it, as many classes as fit stand on both sides, largest first; the rest follows the classes' shares. A
    packet counts for each class in it. The order within a class is a hash of test set and path. Identical files
    stay on one side, a model knows what it was trained with; only where the total cannot be had so, they part.
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
    """Documents that move together, and how many of them stand for each class."""

    def __init__(self, documents: Sequence[DocumentLabels]) -> None:
        self.paths = tuple(d.path for d in documents)
        self.counts = Counter(name for d in documents for name in d.classes)
        self.kind = (len(documents), frozenset(self.counts.items()))


def _units(ordered: Sequence[DocumentLabels], together: bool) -> list[_Unit]:
    """Each document by itself, or identical files together, in the order of the first."""
    units: dict[object, list[DocumentLabels]] = {}
    for document in ordered:
        units.setdefault((document.etag, document.size) if together else document.path, []).append(document)
    return [_Unit(members) for members in units.values()]


class _Choice:
    """Units moved one by one to the held-out side while every class keeps a training document.

    Units of the same kind (number of documents and classes) are interchangeable, so they wait in one queue, in
    hash order. A queue that cannot give a unit now never can again: room and training counts only fall.
    """

    def __init__(self, units: Sequence[_Unit], target: int, kept: frozenset[str]) -> None:
        self.room = target
        self.queues: dict[object, deque[_Unit]] = {}
        for unit in units:
            if not kept.intersection(unit.paths):
                self.queues.setdefault(unit.kind, deque()).append(unit)
        self.total = sum((unit.counts for unit in units), Counter[str]())
        self.training = Counter(self.total)
        self.chosen: list[str] = []

    def fill(self) -> tuple[str, ...]:
        """Covers the classes, largest first, then fills up by the classes' shares."""
        while self._cover_more():
            pass
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

    def _cover_more(self) -> bool:
        """Moves the unit that puts most classes on both sides; among equals, the largest classes."""
        movable = [queue for queue in self.queues.values() if self._movable(queue) and self._newly_covered(queue)]
        if not movable:
            return False
        self._move(min(movable, key=self._rank))
        return True

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

    def _newly_covered(self, queue: deque[_Unit]) -> list[str]:
        return [name for name in queue[0].counts if self.training[name] == self.total[name]]

    def _rank(self, queue: deque[_Unit]) -> tuple[int, int, list[tuple[int, str]]]:
        """Most newly covered classes first, then fewest documents, then the largest classes by name."""
        new = self._newly_covered(queue)
        return -len(new), len(queue[0].paths), sorted((-self.total[name], name) for name in new)


def _training_cover(documents: Sequence[DocumentLabels]) -> frozenset[str]:
    """A small set of documents in which every class stands (greedy set cover), to be kept for training."""
    missing = {name for d in documents for name in d.classes}
    cover: set[str] = set()
    while missing:
        best = max(documents, key=lambda d: len(d.classes & missing))
        cover.add(best.path)
        missing -= best.classes
    return frozenset(cover)
