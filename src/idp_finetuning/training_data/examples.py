"""Training records: one for each page, in the format of inference with AWS's IDP accelerator."""

from __future__ import annotations

import json
from collections.abc import Sequence

from idp_finetuning.errors import DocumentRejected
from idp_finetuning.nova.prompt import Boundary, PageLabel, Prompt, reserved_word
from idp_finetuning.test_sets.sections import Section
from idp_finetuning.test_sets.split import Split
from idp_finetuning.wire import WireModel

SCHEMA_VERSION = "bedrock-conversation-2024"
# More than Nova needs for any page image within the limits of adapters/drawing/limits.py; AWS publishes no upper bound.
IMAGE_TOKENS = 5_000


class ManifestDocument(WireModel):
    """A document as the workflow passes it to a child of the Map: its key, its labels and its side of the split.

    `etag` and, for prompts with the text of pages, `text_etags` by page say which files were there when the test set
    was validated; the latter are only beginnings of ETags.
    """

    document_id: str
    key: str
    etag: str | None = None
    split: Split
    sections: tuple[Section, ...]
    text_etags: tuple[str, ...] = ()


def page_labels(sections: Sequence[Section], page_count: int) -> list[PageLabel]:
    """Return the label of each page: the class of its section; `start` on the section's first page.

    Raises DocumentRejected if the sections do not match the pages of the document.
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
            f"The labels have {max(labels) + 1} pages, the document has {page_count}. Correct the sections.",
        )
    return [labels[index] for index in range(page_count)]


def training_record(
    prompt: Prompt, image_s3_uri: str, label: PageLabel, page_text: str = "", *, bucket_owner: str | None = None
) -> bytes:
    """Return one line of JSONL, newline included; `bucket_owner` is the account that has the image's bucket.

    Format: https://docs.aws.amazon.com/nova/latest/userguide/fine-tune-prepare-data-understanding.html
    """
    location = {"uri": image_s3_uri} | ({"bucketOwner": bucket_owner} if bucket_owner else {})
    system, content = prompt.render({"format": "jpeg", "source": {"s3Location": location}}, page_text)
    record = {
        "schemaVersion": SCHEMA_VERSION,
        "system": system,
        "messages": [
            {"role": "user", "content": content},
            {"role": "assistant", "content": [{"text": label.to_answer()}]},
        ],
    }
    return json.dumps(record, ensure_ascii=False).encode() + b"\n"


def bound_tokens(prompt: Prompt, page_text: str = "") -> int:
    """Return an upper bound of a record's tokens: no token is shorter than a byte of UTF-8."""
    longest = max(len(item.name.encode()) for item in prompt.classes)
    return sum(len(text.encode()) for text in prompt.texts(page_text)) + longest + 100 + IMAGE_TOKENS


def require_trainable(prompt: Prompt, page_text: str, *, page: int, maximum_tokens: int) -> None:
    """Raise DocumentRejected if Nova would refuse a record with this page's text; `page` counts from 1."""
    for text in prompt.texts(page_text):
        if found := reserved_word(text):
            raise DocumentRejected(
                "reserved_word",
                f"The text of page {page} contains '{found}', which Nova training reserves. Correct the text.",
            )
    if bound_tokens(prompt, page_text) > maximum_tokens:
        raise DocumentRejected(
            "text_too_long",
            f"With the text of page {page}, a training record may have more than the {maximum_tokens} tokens the model "
            "takes. Shorten the text or the prompt.",
        )
