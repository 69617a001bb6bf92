"""Converse: a deployed custom model classifies the page image, a base model draws a class by the image's hash."""

from __future__ import annotations

import hashlib
import math
import re
import time
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from idp_local.bedrock.account import Account
from idp_local.bedrock.dataset import CHARACTERS_PER_TOKEN
from idp_local.bedrock.errors import BedrockError, invalid, not_found
from idp_local.bedrock.foundation_models import INFERENCE_PROFILES, ON_DEMAND_IDS
from idp_local.bedrock.images import read_header
from idp_local.bedrock.s3 import S3_ERRORS, parse_uri, read
from idp_local.bedrock.trainer import Answer, PageClassifier, classes_in

# Limits of a message (botocore bedrock-runtime, Message.content).
MAXIMUM_IMAGES = 20
MAXIMUM_IMAGE_BYTES = int(3.75 * 1024 * 1024)
MAXIMUM_SIDE = 8_000

NO_PAGE = "There is no page image to classify."
NO_CLASSES = "There is no class list to choose from."

# Request members whose effect the stand-in does not have.
_NOT_TAKEN = ("toolConfig", "guardrailConfig", "promptVariables", "outputConfig")
# Nova 2 counts every image alike (Nova 2 guide, "using-multimodal-models"); for the others it is near enough.
_TOKENS_PER_IMAGE = 230
_PROFILE_ARN = re.compile(r"arn:aws:bedrock:[a-z0-9-]+:[0-9]{12}:inference-profile/(.+)")
_MODEL_ARN = re.compile(r"arn:aws:bedrock:[a-z0-9-]+::foundation-model/(.+)")


class Converse:
    """Inference with the models and deployments of one account."""

    def __init__(self, account: Account, s3: Any) -> None:
        self._account = account
        self._s3 = s3

    def converse(self, request: dict[str, Any]) -> dict[str, Any]:
        """Converse; the page to classify is the last image."""
        began = time.monotonic()
        model = self._find_classifier(request["modelId"])
        for member in _NOT_TAKEN:
            if member in request:
                raise invalid(f"The local stand-in does not take {member}.")
        messages = request.get("messages", [])
        _check_roles(messages)
        texts = [_text(block, "system") for block in request.get("system", [])]
        images: list[bytes] = []
        for number, message in enumerate(messages):
            for index, block in enumerate(message["content"]):
                if "text" in block:
                    texts.append(_text(block, f"messages.{number}.content.{index}"))
                elif "image" in block and message["role"] == "user":
                    images.append(self._read_image(block["image"]))
                else:
                    raise invalid(f"messages.{number}.content.{index}: only text, and images of a user, are taken.")
            if sum("image" in block for block in message["content"]) > MAXIMUM_IMAGES:
                raise invalid(f"A message can hold {MAXIMUM_IMAGES} images.")
        answer = _classify(model, images[-1], texts) if images else NO_PAGE
        return _response(answer, texts, len(images), request.get("inferenceConfig", {}), began)

    def _find_classifier(self, model_id: str) -> PageClassifier | None:
        """Return the classifier of a deployment; None for a base model."""
        with self._account.lock:
            deployment = self._account.deployments.get(model_id)
            if deployment is not None:
                if deployment.status != "Active":
                    raise BedrockError("ModelNotReadyException", f"The deployment {model_id} is {deployment.status}.")
                return self._account.models[deployment.model_arn].classifier
        if ":custom-model-deployment/" in model_id:
            raise not_found("custom model deployment", model_id)
        named = _PROFILE_ARN.fullmatch(model_id) or _MODEL_ARN.fullmatch(model_id)
        name = named[1] if named else model_id
        if name in INFERENCE_PROFILES or name in ON_DEMAND_IDS:
            return None
        if f"us.{name}" in INFERENCE_PROFILES:
            raise invalid(
                f"Invocation of model ID {name} with on-demand throughput isn't supported. Retry your request with the "
                "ID or ARN of an inference profile that contains this model."
            )
        raise invalid("The provided model identifier is invalid.")

    def _read_image(self, image: Mapping[str, Any]) -> bytes:
        source = image["source"]
        content: bytes
        if "bytes" in source:
            content = source["bytes"]
        else:
            try:
                content = read(self._s3, parse_uri(source["s3Location"]["uri"]))
            except S3_ERRORS as error:
                raise invalid("The image's s3Location could not be read.") from error
        check_image(image["format"], content)
        return content


def check_image(image_format: str, content: bytes) -> None:
    """Refuse an image that is too large for Converse or not of the format it is declared with."""
    if len(content) > MAXIMUM_IMAGE_BYTES:
        raise invalid("An image exceeds the maximum size of 3.75 MB.")
    header = read_header(content)
    if header is None or header.format != image_format:
        raise invalid(f"An image is not of the format it was declared with, {image_format}.")
    if max(header.width, header.height) > MAXIMUM_SIDE:
        raise invalid(f"An image exceeds the maximum of {MAXIMUM_SIDE} pixels a side.")


def draw_answer(image: bytes, texts: Sequence[str]) -> str:
    """Return a base model's answer: a class of the list and a boundary, drawn by the hash of the image alone."""
    names = classes_in(texts)
    if not names:
        return NO_CLASSES
    digest = int.from_bytes(hashlib.sha256(image).digest())
    choice, boundary = divmod(digest, 2)
    return Answer(names[choice % len(names)], ("start", "continue")[boundary]).text()


def _classify(model: PageClassifier | None, image: bytes, texts: Sequence[str]) -> str:
    if model is None:
        return draw_answer(image, texts)
    try:
        return model.answer(image).text()
    except (OSError, ValueError, SyntaxError) as error:
        raise invalid("The image is damaged.") from error


def _check_roles(messages: Sequence[Mapping[str, Any]]) -> None:
    roles = [message["role"] for message in messages]
    if not roles or any(role != ("user", "assistant")[number % 2] for number, role in enumerate(roles)):
        raise invalid("A conversation must start with a user message and alternate between user and assistant.")
    if roles[-1] != "user":
        raise invalid("A conversation must end with a user message.")
    if not all(message["content"] for message in messages):
        raise invalid("The content of a message must not be empty.")


def _text(block: Mapping[str, Any], path: str) -> str:
    text = block.get("text")
    if text is None:
        raise invalid(f"{path}: only text is taken.")
    if not text.strip():
        raise invalid(f"The text field in {path} is blank. Add text to the text field, and try again.")
    return str(text)


def _response(
    answer: str, texts: Sequence[str], images: int, settings: Mapping[str, Any], began: float
) -> dict[str, Any]:
    most = settings.get("maxTokens")
    stop_reason: Literal["end_turn", "max_tokens"] = "end_turn"
    if most is not None and len(answer) > most * CHARACTERS_PER_TOKEN:
        answer, stop_reason = answer[: most * CHARACTERS_PER_TOKEN], "max_tokens"
    inputs = sum(_tokens(text) for text in texts) + images * _TOKENS_PER_IMAGE
    return {
        "output": {"message": {"role": "assistant", "content": [{"text": answer}]}},
        "stopReason": stop_reason,
        "usage": {"inputTokens": inputs, "outputTokens": _tokens(answer), "totalTokens": inputs + _tokens(answer)},
        "metrics": {"latencyMs": int((time.monotonic() - began) * 1000)},
    }


def _tokens(text: str) -> int:
    return math.ceil(len(text) / CHARACTERS_PER_TOKEN)
