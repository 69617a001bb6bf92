"""Folders of files to upload."""

from __future__ import annotations

from pathlib import Path

TEXTS = frozenset({".txt", ".md", ".json", ".docx", ".db", ".ini"})


def content_of(path: str) -> bytes:
    """The content of a file of a tree: its own path, after a PDF's header unless its name is that of a text."""
    return path.encode() if Path(path).suffix in TEXTS else b"%PDF-1.7 " + path.encode()


def tree(root: Path, *paths: str) -> Path:
    """Write files below the root, each holding its own path."""
    for path in paths:
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content_of(path))
    return root
