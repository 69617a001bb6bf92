"""The prompt: one piece of code renders it for training, evaluation and classification."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Any

from idp_finetuning.errors import InvalidInput
from idp_finetuning.wire import WireModel

CLASSES_PLACEHOLDER = "{CLASS_NAMES_AND_DESCRIPTIONS}"
IMAGE_PLACEHOLDER = "{DOCUMENT_IMAGE}"

# Nova training fails where one of these stands in a text block, in any case and inside longer words
# [docs:nova/fine-tune-prepare-data-understanding; AWS's Nova validators add the last two].
RESERVED_WORDS = (
    "system:",
    "user:",
    "bot:",
    "assistant:",
    "[eos]",
    "<image>",
    "<video>",
    "thought:",
    "<unk>",
)

SYSTEM_PROMPT = """\
You classify pages of business documents. You are shown one page as an image. You name the document class the page \
belongs to, and you say whether the page starts a document or continues the document of the page before it. \
You answer with one JSON object and nothing else."""

TASK_PROMPT = """\
The document classes, one a line, with a description in brackets where there is one:
<document-classes>
{CLASS_NAMES_AND_DESCRIPTIONS}
</document-classes>

The page:
{DOCUMENT_IMAGE}

Answer with a JSON object of two members:
"class": the name of exactly one class of the list above, spelled as it stands there;
"document_boundary": "start" if this page is the first page of a document, "continue" if it is a further page."""


class Boundary(StrEnum):
    """Whether a page starts a document or continues one."""

    START = "start"
    CONTINUE = "continue"


class DocumentClass(WireModel):
    """A class with the description the prompt shows for it (may be empty)."""

    name: str
    description: str = ""


class PageLabel(WireModel):
    """What a model should say about a page."""

    class_name: str
    boundary: Boundary

    def to_answer(self) -> str:
        """The target text of a training record, and the form of a model's answer."""
        return json.dumps({"class": self.class_name, "document_boundary": self.boundary}, ensure_ascii=False)


class Prompt(WireModel):
    """System prompt, task prompt and classes: the snapshot that a job trains with."""

    system_prompt: str = SYSTEM_PROMPT
    task_prompt: str = TASK_PROMPT
    classes: tuple[DocumentClass, ...]

    def texts(self) -> tuple[str, str, str]:
        """System text, text before the image and text after it, as the accelerator sends them at inference."""
        listed = "\n".join(f"{item.name}  \t[ {item.description} ]" for item in self.classes)
        before, _, after = self.task_prompt.partition(IMAGE_PLACEHOLDER)
        return (
            self.system_prompt,
            before.replace(CLASSES_PLACEHOLDER, listed),
            after.replace(CLASSES_PLACEHOLDER, listed),
        )

    def render(self, image: dict[str, Any]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """System blocks and the user's content blocks around an image block.

        `image` is the value of Bedrock's `image` member: `{"format": "jpeg", "source": {...}}`, with an
        `s3Location` source in training records and `bytes` in Converse.
        """
        system, before, after = self.texts()
        content: list[dict[str, Any]] = [{"text": before}, {"image": image}, {"text": after}]
        return [{"text": system}], [block for block in content if "image" in block or block["text"].strip()]

    def converse_request(self, model_id: str, page: bytes) -> dict[str, Any]:
        """Arguments of bedrock-runtime Converse for one page.

        `page` is a JPEG of at most 3.75 MB; `model_id` a deployment's ARN or a base model's id. The answer
        is held to a class name's length, because Bedrock reserves `maxTokens` against the quota.
        """
        system, content = self.render({"format": "jpeg", "source": {"bytes": page}})
        return {
            "modelId": model_id,
            "system": system,
            "messages": [{"role": "user", "content": content}],
            "inferenceConfig": {"temperature": 0, "maxTokens": 200},
            "additionalModelRequestFields": {"inferenceConfig": {"topK": 1}},
        }

    def read_answer(self, text: str) -> PageLabel | None:
        """The label in a model's answer; None where it is not the JSON asked for or names no class of the list."""
        start, end = text.find("{"), text.rfind("}")
        try:
            answer = json.loads(text[start : end + 1])
            label = PageLabel(class_name=answer["class"], boundary=answer["document_boundary"])
        except (ValueError, KeyError, TypeError):
            return None
        return label if label.class_name in {item.name for item in self.classes} else None

    def checked(self) -> Prompt:
        """Itself, or InvalidInput where Bedrock would refuse records made with it."""
        if IMAGE_PLACEHOLDER not in self.task_prompt or CLASSES_PLACEHOLDER not in self.task_prompt:
            raise InvalidInput(f"The task prompt needs {IMAGE_PLACEHOLDER} and {CLASSES_PLACEHOLDER}.")
        for text in self.texts():
            if found := reserved_word(text):
                raise InvalidInput(
                    f"The prompt contains '{found}', which Nova training reserves. Remove it from the prompt, "
                    "class names and descriptions."
                )
        return self


def reserved_word(text: str) -> str | None:
    """The first word reserved by Nova training in a text (case-insensitive substring), or None."""
    lowered = text.casefold()
    return next((word for word in RESERVED_WORDS if word in lowered), None)
