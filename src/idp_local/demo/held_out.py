"""The held-out documents of a job with their labels, to ask models about."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, ConfigDict, TypeAdapter

from idp_finetuning.jobs.layout import JobLayout
from idp_finetuning.nova.prompt import Prompt
from idp_finetuning.test_sets.sections import Section
from idp_finetuning.test_sets.split import Split
from idp_finetuning.training_data.examples import ManifestDocument
from idp_finetuning.training_data.page_notes import split_notes

_MANIFEST = TypeAdapter(tuple[ManifestDocument, ...])


class HeldOutDocument(BaseModel):
    """A document with its labels and its pages as JPEGs, in order; identical files have the same group."""

    model_config = ConfigDict(frozen=True)

    path: str
    group: str
    sections: tuple[Section, ...]
    images: tuple[bytes, ...]


class JobData:
    """The data of a job in the data bucket; `s3` is a boto3 S3 client."""

    def __init__(self, s3: Any, bucket: str, job_id: str) -> None:
        self._s3 = s3
        self._bucket = bucket
        self._layout = JobLayout(job_id=job_id)

    def prompt(self) -> Prompt:
        """Read the prompt the job trained with."""
        return Prompt.model_validate_json(self._read(self._layout.prompt))

    def held_out_documents(self) -> tuple[HeldOutDocument, ...]:
        """Read the held-out documents that were accepted."""
        manifest = _MANIFEST.validate_json(self._read(self._layout.manifest))
        accepted = set(self._list_keys(self._layout.examples(Split.VALIDATION)))
        return tuple(
            HeldOutDocument(
                path=document.key.split("/input/", 1)[-1],
                group=document.etag or document.document_id,
                sections=document.sections,
                images=tuple(self._read_images(document)),
            )
            for document in manifest
            if self._layout.example(Split.VALIDATION, document.document_id) in accepted
        )

    def _read_images(self, document: ManifestDocument) -> Iterator[bytes]:
        _, records = split_notes(self._read(self._layout.example(Split.VALIDATION, document.document_id)))
        for line in records.splitlines():
            question, _ = json.loads(line)["messages"]
            image = next(block["image"] for block in question["content"] if "image" in block)
            uri: str = image["source"]["s3Location"]["uri"]
            yield self._read(uri.removeprefix(f"s3://{self._bucket}/"))

    def _list_keys(self, prefix: str) -> Iterator[str]:
        for listed in self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix):
            yield from (item["Key"] for item in listed.get("Contents", ()))

    def _read(self, key: str) -> bytes:
        content: bytes = self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        return content
