"""Labelled documents, and the accelerator's baseline files that carry their labels."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from idp_finetuning.wire import InputModel


class LocalFile(BaseModel):
    """A file to send: its key below the test set, its size in bytes, and where its content is."""

    model_config = ConfigDict(frozen=True)

    key: str
    size: int
    content: Path | bytes


class LabelledSection(InputModel):
    """A document within a file: its class and its 0-based pages (None: all pages of the file)."""

    class_name: str
    page_indices: tuple[int, ...] | None = None


class LabelledDocument(InputModel):
    """A file with its sections, several in a packet; `path` is its path in the test set.

    The content is in a file or in memory.
    """

    path: str
    content: Path | bytes
    sections: tuple[LabelledSection, ...]

    def read(self) -> bytes:
        """Return the file's bytes."""
        return self.content if isinstance(self.content, bytes) else self.content.read_bytes()

    @property
    def page_count(self) -> int | None:
        """Pages by the sections; None if a section does not name its pages."""
        if any(section.page_indices is None for section in self.sections):
            return None
        return sum(len(section.page_indices or ()) for section in self.sections)

    def baselines(self) -> Iterator[tuple[str, bytes]]:
        """Yield key below the test set and content of each section's `result.json`, sections numbered from 1."""
        for number, section in enumerate(self.sections, start=1):
            result: dict[str, object] = {"document_class": {"type": section.class_name}}
            if section.page_indices is not None:
                result["split_document"] = {"page_indices": section.page_indices}
            yield baseline_key(self.path, number), json.dumps(result, ensure_ascii=False).encode()

    def files(self) -> Iterator[LocalFile]:
        """Yield the document and its baselines. Raises OSError if its file cannot be read."""
        size = len(self.content) if isinstance(self.content, bytes) else self.content.stat().st_size
        yield LocalFile(key=f"input/{self.path}", size=size, content=self.content)
        for key, content in self.baselines():
            yield LocalFile(key=key, size=len(content), content=content)


def baseline_key(path: str, section: int = 1) -> str:
    """Return the key of a section's labels; `path` is the document's, sections are numbered from 1."""
    return f"baseline/{path}/sections/{section}/result.json"
