"""A picture becomes a JPEG within Converse's limits; a JPEG that already is one keeps its own compressed pixels."""

from __future__ import annotations

import io
import re
from typing import cast

from PIL import ExifTags, Image

from idp_finetuning.adapters.drawing.limits import JPEG_QUALITY, MAXIMUM_BYTES, MINIMUM_SIDE, target_size

_START, _END, _SCAN = b"\xff\xd8", b"\xff\xd9", 0xDA
_FRAMES = {0xC0, 0xC1, 0xC2}  # baseline, extended and progressive, with Huffman codes
_KEPT = {0xC0, 0xC1, 0xC2, 0xC4, 0xDB, 0xDD, 0xDA}  # frame, tables, restart interval, scan
_AFTER_SCAN = re.compile(rb"\xff+([^\x00\xd0-\xd7\xff])", re.DOTALL)


def encode_page(picture: Image.Image) -> bytes:
    """Return a JPEG of at most 3.75 MB, by lower quality first and fewer pixels then."""
    quality = JPEG_QUALITY
    while True:
        buffer = io.BytesIO()
        picture.save(buffer, "JPEG", quality=quality, comment=b"")  # else the document's own comment is copied
        if buffer.tell() <= MAXIMUM_BYTES:
            return buffer.getvalue()
        quality = max(quality - 15, 40)
        if quality == 40:
            smaller = tuple(max(side * 3 // 4, MINIMUM_SIDE) for side in picture.size)
            picture = picture.resize(cast("tuple[int, int]", smaller), Image.Resampling.LANCZOS)


def own_jpeg(content: bytes, image: Image.Image) -> bytes | None:
    """Return the file's own first image without metadata, if it needs no change: 8 bit, grey or YCbCr, upright.

    `image` is the file, decoded in full: what is passed on is whole.
    """
    if image.format not in ("JPEG", "MPO") or image.mode not in ("L", "RGB") or target_size(*image.size) != image.size:
        return None
    if image.getexif().get(ExifTags.Base.Orientation, 1) != 1:
        return None
    kept = _without_metadata(content)
    return kept if kept is not None and len(kept) <= MAXIMUM_BYTES else None


def _without_metadata(content: bytes) -> bytes | None:
    """Return the first image with the segments a decoder needs, or None if it is of another kind."""
    parts, place = [_START], 2
    components = b""
    while place + 2 <= len(content) and content[place] == 0xFF:
        marker = content[place + 1]
        if marker == 0xFF:
            place += 1
            continue
        if marker == 0xD9:
            return b"".join((*parts, _END)) if components else None
        end = place + 2 + int.from_bytes(content[place + 2 : place + 4])
        segment = content[place:end]
        if marker in _FRAMES:
            components = segment[10::3]
            if segment[4] != 8 or len(components) not in (1, 3) or components == b"RGB":
                return None
        elif 0xC3 <= marker <= 0xCF and marker != 0xC4:
            return None
        if marker == 0xEE and segment[4:9] == b"Adobe":
            if len(segment) > 15 and segment[15] == 0 and len(components or b"123") == 3:
                return None  # its three components are red, green and blue
            parts.append(segment)
        elif marker == 0xE0 and segment[4:9] == b"JFIF\0":
            parts.append(segment[:2] + b"\0\x10" + segment[4:16] + b"\0\0")  # without its thumbnail
        elif marker in _KEPT:
            parts.append(segment)
        place = end
        if marker == _SCAN:
            found = _AFTER_SCAN.search(content, end)
            if found is None:
                return b"".join((*parts, content[end:], _END)) if components else None
            parts.append(content[end : found.start()])
            place = found.start()
    return None
