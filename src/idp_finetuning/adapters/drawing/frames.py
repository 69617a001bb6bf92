"""Messages between the process that asks for pages and the one that draws them: a kind, a length and bytes."""

from __future__ import annotations

import struct
from enum import Enum
from typing import BinaryIO, NamedTuple

from idp_finetuning.errors import DocumentRejected

_HEADER = struct.Struct(">cQ")
_NUMBER = struct.Struct(">I")


class Kind(Enum):
    """OPEN carries a document and closes the one before; PAGES, PAGE, REJECTED and FAILED are replies."""

    OPEN = b"o"
    DRAW = b"d"
    CLOSE = b"c"
    PAGES = b"n"
    PAGE = b"p"
    REJECTED = b"r"
    FAILED = b"f"


class DrawnPage(NamedTuple):
    """A page's JPEG, and how many of its characters no font has."""

    jpeg: bytes
    missing_glyphs: int = 0


def write_frame(stream: BinaryIO, kind: Kind, *parts: bytes) -> None:
    """Write a whole frame to an unbuffered stream."""
    for part in (_HEADER.pack(kind.value, sum(map(len, parts))), *parts):
        left = memoryview(part)
        while left:
            left = left[stream.write(left) :]


def read_frame(stream: BinaryIO) -> tuple[Kind, bytes]:
    """Read a whole frame. Raises EOFError if the stream ends before."""
    code, length = _HEADER.unpack(_read_exactly(stream, _HEADER.size))
    return Kind(code), _read_exactly(stream, length)


def _read_exactly(stream: BinaryIO, length: int) -> bytes:
    first = stream.read(length) or b""
    if len(first) == length:
        return first
    content = bytearray(length)
    content[: len(first)] = first
    view = memoryview(content)[len(first) :]
    while view:
        count = stream.readinto(view)  # type: ignore[attr-defined]
        if not count:
            raise EOFError
        view = view[count:]
    return bytes(content)


def pack_number(number: int) -> bytes:
    """Return a count or index as the payload of a frame."""
    return _NUMBER.pack(number)


def unpack_number(payload: bytes) -> int:
    """Return the number at the beginning of a payload."""
    number: int = _NUMBER.unpack_from(payload)[0]
    return number


def unpack_page(payload: bytes) -> DrawnPage:
    """Return the page in a PAGE frame: a count of missing glyphs, then the JPEG."""
    return DrawnPage(payload[_NUMBER.size :], unpack_number(payload))


def pack_rejection(rejection: DocumentRejected) -> bytes:
    """Return the payload of a REJECTED frame."""
    return rejection.message.encode()


def unpack_rejection(payload: bytes) -> DocumentRejected:
    """Return the rejection in a REJECTED frame."""
    return DocumentRejected.from_text(payload.decode())
