"""Labelled documents before they are uploaded, and the accelerator's baseline files that carry their labels."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict


class LabelledSection(BaseModel):
    """A document within a file: its class and its 0-based pages (None: all pages, their number being unknown)."""

    model_config = ConfigDict(frozen=True)

    class_name: str
    page_indices: tuple[int, ...] | None


class LabelledDocument(BaseModel):
    """A file with its sections; `path` is the path below `input/`, the content lies in memory or in a file."""

    model_config = ConfigDict(frozen=True)

    path: str
    content: bytes | Path
    sections: tuple[LabelledSection, ...]

    def read(self) -> bytes:
        """The file's bytes."""
        return self.content if isinstance(self.content, bytes) else self.content.read_bytes()

    @property
    def page_count(self) -> int | None:
        """Pages as the sections tell them; None where they do not."""
        if any(section.page_indices is None for section in self.sections):
            return None
        return sum(len(section.page_indices or ()) for section in self.sections)

    def baselines(self) -> Iterator[tuple[str, bytes]]:
        """Key below the test set and content of each section's `result.json`, sections numbered from 1."""
        for number, section in enumerate(self.sections, start=1):
            result: dict[str, object] = {"document_class": {"type": section.class_name}, "inference_result": {}}
            if section.page_indices is not None:
                result["split_document"] = {"page_indices": list(section.page_indices)}
            key = f"baseline/{self.path}/sections/{number}/result.json"
            yield key, json.dumps(result, ensure_ascii=False).encode()


def shuffled(test_set: Sequence[LabelledDocument], seed: int) -> tuple[LabelledDocument, ...]:
    """The same files and sections with the classes dealt anew among all sections: labels that teach nothing.

    How often a class occurs does not change. Used to show that a score comes from the labels.
    """
    classes = [section.class_name for document in test_set for section in document.sections]
    random.Random(seed).shuffle(classes)  # noqa: S311 - a repeatable order, not a secret
    dealt = iter(classes)
    return tuple(
        document.model_copy(
            update={
                "sections": tuple(
                    section.model_copy(update={"class_name": next(dealt)}) for section in document.sections
                )
            }
        )
        for document in test_set
    )
