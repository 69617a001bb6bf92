"""The objects of a PDF as they stand in the file, read only if PDFium is not enough to name a page."""

from __future__ import annotations

import re
import zlib
from collections.abc import Collection, Iterator

_OBJECT = re.compile(rb"(?<![\d.])(\d{1,10})\s+(\d{1,5})\s+obj\b")
_STREAM = re.compile(rb"stream\r?\n")
_TOKEN = re.compile(
    rb"\s*(?:%[^\r\n]*\s*)*(<<|>>|\[|\]|\((?:[^()\\]|\\.|\((?:[^()\\]|\\.)*\))*\)|<[0-9A-Fa-f\s]*>"
    rb"|/[^\s<>\[\]()/%]*|\d+\s+\d+\s+R\b|[^\s<>\[\]()/%]+)",
    re.DOTALL,
)
_MOST_OBJECTS = 200_000
_MOST_DEPTH = 60


class Reference(int):
    """The number of an object."""


Value = dict[str, "Value"] | list["Value"] | Reference | str


class PdfObjects:
    """Objects by number; of several with one number the last counts, as after an update."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._places = {int(match[1]): match.end() for match in _OBJECT.finditer(content)}
        self._packed: dict[int, bytes] = {}
        self._streams: dict[int, int] = {}
        self._values: dict[int, Value] = {}
        self._unpack()

    def catalog(self) -> dict[str, Value]:
        """Return the document's catalog, empty if there is none."""
        roots = re.findall(rb"/Root\s+(\d+)\s+\d+\s+R", self._content)
        for number in reversed(roots):
            found = self._dictionary(Reference(number))
            if found:
                return found
        return {}

    def pages_with_streams(self, starts: Collection[int]) -> frozenset[int]:
        """Return the indices of the pages whose contents or forms have data that begins at one of these places."""
        wanted = set(starts)
        return frozenset(
            index
            for index, page in enumerate(self._pages(self.catalog().get("Pages", ""), set()))
            if any(self._streams.get(number, -1) in wanted for number in self._drawn_streams(page))
        )

    def pages_without_contents(self) -> frozenset[int]:
        """Return the indices of the pages whose contents refer to an object that is not in the file."""
        return frozenset(
            index
            for index, page in enumerate(self._pages(self.catalog().get("Pages", ""), set()))
            if any(self._is_dangling(item) for item in self._content_references(page))
        )

    def stream_with_data(self, data: bytes) -> dict[str, Value]:
        """Return the dictionary of the stream with this data, with its direct members resolved; empty if none has."""
        start = self._content.find(data) if data else -1
        before = [(place, number) for number, place in self._places.items() if place < start]
        if not before:
            return {}
        number = Reference(max(before)[1])
        found = self._dictionary(number)
        if self._streams.get(number) != start:
            return {}
        return {name: self._resolve_members(value) for name, value in found.items()}

    def _resolve_members(self, value: Value) -> Value:
        found = self._resolve(value)
        if isinstance(found, dict):
            return {name: self._resolve(item) for name, item in found.items()}
        if isinstance(found, list):
            return [self._resolve_members(item) for item in found]
        return found

    def _is_dangling(self, reference: Value) -> bool:
        return isinstance(reference, Reference) and reference not in self._places and reference not in self._packed

    def _content_references(self, page: dict[str, Value]) -> list[Value]:
        contents = page.get("Contents", "")
        held = self._resolve(contents)
        return held if isinstance(held, list) else [contents]

    def _pages(self, node: Value, seen: set[int], resources: Value = "") -> Iterator[dict[str, Value]]:
        if isinstance(node, Reference):
            if node in seen:
                return
            seen.add(node)
        found = self._dictionary(node)
        resources = found.get("Resources", resources)
        kids = self._resolve(found.get("Kids", ""))
        if isinstance(kids, list):
            for kid in kids:
                yield from self._pages(kid, seen, resources)
        elif found:
            yield {"Resources": resources, **found}

    def _drawn_streams(self, page: dict[str, Value]) -> Iterator[int]:
        """Yield the numbers of the page's contents, and of the forms and patterns in its resources."""
        for item in self._content_references(page):
            if isinstance(item, Reference):
                self._resolve(item)
                yield item
        seen: set[int] = set()
        waiting: list[Value] = [page.get("Resources", "")]
        while waiting:
            resources = self._dictionary(waiting.pop())
            for kind in ("XObject", "Pattern"):
                for item in self._dictionary(resources.get(kind, "")).values():
                    if isinstance(item, Reference) and item not in seen:
                        seen.add(item)
                        yield item
                        waiting.append(self._dictionary(item).get("Resources", ""))

    def _dictionary(self, value: Value) -> dict[str, Value]:
        found = self._resolve(value)
        return found if isinstance(found, dict) else {}

    def _resolve(self, value: Value) -> Value:
        for _ in range(10):
            if not isinstance(value, Reference):
                return value
            value = self._read(value)
        return ""

    def _read(self, number: int) -> Value:
        if number in self._values:
            return self._values[number]
        if number in self._places:
            value, end = _parse(self._content, self._places[number], 0)
            if isinstance(value, dict) and (data := _STREAM.match(self._content, _skip_space(self._content, end))):
                self._streams[number] = data.end()
        elif number in self._packed:
            value, _ = _parse(self._packed[number], 0, 0)
        else:
            value = ""
        self._values[number] = value
        return value

    def _unpack(self) -> None:
        """Take the objects out of object streams."""
        for number in list(self._places):
            start = self._places[number]
            if b"/ObjStm" not in self._content[start : start + 300]:
                continue
            found = self._read(number)
            if not isinstance(found, dict) or number not in self._streams:
                continue
            try:
                data = zlib.decompressobj().decompress(self._content[self._streams[number] :], 1 << 26)
                first = int(str(self._resolve(found.get("First", "0"))))
                numbers = [int(word) for word in data[:first].split()]
            except (zlib.error, ValueError):
                continue
            for inner, offset in list(zip(numbers[::2], numbers[1::2], strict=False))[:_MOST_OBJECTS]:
                self._packed[inner] = data[first + offset :][: 1 << 16]


def _skip_space(content: bytes, place: int) -> int:
    while place < len(content) and content[place] in b" \t\r\n\0\f":
        place += 1
    return place


def _parse(content: bytes, place: int, depth: int) -> tuple[Value, int]:
    """Return the value that begins at a place, and where it ends; strings and numbers as their own text."""
    match = _TOKEN.match(content, place)
    if match is None or depth > _MOST_DEPTH:
        return "", len(content)
    token, place = match[1], match.end()
    if token == b"<<":
        return _parse_dictionary(content, place, depth)
    if token == b"[":
        items: list[Value] = []
        while not (end := re.compile(rb"\s*\]").match(content, place)):
            if place >= len(content):
                return items, place
            item, place = _parse(content, place, depth + 1)
            items.append(item)
        return items, end.end()
    if token.endswith(b"R") and token[:1].isdigit() and b" " in b" ".join(token.split()):
        return Reference(token.split()[0]), place
    return token.decode("latin-1").removeprefix("/"), place


def _parse_dictionary(content: bytes, place: int, depth: int) -> tuple[Value, int]:
    found: dict[str, Value] = {}
    while True:
        match = _TOKEN.match(content, place)
        if match is None or match[1] == b">>" or not match[1].startswith(b"/"):
            return found, len(content) if match is None else match.end()
        value, place = _parse(content, match.end(), depth + 1)
        found[match[1][1:].decode("latin-1")] = value
