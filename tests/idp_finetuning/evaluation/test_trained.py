"""The pages a model was trained with: which may be the same as another, and which is nearest."""

from __future__ import annotations

from typing import Any

from idp_finetuning.evaluation.trained import TrainedPage, TrainingPages
from idp_finetuning.nova.prompt import Boundary

FULL = (1 << 256) - 1


def page(number: int, look: int | None, **changes: Any) -> TrainedPage:
    values: dict[str, Any] = {
        "document_id": f"d{number}",
        "path": f"{number}.pdf",
        "number": 1,
        "digest": f"{number:032x}",
        "look": None if look is None else f"{look:064x}",
        "class_name": "invoice",
        "boundary": Boundary.START,
    }
    return TrainedPage(**(values | changes))


def test_the_nearest_is_the_one_with_the_fewest_other_bits_and_of_equals_the_first() -> None:
    known = TrainingPages(pages=(page(1, FULL), page(2, FULL >> 8), page(3, FULL >> 8), page(4, None)))
    assert known.nearest(f"{FULL >> 5:064x}").path == "2.pdf"
    assert known.nearest(f"{FULL >> 3:064x}").path == "1.pdf"
    assert known.have_looks
    assert not TrainingPages(pages=(page(4, None),)).have_looks


def test_the_likest_come_first_and_no_others() -> None:
    known = TrainingPages(pages=tuple(page(number, FULL >> number) for number in (30, 9, 2, 24, 1)))
    assert [item.path for item in known.alike(f"{FULL:064x}")] == ["1.pdf", "2.pdf", "9.pdf"]
    assert [item.path for item in known.alike(f"{FULL << 20 & FULL:064x}")] == ["1.pdf", "2.pdf"]
    assert known.alike("0" * 64) == []  # an empty page is like every other


def test_a_document_is_known_if_all_its_pages_are() -> None:
    known = TrainingPages(pages=(page(1, None), page(2, None), page(3, None, digest=f"{1:032x}")))
    assert known.original([f"{2:032x}", f"{1:032x}"]) == "1.pdf"
    assert known.original([f"{1:032x}", f"{9:032x}"]) is None
    assert known.original([]) is None
