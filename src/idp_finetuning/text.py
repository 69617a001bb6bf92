"""Text for and from people: names they type, which may be of any script but take one line, and lists in messages."""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
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


def is_unicode(text: str) -> bool:
    """Return whether a text has a form in UTF-8: names on disk and JSON escapes can hold half a surrogate pair."""
    return not any("\ud800" <= char <= "\udfff" for char in text)


def is_one_line(text: str) -> bool:
    """Return whether a text can be a name: on one line, in UTF-8, in the XML of S3's responses."""
    return not any(unicodedata.category(char) in _REFUSED or char in _NONCHARACTERS for char in text)


def _require_one_line(text: str) -> str:
    if not is_one_line(text):
        raise ValueError("one line without control characters is needed")
    return text


# What a reader does not see: Unicode's Default_Ignorable_Code_Point, the other format characters and the Braille blank.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)


def normal_form(text: str) -> str:
    """Return what two texts have in common if people take them for the same.

    NFKC and case folding, without invisible characters, runs of spaces as one.
    """
    folded = unicodedata.normalize("NFKC", _INVISIBLE.sub("", text)).casefold()
    return " ".join(_INVISIBLE.sub("", unicodedata.normalize("NFKC", folded)).split())


def look_alikes(names: Iterable[str]) -> list[tuple[str, ...]]:
    """Return the names of one normal form, group by group; names that nothing is like are left out."""
    groups: dict[str, set[str]] = {}
    for name in names:
        groups.setdefault(normal_form(name), set()).add(name)
    return [tuple(sorted(group)) for group in groups.values() if len(group) > 1]


def find_alike(text: object, names: Sequence[str]) -> str | None:
    """Return the name that is this text, else the only one of its normal form, else None."""
    if not isinstance(text, str):
        return None
    if text in names:
        return text
    wanted = normal_form(text)
    alike = [name for name in names if normal_form(name) == wanted]
    return alike[0] if wanted and len(alike) == 1 else None


def spell_out(name: str) -> str:
    """Quote a name; one that looks like another is also shown with its characters outside of ASCII as escapes."""
    return f"'{name}'" if name.isascii() and "  " not in name else f"'{name}' ({json.dumps(name)})"


def why_unsendable(value: object, place: str = "") -> str | None:
    """Return which part of a JSON value has no form in UTF-8 JSON, and why; None if all of it has one."""
    if isinstance(value, float) and not math.isfinite(value):
        return f"{place} is {'not a number' if math.isnan(value) else 'infinite'}. Give a number."
    if isinstance(value, str) and not is_unicode(value):
        return f"{place} has characters that are not UTF-8. Correct it."
    members: Iterable[tuple[object, object]] = ()
    if isinstance(value, Mapping):
        members = value.items()
    elif isinstance(value, list | tuple):
        members = enumerate(value)
    found = (why_unsendable(item, f"{place}.{name}" if place else str(name)) for name, item in members)
    return next((reason for reason in found if reason), None)


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
