"""Text for and from people: names they type, which may be of any script but take one line, and lists in messages."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Annotated, TypeVar

from pydantic import AfterValidator

T = TypeVar("T")

# Characters, of a test set or a configuration version.
MAXIMUM_DESCRIPTION = 200
FIRST_FEW = 10

# Control characters, halves of surrogate pairs, line and paragraph separators. Spaces of all kinds and joiners
# stay: file names of macOS screenshots, Persian words and emoji are made with them.
_REFUSED = frozenset({"Cc", "Cs", "Zl", "Zp"})
_NONCHARACTERS = frozenset({"\ufffe", "\uffff"})  # S3 responds in XML, which cannot hold them


def is_one_line(text: str) -> bool:
    """Return whether a text can be a name: on one line, in UTF-8, in the XML of S3's responses."""
    return not any(unicodedata.category(char) in _REFUSED or char in _NONCHARACTERS for char in text)


def _require_one_line(text: str) -> str:
    if not is_one_line(text):
        raise ValueError("one line without control characters is needed")
    return text


OneLine = Annotated[str, AfterValidator(_require_one_line)]


def first_few(items: Iterable[T]) -> tuple[Sequence[T], int]:
    """Return the first ten items, and how many more there are."""
    listed = list(items)
    return listed[:FIRST_FEW], max(0, len(listed) - FIRST_FEW)


def join_first(names: Iterable[str]) -> str:
    """Join the first ten names, quoted if they would be unclear, and say how many more there are."""
    shown, more = first_few(names)
    quoted = (name if name.isprintable() else json.dumps(name, ensure_ascii=False) for name in shown)
    return ", ".join(quoted) + (f" and {more} more" if more else "")


HIDDEN_ACCOUNT = "<account>"
# ARNs of users, roles and their sessions, and the account in any other ARN.
_IDENTITY_ARN = re.compile(r"arn:[\w-]+:(?:iam|sts):[^:\s]*:[^:\s]*:[^\s,;()\[\]'\"]*[^\s,;()\[\]'\".:]")
_ACCOUNT_OF_ARN = re.compile(r"(arn:[\w-]+:[\w-]+:[\w-]*:)\d{12}(?=:)")
_ACCOUNT_IN_BUCKET = re.compile(r"(s3://[a-z0-9.-]*?)(?<!\d)\d{12}(?!\d)")
# By itself: not in the name of a file, such as 202611221030.pdf, and not the end of a UUID.
_ACCOUNT = re.compile(r"(?<![\w./-])\d{12}(?![\w/-]|\.\w)")


def hide_account(text: str) -> str:
    """Return an error text without account ids and without the ARNs of roles and users.

    AWS's own messages have both, and everyone who may read a job reads why it failed.
    """
    text = _IDENTITY_ARN.sub("(role)", text)
    text = _ACCOUNT_OF_ARN.sub(rf"\g<1>{HIDDEN_ACCOUNT}", text)
    text = _ACCOUNT_IN_BUCKET.sub(rf"\g<1>{HIDDEN_ACCOUNT}", text)
    return _ACCOUNT.sub(HIDDEN_ACCOUNT, text)
