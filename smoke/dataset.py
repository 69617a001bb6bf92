"""The data sets of a run: pages of invented documents, and training records as the product writes them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

from idp_finetuning.adapters.pages import open_document
from idp_finetuning.nova.prompt import DocumentClass, PageLabel, Prompt
from idp_finetuning.test_sets.sections import Section
from idp_finetuning.training_data.examples import page_labels, training_record
from idp_sdk import LabelledDocument


class Page(NamedTuple):
    """A page image and its label."""

    jpeg: bytes
    label: PageLabel


class Dataset:
    """The first pages of the documents, uploaded once; `prompt` is the built-in one with their classes."""

    def __init__(self, documents: Sequence[LabelledDocument], count: int) -> None:
        self.pages = tuple(islice(_pages(documents), count))
        names = dict.fromkeys(page.label.class_name for page in self.pages)
        self.prompt = Prompt(classes=tuple(DocumentClass(name=name) for name in names))

    def upload(self, s3: Any, bucket: str, prefix: str) -> str:
        """Write images and records; return the URI of the records."""
        lines = []
        for number, page in enumerate(self.pages):
            key = f"{prefix}pages/{number}.jpeg"
            s3.put_object(Bucket=bucket, Key=key, Body=page.jpeg, ContentType="image/jpeg")
            lines.append(training_record(self.prompt, f"s3://{bucket}/{key}", page.label))
        s3.put_object(Bucket=bucket, Key=f"{prefix}train.jsonl", Body=b"".join(lines))
        return f"s3://{bucket}/{prefix}train.jsonl"


def _pages(documents: Sequence[LabelledDocument]) -> Iterator[Page]:
    for document in documents:
        sections = tuple(
            Section(class_name=section.class_name, page_indices=section.page_indices) for section in document.sections
        )
        with open_document(document.read()) as source:
            labels = page_labels(sections, source.page_count)
            for index, label in enumerate(labels):
                yield Page(source.jpeg(index), label)
