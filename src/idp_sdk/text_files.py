"""Text of files that people made, with the byte order marks that Notepad and PowerShell put there."""

from __future__ import annotations

import codecs


def decode_text(content: bytes) -> str:
    """Return the text without its byte order mark: UTF-8, or UTF-16 with a mark. Raises UnicodeDecodeError."""
    marked = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return content.decode("utf-16" if marked else "utf-8-sig").replace("\r\n", "\n")
