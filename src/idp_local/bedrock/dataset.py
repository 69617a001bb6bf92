"""The rules of a Nova fine-tuning data set, checked record by record as Bedrock does after submission.

Sources: docs nova/fine-tune-prepare-data-understanding and nova-2-sft-data-prep, and AWS's Nova validators
(nova-samples, forge-sdk); limits of one model are in `foundation_models`.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NoReturn

from pydantic import BaseModel, ConfigDict

from idp_local.bedrock.foundation_models import FineTunableModel
from idp_local.bedrock.images import inspect
from idp_local.bedrock.s3 import Location, parse_uri

SCHEMA_VERSION = "bedrock-conversation-2024"
MAXIMUM_IMAGES = 10
MAXIMUM_IMAGE_BYTES = 10 * 1024 * 1024
MINIMUM_SIDE = 25
MAXIMUM_TOKENS = 32_000
CHARACTERS_PER_TOKEN = 4

# The docs' list and what the validators add; a case-insensitive substring of any text block is enough.
RESERVED = ("System:", "User:", "Bot:", "Assistant:", "Thought:", "[EOS]", "<image>", "<video>", "<unk>")

# What AWS's validator lets stand in an S3 key of an image.
_KEY = re.compile(r"[A-Za-z0-9_\-/.]+")
_ACCOUNT = re.compile(r"[0-9]{12}")
_RECORD_MEMBERS = {"schemaVersion", "system", "messages"}
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"

# Content Nova takes no training on, or not together with page images, and why.
_OTHER_CONTENT = {
    "video": "video cannot be in a data set of images",
    "document": "documents are not supported; send page images",
    "toolUse": "tool use is not supported in fine-tuning data",
    "toolResult": "tool use is not supported in fine-tuning data",
    "reasoningContent": "reasoning is not supported in a data set of images",
}


class DataRefused(Exception):
    """The data set breaks a rule; the text names the line and the rule."""


class Record(BaseModel):
    """One checked record: its line (from 1), the images in order, and the last answer, which is what is learnt."""

    model_config = ConfigDict(frozen=True)

    line: int
    images: tuple[bytes, ...]
    answer: str


class _BrokenRule(Exception):
    """A rule that one record breaks; the line is added where it is known."""


Fetch = Callable[[Location], bytes | None]


def check(
    name: str, lines: Iterable[bytes], model: FineTunableModel, bucket: str, fetch: Fetch, *, validation: bool = False
) -> Iterator[Record]:
    """The records of a JSONL file, checked one after the other.

    `name` (the file's S3 URI) stands in every message, `bucket` is the one the file lies in, and `fetch` returns an
    image object's bytes or None where it cannot be read. A validation file has no minimum of its own. Raises
    DataRefused at the first broken rule; the count is checked at the end of the file, or as soon as it is too high.
    """
    count = 0
    for count, line in enumerate(lines, start=1):
        if count > model.maximum_records:
            raise DataRefused(f"{name} has more than {model.maximum_records:,} records, the most {model.name} takes.")
        try:
            yield _record(count, line, model, bucket, fetch)
        except _BrokenRule as rule:
            raise DataRefused(f"{name}, line {count}: {rule}") from rule
    minimum = 1 if validation else model.minimum_records
    if count < minimum:
        raise DataRefused(f"{name} has {count} records; {model.name} needs at least {minimum}.")


def _record(number: int, line: bytes, model: FineTunableModel, bucket: str, fetch: Fetch) -> Record:
    content = _parsed(number, line)
    if content.get("schemaVersion") != SCHEMA_VERSION:
        raise _BrokenRule(f"schemaVersion must be {SCHEMA_VERSION}")
    if unknown := set(content) - _RECORD_MEMBERS:
        raise _BrokenRule(f"unknown members {sorted(unknown)}")
    texts = []
    for block in _list(content.get("system", []), "system"):
        if set(block) != {"text"}:
            raise _BrokenRule("system holds text blocks only")
        texts.append(_text(block["text"], "system"))
    locations: list[tuple[str, Location]] = []
    messages = _messages(content.get("messages"))
    for message in messages:
        for block in _list(message["content"], "content", empty=False):
            if set(block) == {"text"}:
                texts.append(_text(block["text"], message["role"]))
            else:
                locations.append(_image(block, message["role"], model, bucket))
    if len(locations) > MAXIMUM_IMAGES:
        raise _BrokenRule(f"{len(locations)} images; a record can hold {MAXIMUM_IMAGES}")
    tokens = sum(math.ceil(len(text) / CHARACTERS_PER_TOKEN) for text in texts)
    tokens += len(locations) * model.tokens_per_image
    if tokens > MAXIMUM_TOKENS:
        raise _BrokenRule(f"about {tokens:,} tokens; a record can hold {MAXIMUM_TOKENS:,} (token limit)")
    images = tuple(_checked_image(image_format, location, fetch) for image_format, location in locations)
    answer = "".join(block["text"] for block in messages[-1]["content"])
    return Record(line=number, images=images, answer=answer)


def _parsed(number: int, line: bytes) -> dict[str, Any]:
    if number == 1 and line.startswith(_BYTE_ORDER_MARK):
        raise _BrokenRule("unable to parse as JSONL: the file begins with a byte order mark")
    if not line.strip():
        raise _BrokenRule("unable to parse as JSONL: the line is blank")
    try:
        content = json.loads(line.decode(), parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise _BrokenRule("unable to parse as JSONL: the line is not one JSON object") from error
    if not isinstance(content, dict):
        raise _BrokenRule("unable to parse as JSONL: the line is not one JSON object")
    return content


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _list(value: Any, name: str, *, empty: bool = True) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise _BrokenRule(f"{name} must be a list of blocks")
    if not value and not empty:
        raise _BrokenRule(f"{name} must not be empty")
    return value


def _messages(value: Any) -> list[dict[str, Any]]:
    messages = _list(value, "messages")
    roles = [message.get("role") for message in messages]
    if len(roles) < 2:
        raise _BrokenRule("messages must hold a user message and an assistant message at least")
    if roles[0] != "user":
        raise _BrokenRule("the first message must have the role user")
    if roles[-1] != "assistant":
        raise _BrokenRule("the last message must have the role assistant")
    if roles != ["user", "assistant"] * (len(roles) // 2):
        raise _BrokenRule("the roles user and assistant must alternate")
    if any(set(message) != {"role", "content"} for message in messages):
        raise _BrokenRule("a message holds role and content, nothing else")
    return messages


def _text(value: Any, role: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise _BrokenRule(f"a {role} text is empty")
    for word in RESERVED:
        if word.lower() in value.lower():
            raise _BrokenRule(f"a {role} text holds the reserved token {word}")
    return value


def _image(block: dict[str, Any], role: str, model: FineTunableModel, bucket: str) -> tuple[str, Location]:
    """Declared format and place of an image block, without opening it."""
    if set(block) != {"image"}:
        kind = next(iter(block), "")
        raise _BrokenRule(_OTHER_CONTENT.get(kind, "a content block is neither text nor image"))
    if role == "assistant":
        raise _BrokenRule("an assistant message cannot hold an image")
    if not model.image_formats:
        raise _BrokenRule(f"{model.name} takes text only, no image")
    image = block["image"]
    if not isinstance(image, dict) or set(image) != {"format", "source"}:
        raise _BrokenRule("an image holds format and source, nothing else")
    if image["format"] not in model.image_formats:
        raise _BrokenRule(f"image format must be one of {', '.join(model.image_formats)} for {model.name}")
    source = image["source"]
    place = source.get("s3Location") if isinstance(source, dict) and set(source) == {"s3Location"} else None
    if not isinstance(place, dict) or not isinstance(place.get("uri"), str) or set(place) - {"uri", "bucketOwner"}:
        raise _BrokenRule("an image source must be an s3Location with a uri; inline bytes are not taken")
    if "bucketOwner" in place and not _ACCOUNT.fullmatch(str(place["bucketOwner"])):
        raise _BrokenRule("bucketOwner must be an account id of 12 digits")
    location = parse_uri(place["uri"])
    if not place["uri"].startswith("s3://") or not _KEY.fullmatch(location.key):
        raise _BrokenRule("an image uri must be s3://bucket/key, the key of letters, digits, _, -, / and . only")
    if location.bucket != bucket:
        raise _BrokenRule(f"images must be in the same bucket as the data set, {bucket}")
    return str(image["format"]), location


def _checked_image(declared: str, location: Location, fetch: Fetch) -> bytes:
    content = fetch(location)
    if content is None:
        raise _BrokenRule(f"the image {location.key} does not exist or cannot be read")
    if len(content) > MAXIMUM_IMAGE_BYTES:
        raise _BrokenRule(f"the image {location.key} is larger than 10 MB")
    facts = inspect(content)
    if facts is None or facts.format != declared:
        found = "not an image" if facts is None else facts.format
        raise _BrokenRule(f"the image {location.key} is declared as {declared} and is {found}")
    if min(facts.width, facts.height) < MINIMUM_SIDE:
        raise _BrokenRule(f"the image {location.key} is smaller than {MINIMUM_SIDE} px a side")
    return content
