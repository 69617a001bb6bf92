"""Which directories of a TIFF are pages, read before Pillow walks them, which takes quadratic time."""

from __future__ import annotations

import struct

from idp_finetuning.errors import DocumentRejected
from idp_finetuning.test_sets.page_limit import MAXIMUM_PAGES

_SUBFILE_TYPE, _OLD_SUBFILE_TYPE = 254, 255
_REDUCED, _MASK = 1, 4  # bits of NewSubfileType; of the old tag, 2 is a reduced image


def page_directories(content: bytes) -> list[int]:
    """Return the numbers of the directories that are pages and no thumbnails or masks; at least one.

    Raises DocumentRejected above the limit of pages, with as many directories read.
    """
    kinds = _read_kinds(content)
    pages = [number for number, kind in enumerate(kinds) if not kind & (_REDUCED | _MASK)]
    if len(kinds) > MAXIMUM_PAGES:
        raise DocumentRejected(
            "too_many_pages", f"The image has more than {MAXIMUM_PAGES} pages, which is the most allowed. Split it."
        )
    return pages or [0]


def _read_kinds(content: bytes) -> list[int]:
    """Return the subfile type of each directory, of one more than allowed at most; a loop ends it."""
    order = "<" if content[:2] == b"II" else ">"
    big = content[2:4] in (b"+\0", b"\0+")
    offset_format, count_format, entry_bytes = ("Q", "Q", 20) if big else ("I", "H", 12)
    kinds: list[int] = []
    seen: set[int] = set()
    try:
        (offset,) = struct.unpack_from(order + offset_format, content, 8 if big else 4)
        while offset and offset not in seen and len(kinds) <= MAXIMUM_PAGES:
            seen.add(offset)
            (entries,) = struct.unpack_from(order + count_format, content, offset)
            first = offset + struct.calcsize(order + count_format)
            kinds.append(_read_kind(content, order, first, entries, entry_bytes))
            (offset,) = struct.unpack_from(order + offset_format, content, first + entries * entry_bytes)
    except (struct.error, OverflowError) as error:
        raise DocumentRejected("damaged", "The image breaks off. Copy or download it again.") from error
    return kinds


def _read_kind(content: bytes, order: str, first: int, entries: int, entry_bytes: int) -> int:
    value_at = entry_bytes - (8 if entry_bytes == 20 else 4)
    for place in range(first, first + min(entries, 1000) * entry_bytes, entry_bytes):
        tag, kind = struct.unpack_from(order + "HH", content, place)
        if tag in (_SUBFILE_TYPE, _OLD_SUBFILE_TYPE):
            (value,) = struct.unpack_from(order + ("H" if kind == 3 else "I"), content, place + value_at)
            return int(value) if tag == _SUBFILE_TYPE else _REDUCED * (value == 2)
        if tag > _OLD_SUBFILE_TYPE:  # entries are in ascending order
            break
    return 0
