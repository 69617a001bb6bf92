"""Training records: one a page, in the format of the accelerator's inference."""

from __future__ import annotations

import json
from collections.abc import Sequence

from idp_finetuning.errors import DocumentRejected
from idp_finetuning.nova.prompt import Boundary, PageLabel, Prompt, reserved_word
from idp_finetuning.test_sets.labels import Section
from idp_finetuning.test_sets.split import Split
from idp_finetuning.wire import WireModel

SCHEMA_VERSION = "bedrock-conversation-2024"
# More than Nova spends on any page image within our limits; AWS publishes no upper bound [facts §3.2].
IMAGE_TOKENS = 5_000


class ManifestDocument(WireModel):
    """A document as the workflow hands it to its child: where it lies, its labels and its side of the split."""

    document_id: str
    key: str
    split: Split
    sections: tuple[Section, ...]


def page_labels(sections: Sequence[Section], page_count: int) -> list[PageLabel]:
    """The label of each page: class of the section that lists it; `start` on the section's first page.

    Raises DocumentRejected where the sections do not match the pages the document really has.
    """
    labels: dict[int, PageLabel] = {}
    for section in sections:
        indices = range(page_count) if section.page_indices is None else section.page_indices
        first = min(indices)
        for index in indices:
            boundary = Boundary.START if index == first else Boundary.CONTINUE
            labels[index] = PageLabel(class_name=section.class_name, boundary=boundary)
    if labels.keys() != set(range(page_count)):
        raise DocumentRejected(
            "label_mismatch",
            f"The labels tell of {max(labels) + 1} pages, the document has {page_count}. Correct the sections.",
        )
    return [labels[index] for index in range(page_count)]


def training_record(prompt: Prompt, image_s3_uri: str, label: PageLabel, page_text: str = "") -> bytes:
    """One line of JSONL, newline included [docs:nova/fine-tune-prepare-data-understanding]."""
    system, content = prompt.render({"format": "jpeg", "source": {"s3Location": {"uri": image_s3_uri}}}, page_text)
    record = {
        "schemaVersion": SCHEMA_VERSION,
        "system": system,
        "messages": [
            {"role": "user", "content": content},
            {"role": "assistant", "content": [{"text": label.to_answer()}]},
        ],
    }
    return json.dumps(record, ensure_ascii=False).encode() + b"\n"


def tokens_at_most(prompt: Prompt, page_text: str = "") -> int:
    """An upper bound of a record's tokens: no token is shorter than a byte of UTF-8."""
    longest = max(len(item.name.encode()) for item in prompt.classes)
    return sum(len(text.encode()) for text in prompt.texts(page_text)) + longest + 100 + IMAGE_TOKENS


def require_trainable(prompt: Prompt, page_text: str, *, page: int, maximum_tokens: int) -> None:
    """Raises DocumentRejected where Nova would refuse a record with this page's text; `page` counts from 1."""
    for text in prompt.texts(page_text):
        if found := reserved_word(text):
            raise DocumentRejected(
                "reserved_word",
                f"The text of page {page} contains '{found}', which Nova training reserves. Correct the text.",
            )
    if tokens_at_most(prompt, page_text) > maximum_tokens:
        raise DocumentRejected(
            "text_too_long",
            f"With the text of page {page}, a training record may have more than the {maximum_tokens} tokens the model "
            "takes. Shorten the text or the prompt.",
        )
