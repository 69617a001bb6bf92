"""The held-out pages of a job with the truth about them, to ask models about."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, ConfigDict, TypeAdapter

from idp_finetuning.jobs.layout import JobLayout
from idp_finetuning.nova.prompt import PageLabel, Prompt
from idp_finetuning.test_sets.split import Split
from idp_finetuning.training_data.examples import ManifestDocument
from idp_finetuning.training_data.page_notes import split_notes
from idp_local.demo.failure import DemoFailed

_MANIFEST = TypeAdapter(tuple[ManifestDocument, ...])


class LabelledPage(BaseModel):
    """A page as JPEG with the truth about it; numbers start at 1."""

    model_config = ConfigDict(frozen=True)

    path: str
    number: int
    jpeg: bytes
    truth: PageLabel


class JobData:
    """The data of a job in the data bucket; `s3` is a boto3 S3 client."""

    def __init__(self, s3: Any, bucket: str, job_id: str) -> None:
        self._s3 = s3
        self._bucket = bucket
        self._layout = JobLayout(job_id=job_id)

    def prompt(self) -> Prompt:
        """Read the prompt the job trained with."""
        return Prompt.model_validate_json(self._read(self._layout.prompt))

    def held_out_pages(self) -> tuple[LabelledPage, ...]:
        """Read the pages of the held-out documents that were accepted, with the answers their records expect."""
        prompt = self.prompt()
        manifest = _MANIFEST.validate_json(self._read(self._layout.manifest))
        accepted = set(self._list_keys(self._layout.examples(Split.VALIDATION)))
        return tuple(
            page
            for document in manifest
            if self._layout.example(Split.VALIDATION, document.document_id) in accepted
            for page in self._read_pages(document, prompt)
        )

    def _read_pages(self, document: ManifestDocument, prompt: Prompt) -> Iterator[LabelledPage]:
        _, records = split_notes(self._read(self._layout.example(Split.VALIDATION, document.document_id)))
        lines = records.splitlines()
        for number, line in enumerate(lines, start=1):
            question, answer = json.loads(line)["messages"]
            uri = next(block["image"] for block in question["content"] if "image" in block)["source"]["s3Location"][
                "uri"
            ]
            truth = prompt.read_answer(answer["content"][0]["text"])
            if truth is None:
                raise DemoFailed(f"The record of page {number} of '{document.key}' has no answer of its prompt.")
            yield LabelledPage(
                path=document.key.split("/input/", 1)[-1],
                number=number,
                jpeg=self._read(uri.removeprefix(f"s3://{self._bucket}/")),
                truth=truth,
            )

    def _list_keys(self, prefix: str) -> Iterator[str]:
        for listed in self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix):
            yield from (item["Key"] for item in listed.get("Contents", ()))

    def _read(self, key: str) -> bytes:
        content: bytes = self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        return content
