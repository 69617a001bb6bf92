"""The prompt a page is classified with, rendered by the same code for training, evaluation and classification."""

from __future__ import annotations

import json
import re
from enum import StrEnum
from typing import Any

from idp_finetuning.errors import InvalidInput
from idp_finetuning.text import find_alike
from idp_finetuning.wire import InputModel, WireModel

CLASSES_PLACEHOLDER = "{CLASS_NAMES_AND_DESCRIPTIONS}"
IMAGE_PLACEHOLDER = "{DOCUMENT_IMAGE}"
TEXT_PLACEHOLDER = "{DOCUMENT_TEXT}"
# More than an answer with the longest class name has.
ANSWER_TOKENS = 200
# Of a class name. Step Functions passes a document's labels in a payload of at most 256 KiB.
MAXIMUM_CLASS_NAME = 200
MAXIMUM_CLASS_NAME_BYTES = 400
_WORDS = re.compile(f"{re.escape(CLASSES_PLACEHOLDER)}|{re.escape(TEXT_PLACEHOLDER)}")

# Nova training fails if a text block contains one of these, in any case and inside longer words. Source:
# https://docs.aws.amazon.com/nova/latest/userguide/fine-tune-prepare-data-understanding.html; AWS's dataset
# validators in github.com/aws-samples/amazon-nova-samples add the last two.
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


class DocumentClass(InputModel):
    """A document class with the description the prompt shows for it (may be empty)."""

    name: str
    description: str = ""


class PageLabel(WireModel):
    """What a model should say about a page."""

    class_name: str
    boundary: Boundary

    def to_answer(self) -> str:
        """Return the target text of a training record, which is also the form of a model's answer."""
        return json.dumps({"class": self.class_name, "document_boundary": self.boundary}, ensure_ascii=False)


class ParsedAnswer(WireModel):
    """The usable parts of a model's answer: a class of the list, a boundary, or None for either."""

    class_name: str | None = None
    boundary: Boundary | None = None


class Prompt(WireModel):
    """System prompt, task prompt and classes; a job trains with a snapshot of one."""

    system_prompt: str = SYSTEM_PROMPT
    task_prompt: str = TASK_PROMPT
    classes: tuple[DocumentClass, ...]

    @property
    def needs_text(self) -> bool:
        """Whether the prompt contains the text of the page."""
        return TEXT_PLACEHOLDER in self.task_prompt

    def texts(self, page_text: str = "") -> tuple[str, str, str]:
        """Return the system text, the text before the image and the text after it.

        They are laid out as AWS's IDP accelerator sends them at inference. Placeholders are replaced in one pass: one
        in a page's text or in a description stays as it is.
        """
        words = {
            CLASSES_PLACEHOLDER: "\n".join(f"{item.name}  \t[ {item.description} ]" for item in self.classes),
            TEXT_PLACEHOLDER: page_text,
        }
        before, _, after = self.task_prompt.partition(IMAGE_PLACEHOLDER)
        before, after = (_WORDS.sub(lambda found: words[found[0]], part) for part in (before, after))
        return self.system_prompt, before, after

    def render(self, image: dict[str, Any], page_text: str = "") -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Return the system blocks and the user's content blocks around an image block.

        `image` is the value of Bedrock's `image` member: `{"format": "jpeg", "source": {...}}`, with an
        `s3Location` source in training records and `bytes` in Converse. `page_text` replaces {DOCUMENT_TEXT}.
        """
        system, before, after = self.texts(page_text)
        content: list[dict[str, Any]] = [{"text": before}, {"image": image}, {"text": after}]
        return [{"text": system}], [block for block in content if "image" in block or block["text"].strip()]

    def converse_request(
        self, model_id: str, page: bytes, page_text: str = "", *, temperature: float = 0
    ) -> dict[str, Any]:
        """Return the arguments of bedrock-runtime Converse for one page.

        `page` is a JPEG of at most 3.75 MB; `model_id` a deployment's ARN or a base model's id. The answer
        is limited to the length of a class name, because Bedrock reserves `maxTokens` against the quota. At temperature
        0 `topK` 1 takes the likeliest token; above 0 it would leave the temperature without effect.
        """
        system, content = self.render({"format": "jpeg", "source": {"bytes": page}}, page_text)
        greedy = {"additionalModelRequestFields": {"inferenceConfig": {"topK": 1}}}
        return {
            "modelId": model_id,
            "system": system,
            "messages": [{"role": "user", "content": content}],
            "inferenceConfig": {"temperature": temperature, "maxTokens": ANSWER_TOKENS},
            **({} if temperature else greedy),
        }

    def read_answer(self, text: str) -> PageLabel | None:
        """Return the label in a model's answer, or None if it is not the expected JSON or has no known class."""
        read = self.parse_answer(text)
        if read.class_name is None or read.boundary is None:
            return None
        return PageLabel(class_name=read.class_name, boundary=read.boundary)

    def parse_answer(self, text: str) -> ParsedAnswer:
        """Return the class and the boundary in a model's answer, each None if it is not usable.

        A class in another spelling counts if it is like one name only, see `text.normal_form`.
        """
        start, end = text.find("{"), text.rfind("}")
        try:
            answer = json.loads(text[start : end + 1])
        except (ValueError, RecursionError):  # the latter for thousands of nested brackets
            return ParsedAnswer()
        name, boundary = (answer.get("class"), answer.get("document_boundary")) if isinstance(answer, dict) else (0, 0)
        return ParsedAnswer(
            class_name=find_alike(name, [item.name for item in self.classes]),
            boundary=next((item for item in Boundary if item == find_alike(boundary, list(Boundary))), None),
        )

    def require_trainable(self) -> Prompt:
        """Return the prompt itself. Raises InvalidInput if Bedrock would refuse records made with it."""
        if IMAGE_PLACEHOLDER not in self.task_prompt or CLASSES_PLACEHOLDER not in self.task_prompt:
            raise InvalidInput(
                f"The task prompt needs {IMAGE_PLACEHOLDER} and {CLASSES_PLACEHOLDER}. Add what is missing."
            )
        if self.task_prompt.count(IMAGE_PLACEHOLDER) > 1:
            raise InvalidInput(f"The task prompt may contain {IMAGE_PLACEHOLDER} once: one page is shown at a time.")
        for text in self.texts():
            if found := reserved_word(text):
                raise InvalidInput(
                    f"The prompt contains '{found}', which Nova training reserves. Remove it from the prompt, "
                    "the class names and the descriptions."
                )
        return self


def reserved_word(text: str) -> str | None:
    """Return the first word reserved by Nova training in a text (case-insensitive substring), or None."""
    lowered = text.casefold()
    return next((word for word in RESERVED_WORDS if word in lowered), None)
