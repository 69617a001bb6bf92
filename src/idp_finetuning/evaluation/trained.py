"""The pages that a model was trained with: what must not judge it, and the simplest model there is."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from idp_finetuning.nova.prompt import Boundary
from idp_finetuning.wire import WireModel

# Bits of 256 in which the same page saved in another way differs at most, measured with room to spare.
_ALIKE_BITS = 24
# A page with fewer bits has hardly anything on it: it looks like every other such page.
_EMPTY_BITS = 4
_CANDIDATES = 3


class TrainedPage(WireModel):
    """A page of a training document with its label; `number` counts from 1, `look` is its hash in hexadecimal."""

    document_id: str
    path: str
    number: int
    digest: str
    look: str | None = None
    class_name: str
    boundary: Boundary


class TrainingPages(WireModel):
    """All of them, in the order of the manifest."""

    pages: tuple[TrainedPage, ...]

    @cached_property
    def _paths(self) -> dict[str, str]:
        return {page.digest: page.path for page in reversed(self.pages)}

    @cached_property
    def _looks(self) -> list[tuple[int, TrainedPage]]:
        return [(int(page.look, 16), page) for page in self.pages if page.look]

    @property
    def have_looks(self) -> bool:
        """Whether any page has a look, so that there is a nearest one."""
        return bool(self._looks)

    def original(self, digests: Sequence[str]) -> str | None:
        """Return a training document that has the last of these pages, if training documents have all of them."""
        found = [self._paths.get(digest) for digest in digests]
        return found[-1] if found and None not in found else None

    def alike(self, look: str) -> list[TrainedPage]:
        """Return the pages that may be the same as one with this look, the likest first; none for an empty page."""
        bits = int(look, 16)
        if is_empty(look):
            return []
        near = [((bits ^ other).bit_count(), number, page) for number, (other, page) in enumerate(self._looks)]
        return [page for distance, _, page in sorted(near)[:_CANDIDATES] if distance <= _ALIKE_BITS]

    def nearest(self, look: str) -> TrainedPage:
        """Return the page that looks most like one with this look; of equals the first. There must be looks."""
        bits = int(look, 16)
        return min(self._looks, key=lambda item: (bits ^ item[0]).bit_count())[1]


def is_empty(look: str) -> bool:
    """Return whether a page has hardly anything on it."""
    return int(look, 16).bit_count() < _EMPTY_BITS
