"""Nova's rules for a fine-tuning data set, checked record by record as Bedrock does after submission.

Sources: the Nova user guide, "fine-tune-prepare-data-understanding", the Nova 2 guide, "nova-2-sft-data-prep", and
AWS's Nova validators (nova-samples and forge-sdk). Rules for images are in `images`, limits of one model in
`foundation_models`. None of it is the domain's code, so that what the domain writes is read a second time.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator
from typing import Any, NoReturn

from pydantic import BaseModel, ConfigDict

from idp_local.bedrock.foundation_models import FineTunableModel
from idp_local.bedrock.images import BrokenRule, Fetch, declared_image, read_image
from idp_local.bedrock.s3 import Location, parse_uri

SCHEMA_VERSION = "bedrock-conversation-2024"
MAXIMUM_IMAGES = 10
MAXIMUM_TOKENS = 32_000
CHARACTERS_PER_TOKEN = 4

# The service's own message for any Nova 2 model.
NO_VALIDATION_SET = "Nova 2.0 doesn't support validation set"

# The guide's list, and the last two from the validators; refused in any case, inside longer words too.
RESERVED = ("System:", "User:", "Bot:", "Assistant:", "[EOS]", "<image>", "<video>", "Thought:", "<unk>")

_RECORD_MEMBERS = {"schemaVersion", "system", "messages"}
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class DataRefused(Exception):
    """The data set breaks a rule; the text names the file, the line and the rule."""


class Record(BaseModel):
    """One checked record: its line (from 1), the user's texts and images in order, and the text to be learnt."""

    model_config = ConfigDict(frozen=True)

    line: int
    has_system: bool
    texts: tuple[str, ...]
    images: tuple[bytes, ...]
    answer: str


def check(
    uri: str, content: Iterable[bytes], model: FineTunableModel, fetch: Fetch, *, validation: bool = False
) -> Iterator[Record]:
    """Yield the records of a JSONL file, checked one after the other.

    `content` is the file at `uri` in pieces of any size, and `fetch` returns an image object's bytes, or None if it
    cannot be read. A validation file has no minimum of its own. Raises DataRefused at the first broken rule; the count
    is checked at the end of the file, or as soon as it is too high.
    """
    if validation and not model.validation_set:
        raise DataRefused(NO_VALIDATION_SET)
    bucket = parse_uri(uri).bucket
    count = 0
    first = None
    for count, line in enumerate(_lines(content), start=1):
        if count > model.maximum_records:
            raise DataRefused(f"{uri} has more than {model.maximum_records:,} records, the most {model.name} takes.")
        try:
            record = _record(count, line, model, bucket, fetch)
            first = first or record
            _require_alike(first, record)
        except BrokenRule as rule:
            raise DataRefused(f"{uri}, line {count}: {rule}") from rule
        yield record
    minimum = 1 if validation else model.minimum_records
    if count < minimum:
        raise DataRefused(f"{uri} has {count} records; {model.name} needs at least {minimum}.")


def _lines(content: Iterable[bytes]) -> Iterator[bytes]:
    """Split at newlines and nothing else; the last newline ends a line and begins none."""
    rest = b""
    for piece in content:
        *lines, rest = (rest + piece).split(b"\n")
        yield from lines
    if rest:
        yield rest


def _require_alike(first: Record, record: Record) -> None:
    if record.has_system != first.has_system or bool(record.images) != bool(first.images):
        raise BrokenRule("the data set is not homogeneous: all records have images or none, all a system text or none")


def _record(number: int, line: bytes, model: FineTunableModel, bucket: str, fetch: Fetch) -> Record:
    content = _parse(number, line)
    if content.get("schemaVersion") != SCHEMA_VERSION:
        raise BrokenRule(f"schemaVersion must be {SCHEMA_VERSION}")
    if unknown := set(content) - _RECORD_MEMBERS:
        raise BrokenRule(f"unknown members {sorted(unknown)}")
    texts: dict[str, list[str]] = {"system": [], "user": [], "assistant": []}
    for block in _blocks(content["system"], "system") if "system" in content else []:
        if set(block) != {"text"}:
            raise BrokenRule("system holds text blocks only")
        texts["system"].append(_text(block["text"], "system"))
    declared: list[tuple[str, Location]] = []
    messages = _messages(content.get("messages"))
    for message in messages:
        role = message["role"]
        for block in _blocks(message["content"], "content"):
            if set(block) == {"text"}:
                texts[role].append(_text(block["text"], role))
            else:
                declared.append(declared_image(block, role, model, bucket))
    if len(declared) > MAXIMUM_IMAGES:
        raise BrokenRule(f"{len(declared)} images; a record can hold {MAXIMUM_IMAGES}")
    tokens = sum(_tokens(text) for role in texts for text in texts[role]) + len(declared) * model.tokens_per_image
    if tokens > MAXIMUM_TOKENS:
        raise BrokenRule(f"about {tokens:,} tokens; a record can hold {MAXIMUM_TOKENS:,} (token limit)")
    return Record(
        line=number,
        has_system="system" in content,
        texts=tuple(texts["user"]),
        images=tuple(read_image(image_format, location, fetch) for image_format, location in declared),
        answer="".join(block["text"] for block in messages[-1]["content"]),
    )


def _parse(number: int, line: bytes) -> dict[str, Any]:
    if number == 1 and line.startswith(_BYTE_ORDER_MARK):
        raise BrokenRule("unable to parse as JSONL: the file begins with a byte order mark")
    if b"\r" in line:
        raise BrokenRule("unable to parse as JSONL: a carriage return; lines end with a newline alone")
    if not line.strip():
        raise BrokenRule("unable to parse as JSONL: the line is blank")
    try:
        content = json.loads(line.decode(), object_pairs_hook=_unique, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise BrokenRule("unable to parse as JSONL: the line is not one JSON object") from error
    if not isinstance(content, dict):
        raise BrokenRule("unable to parse as JSONL: the line is not one JSON object")
    return content


def _unique(members: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(members)
    if len(content) < len(members):
        raise BrokenRule("unable to parse as JSONL: an object has a member twice")
    return content


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _blocks(value: Any, name: str) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise BrokenRule(f"{name} must be a list of blocks")
    if not value:
        raise BrokenRule(f"{name} must not be empty")
    return value


def _messages(value: Any) -> list[dict[str, Any]]:
    messages = _blocks(value, "messages")
    roles = [message.get("role") for message in messages]
    if len(roles) < 2:
        raise BrokenRule("messages must hold a user message and an assistant message at least")
    if roles[0] != "user":
        raise BrokenRule("the first message must have the role user")
    if roles[-1] != "assistant":
        raise BrokenRule("the last message must have the role assistant")
    if roles != ["user", "assistant"] * (len(roles) // 2):
        raise BrokenRule("the roles user and assistant must alternate")
    if any(set(message) != {"role", "content"} for message in messages):
        raise BrokenRule("a message holds role and content, nothing else")
    return messages


def _text(value: Any, role: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise BrokenRule(f"a {role} text is empty")
    for word in RESERVED:
        if word.lower() in value.lower():
            raise BrokenRule(f"a {role} text holds the reserved token {word}")
    return value


def _tokens(text: str) -> int:
    """Estimate: AWS publishes no tokenizer. A character beyond ASCII may be two tokens."""
    beyond = sum(not character.isascii() for character in text)
    return math.ceil((len(text) - beyond) / CHARACTERS_PER_TOKEN) + 2 * beyond
