"""The split: by document, deterministic, as large as wanted, with every class left to train on."""

from __future__ import annotations

import random
import time
from collections import Counter
from itertools import combinations

import pytest

from idp_finetuning.test_sets.labels import DocumentLabels
from idp_finetuning.test_sets.sections import Section
from idp_finetuning.test_sets.split import held_out_target, hold_out
from tests.support.domain.samples import GUIDE_CLASSES, document, of_classes

SHARES = (0.5, 0.6, 0.75, 0.8, 0.9, 0.95)


def random_documents(rng: random.Random, *, packets: bool) -> list[DocumentLabels]:
    """Up to eleven documents of up to six classes."""
    names = "abcdef"[: rng.randint(2, 6)]
    sizes = [min(rng.choice((1, 1, 2, 3, 4)), len(names)) if packets else 1 for _ in range(rng.randint(2, 11))]
    return [document(f"{n}.pdf", *rng.sample(names, size)) for n, size in enumerate(sizes)]


def classes_of(documents: list[DocumentLabels]) -> set[str]:
    """All classes that stand in the documents."""
    return {name for d in documents for name in d.classes}


def largest_possible(documents: list[DocumentLabels], target: int) -> int:
    """Most documents, up to the target, that can go while every class keeps one (by trying all)."""
    everything = classes_of(documents)
    for size in range(target, 0, -1):
        for chosen in combinations(documents, size):
            if classes_of([d for d in documents if d not in chosen]) == everything:
                return size
    return 0


@pytest.mark.parametrize(
    ("documents", "share", "target"),
    [
        (150, 0.9, 15),
        (10, 0.9, 1),
        (15, 0.9, 2),  # 1.5 is rounded up
        (25, 0.9, 3),
        (14, 0.9, 1),
        (5, 0.9, 1),
        (4, 0.9, 0),
        (11, 0.5, 6),
        (10, 0.95, 1),  # 0.5 is rounded up, though 10 * (1 - 0.95) is less in floating point
        (1000, 0.7, 300),
    ],
)
def test_the_held_out_share_is_rounded_half_up(documents: int, share: float, target: int) -> None:
    assert held_out_target(documents, share) == target


def test_the_guides_test_set_is_split_135_to_15_with_every_class_held_out() -> None:
    documents = list(of_classes(GUIDE_CLASSES, pages=2).documents)
    chosen = hold_out("docsplit", documents, 0.9)
    assert len(chosen) == 15
    held = Counter(name for d in documents if d.path in chosen for name in d.classes)
    assert held.keys() == GUIDE_CLASSES.keys()
    assert all(abs(held[name] - count / 10) <= 1 for name, count in GUIDE_CLASSES.items())


def test_the_split_does_not_depend_on_the_order_of_the_documents() -> None:
    rng = random.Random(1)
    for _ in range(200):
        documents = random_documents(rng, packets=True)
        share = rng.choice(SHARES)
        first = hold_out("docsplit", documents, share)
        rng.shuffle(documents)
        assert hold_out("docsplit", documents, share) == first


def test_another_test_set_of_the_same_paths_is_split_otherwise() -> None:
    documents = of_classes({"a": 50, "b": 50}).documents
    assert hold_out("one", documents, 0.9) != hold_out("two", documents, 0.9)


def test_every_class_keeps_a_training_document_and_the_share_is_never_exceeded() -> None:
    rng = random.Random(2)
    for _ in range(1000):
        documents = random_documents(rng, packets=rng.random() < 0.7)
        share = rng.choice(SHARES)
        chosen = hold_out("docsplit", documents, share)
        assert chosen <= {d.path for d in documents}
        assert len(chosen) <= held_out_target(len(documents), share)
        assert classes_of([d for d in documents if d.path not in chosen]) == classes_of(documents)


def test_as_many_packets_are_held_out_as_any_choice_could() -> None:
    rng = random.Random(3)
    for _ in range(400):
        documents = random_documents(rng, packets=True)
        share = rng.choice(SHARES)
        wanted = largest_possible(documents, held_out_target(len(documents), share))
        assert len(hold_out("docsplit", documents, share)) == wanted, [sorted(d.classes) for d in documents]


def test_the_largest_classes_are_held_out_first_where_documents_have_one_class() -> None:
    rng = random.Random(4)
    for _ in range(500):
        documents = random_documents(rng, packets=False)
        share = rng.choice(SHARES)
        sizes = Counter(name for d in documents for name in d.classes)
        divisible = sorted((n for n in sizes if sizes[n] > 1), key=lambda n: (-sizes[n], n))
        chosen = hold_out("docsplit", documents, share)
        target = held_out_target(len(documents), share)
        assert classes_of([d for d in documents if d.path in chosen]) == set(divisible[:target])


def test_the_rest_follows_the_classes_shares() -> None:
    documents = list(of_classes({"large": 300, "middle": 150, "small": 50}).documents)
    chosen = hold_out("docsplit", documents, 0.9)
    held = Counter(name for d in documents if d.path in chosen for name in d.classes)
    assert held == {"large": 30, "middle": 15, "small": 5}


@pytest.mark.parametrize(
    "documents",
    [
        [],
        [document("a.pdf", "a")],
        [document("a.pdf", "a"), document("b.pdf", "b")],
        [document(f"{n}.pdf", f"class {n}") for n in range(20)],
        [document("packet.pdf", *"abcdefghij"), document("single.pdf", "k")],
    ],
)
def test_nothing_is_held_out_where_every_document_is_needed(documents: list[DocumentLabels]) -> None:
    assert hold_out("docsplit", documents, 0.5) == frozenset()


def test_a_packet_that_alone_holds_every_class_frees_all_others() -> None:
    documents = [document("packet.pdf", *"abcde"), *(document(f"{name}.pdf", name) for name in "abcde")]
    chosen = hold_out("docsplit", documents, 0.5)
    assert "packet.pdf" not in chosen
    assert len(chosen) == 3


def test_a_file_that_occurs_twice_trains_as_long_as_there_are_others_to_hold_out() -> None:
    unique = list(of_classes({"a": 15, "b": 15}).documents)
    twins = [d.model_copy(update={"etag": "same", "size": 5}) for d in of_classes({"c": 5, "d": 5}).documents]
    chosen = hold_out("docsplit", [*unique, *twins], 0.8)
    assert len(chosen) == 8
    assert not chosen & {d.path for d in twins}


def test_identical_files_stay_on_one_side_where_the_total_can_be_had_so() -> None:
    documents = [
        d.model_copy(update={"etag": f"pair {n // 2}"}) for n, d in enumerate(of_classes({"a": 20, "b": 20}).documents)
    ]
    chosen = hold_out("docsplit", documents, 0.9)
    assert len(chosen) == 4
    sides = {etag: {d.path in chosen for d in documents if d.etag == etag} for etag in {d.etag for d in documents}}
    assert all(len(side) == 1 for side in sides.values())


def test_twenty_thousand_documents_of_five_hundred_classes_are_split_at_once() -> None:
    documents = [
        DocumentLabels(
            path=f"{number}.pdf", size=1, etag=str(number), sections=(Section(class_name=f"class {number % 500}"),)
        )
        for number in range(20_000)
    ]
    began = time.process_time()
    assert len(hold_out("large", documents, 0.9)) == 2_000
    assert time.process_time() - began < 8  # under a second on a quiet machine; looking at all again each time took 20
