"""Folders of files to upload."""

from __future__ import annotations

from pathlib import Path


def tree(root: Path, *paths: str) -> Path:
    """Write files below the root, each holding its own path."""
    for path in paths:
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(path.encode())
    return root
