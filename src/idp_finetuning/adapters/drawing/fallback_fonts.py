"""The fonts PDFium gets for text whose own font is not embedded: ours, never the machine's.

PDFium has faces of its own for the fourteen standard fonts and for whatever looks like them, Latin letters only. It
asks the system for Chinese, Japanese and Korean by character set, and for "Helvetica" once more if a font it draws with
lacks a letter. Both are answered here (fpdf_sysfontinfo.h, FPDF_SYSFONTINFO).
"""

from __future__ import annotations

import ctypes
import mmap
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pypdfium2.raw as raw

_FOLDER = Path(__file__).parent / "fonts"
_EAST_ASIAN, _OTHER = 1, 2  # handles; null is "no such font"
_FILES = {_EAST_ASIAN: "DroidSansFallback.ttf", _OTHER: "DejaVuSans.ttf"}
_EAST_ASIAN_CHARSETS = {128, 129, 130, 134, 136}  # Shift JIS, Hangul, Johab, GB 2312, Big 5
_LATIN_CHARSETS = {0, 1, 2}  # ANSI, default and symbol: PDFium's own faces
_STANDARD = ("Helvetica", "Times", "Courier", "Symbol", "ZapfDingbats", "Arial")


class FallbackFonts:
    """PDFium's system fonts; `asked` counts requests, but for those that Latin text in standard fonts makes."""

    def __init__(self) -> None:
        self.asked = 0
        self._drawing = False
        self._files = {handle: _map_file(_FOLDER / name) for handle, name in _FILES.items()}
        self._tables = {handle: dict(_read_tables(file)) for handle, file in self._files.items()}
        self._info = raw.FPDF_SYSFONTINFO(version=1)
        types = dict(raw.FPDF_SYSFONTINFO._fields_)
        self._callbacks = {
            "Release": types["Release"](lambda _: None),
            "EnumFonts": types["EnumFonts"](lambda _, __: None),
            "MapFont": types["MapFont"](self._map_font),
            "GetFont": types["GetFont"](lambda _, __: None),
            "GetFontData": types["GetFontData"](self._font_data),
            "GetFaceName": types["GetFaceName"](self._face_name),
            "GetFontCharset": types["GetFontCharset"](lambda _, __: 1),
            "DeleteFont": types["DeleteFont"](lambda _, __: None),
        }
        for name, callback in self._callbacks.items():
            setattr(self._info, name, callback)
        raw.FPDF_SetSystemFontInfo(ctypes.byref(self._info))

    @contextmanager
    def for_lacking_letters(self) -> Iterator[None]:
        """Answer requests for standard fonts too: while a page is drawn, they are for letters its own fonts lack."""
        self._drawing = True
        try:
            yield
        finally:
            self._drawing = False

    def _map_font(self, _: Any, __: int, ___: int, charset: int, ____: int, face: Any, _____: Any) -> int | None:
        if charset in _EAST_ASIAN_CHARSETS:
            self.asked += 1
            return _EAST_ASIAN
        if charset not in _LATIN_CHARSETS or self._drawing:
            self.asked += 1
            return _OTHER
        name = ctypes.string_at(face).decode("latin-1") if face else ""
        if not name.startswith(_STANDARD):
            self.asked += 1
        return None

    def _font_data(self, _: Any, handle: int, table: int, buffer: Any, size: int) -> int:
        file = self._files[handle]
        start, length = self._tables[handle].get(table, (0, 0)) if table else (0, len(file))
        if buffer and size >= length:
            ctypes.memmove(buffer, file[start : start + length], length)
        return length

    def _face_name(self, _: Any, handle: int, buffer: Any, size: int) -> int:
        name = Path(_FILES[handle]).stem.encode() + b"\0"
        if buffer and size >= len(name):
            ctypes.memmove(buffer, name, len(name))
        return len(name)


def _map_file(path: Path) -> mmap.mmap:
    with path.open("rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def _read_tables(font: mmap.mmap) -> Iterator[tuple[int, tuple[int, int]]]:
    """Yield tag, offset and length of each table of a TrueType font."""
    (count,) = struct.unpack_from(">H", font, 4)
    for number in range(count):
        tag, _, offset, length = struct.unpack_from(">IIII", font, 12 + 16 * number)
        yield tag, (offset, length)
