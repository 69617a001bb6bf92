"""What users type and call their files: any script and any space, but one line without control characters."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable

NAMED = 10

# Control characters, halves of surrogate pairs, line and paragraph separators. Spaces of all kinds and joiners
# stay: file names of macOS screenshots, Persian words and emoji are made with them.
_REFUSED = frozenset({"Cc", "Cs", "Zl", "Zp"})
_NONCHARACTERS = frozenset({"\ufffe", "\uffff"})  # no XML answer of S3 can hold them


def is_one_line(text: str) -> bool:
    """Whether a text can stand as a name: on one line, in UTF-8, in an XML answer of S3."""
    return not any(unicodedata.category(char) in _REFUSED or char in _NONCHARACTERS for char in text)


def named(things: Iterable[str]) -> str:
    """The first ten, quoted where they would be unclear, and how many more there are."""
    listed = list(things)
    more = f" and {len(listed) - NAMED} more" if len(listed) > NAMED else ""
    return ", ".join(json.dumps(t, ensure_ascii=False) if not t.isprintable() else t for t in listed[:NAMED]) + more
