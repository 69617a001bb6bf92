"""The split: which documents train and which are held out, by document and the same every time."""

from __future__ import annotations

import hashlib
from collections import Counter, deque
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal

from idp_finetuning.labels import DocumentLabels


def held_out_target(document_count: int, train_split: float) -> int:
    """Documents to hold out: the share rounded half up (150 at 0.9: 15)."""
    share = document_count * (1 - Decimal(str(train_split)))
    return int(share.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def held_out(test_set_id: str, documents: Sequence[DocumentLabels], train_split: float) -> frozenset[str]:
    """Paths of the held-out documents.

    As many as `held_out_target` says, or as near below it as leaves every class a training document. Within
    it, as many classes as fit stand on both sides, largest first; the rest follows the classes' shares. A
    packet counts for each class in it. The order within a class is a hash of test set and path. Files that
    occur twice train as long as there are others to hold out: a model knows what it was trained with.
    """
    ordered = sorted(documents, key=lambda d: hashlib.sha256(f"{test_set_id}\0{d.path}".encode()).digest())
    target = held_out_target(len(ordered), train_split)
    copies = Counter((d.etag, d.size) for d in ordered)
    repeated = frozenset(d.path for d in ordered if copies[d.etag, d.size] > 1)
    cover = _training_cover(ordered)
    best: list[str] = []
    for kept in (repeated, repeated | cover, frozenset[str](), cover):
        chosen = _Choice(ordered, target, kept).fill()
        if len(chosen) > len(best):
            best = chosen
        if len(best) == target:
            break
    return frozenset(best)


class _Choice:
    """Documents moved one by one to the held-out side while every class keeps a training document.

    Documents of the same classes are interchangeable, so they wait in one queue, in hash order. A queue that
    cannot give a document now never can again: training counts only fall.
    """

    def __init__(self, ordered: Sequence[DocumentLabels], target: int, kept: frozenset[str]) -> None:
        self.target = target
        self.queues: dict[frozenset[str], deque[str]] = {}
        for document in ordered:
            if document.path not in kept:
                self.queues.setdefault(document.classes, deque()).append(document.path)
        self.total = Counter(name for d in ordered for name in d.classes)
        self.training = Counter(self.total)
        self.chosen: list[str] = []

    def fill(self) -> list[str]:
        """Covers the classes, largest first, then fills up by the classes' shares."""
        for name in sorted(self.total, key=lambda n: (-self.total[n], n)):
            if self.training[name] == self.total[name]:
                candidates = [classes for classes in self.queues if name in classes and self._movable(classes)]
                if candidates and len(self.chosen) < self.target:
                    self._move(max(candidates, key=self._newly_covered))
        turns = {name: deque(c for c in self.queues if name in c) for name in sorted(self.total)}
        while turns and len(self.chosen) < self.target:
            behind = max(turns, key=lambda n: self.training[n] / self.total[n])
            while turns[behind] and not self._movable(turns[behind][0]):
                turns[behind].popleft()
            if turns[behind]:
                self._move(turns[behind][0])
                turns[behind].rotate(-1)
            else:
                del turns[behind]
        return self.chosen

    def _movable(self, classes: frozenset[str]) -> bool:
        return bool(self.queues[classes]) and all(self.training[name] > 1 for name in classes)

    def _move(self, classes: frozenset[str]) -> None:
        self.chosen.append(self.queues[classes].popleft())
        self.training.subtract(classes)

    def _newly_covered(self, classes: frozenset[str]) -> int:
        return sum(self.training[name] == self.total[name] for name in classes)


def _training_cover(documents: Sequence[DocumentLabels]) -> frozenset[str]:
    """A small set of documents in which every class stands (greedy set cover), to be kept for training."""
    missing = {name for d in documents for name in d.classes}
    cover: set[str] = set()
    while missing:
        best = max(documents, key=lambda d: len(d.classes & missing))
        cover.add(best.path)
        missing -= best.classes
    return frozenset(cover)
