"""An independent reading of Nova's rules for training data: shares no code with what makes the data set.

Every rule stands in the fact sheet on Bedrock fine-tuning, section 3 ("Nova training data") or 12 (Converse).
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any, NamedTuple

from tests.support.nova_images import ImageRules, image_problems

Problems = Iterator[str]
Record = dict[str, Any]

RESERVED = ("System:", "User:", "Bot:", "Assistant:", "[EOS]", "<image>", "<video>", "Thought:", "<unk>")
MOST_TOKENS = 32_000
MOST_IMAGES = 10
BOUNDARIES = ("start", "continue")

CLASS_LINE = re.compile(r"^(?P<name>\S.*?) {2}\t\[.*\]$", re.MULTILINE)


class Model(NamedTuple):
    """What differs between the models that can be fine-tuned; `tokens_an_image` is about what the largest one takes."""

    fewest: int
    most: int
    formats: tuple[str, ...]
    tokens_an_image: int
    validation_set: bool


NOVA_1 = Model(8, 20_000, ("png", "jpeg", "gif", "webp"), 2_600, validation_set=True)
NOVA_2 = Model(200, 20_000, ("png", "jpeg", "gif"), 230, validation_set=False)
MICRO = NOVA_1._replace(formats=())
MODELS = {"nova-2-": NOVA_2, "nova-lite-": NOVA_1, "nova-pro-": NOVA_1, "nova-micro-": MICRO}


def check_dataset(
    jsonl: bytes, *, model: str, bucket: str, read_object: Callable[[str], bytes], validation: bool = False
) -> list[str]:
    """Every broken rule, as `line <n>: <what>` or, for the file as a whole, `file: <what>`; empty where it is fit.

    `model` is any id of a Nova model, `bucket` the one the file lies in, `read_object` reads a key of that bucket.
    A validation file may have as few records as it likes, where the model takes one at all. Raises ValueError for
    a model that is not known.
    """
    rules = next((rules for part, rules in MODELS.items() if part in model), None)
    if rules is None:
        raise ValueError(f"No rules are known for {model}.")
    found = [f"file: {problem}" for problem in _file_problems(jsonl, rules, validation)]
    images = ImageRules(bucket=bucket, formats=rules.formats, read_object=read_object)
    shapes: dict[tuple[bool, bool], int] = {}
    for number, line in enumerate(_lines(jsonl), start=1):
        record, problem = _parsed(line)
        if record is None:
            found.append(f"line {number}: {problem}")
            continue
        found.extend(f"line {number}: {problem}" for problem in _record_problems(record, rules, images))
        shapes.setdefault((bool(record.get("system")), bool(_images(record))), number)
    if len(shapes) > 1:
        found.append(f"file: not homogeneous: lines {', '.join(map(str, shapes.values()))} differ in system or images")
    return found


def _lines(jsonl: bytes) -> list[bytes]:
    """The lines between newlines and nothing else; the last newline ends a line and begins none."""
    return jsonl.removesuffix(b"\n").split(b"\n") if jsonl else []


def _file_problems(jsonl: bytes, rules: Model, validation: bool) -> Problems:
    count = len(_lines(jsonl))
    if validation and not rules.validation_set:
        yield "this model takes no validation set"
    fewest = 1 if validation else rules.fewest
    if not fewest <= count <= rules.most:
        yield f"{count} records, {fewest} to {rules.most} are taken"
    if jsonl.startswith(b"\xef\xbb\xbf"):
        yield "begins with a byte order mark"
    if b"\r" in jsonl:
        yield "has carriage returns"


def _parsed(line: bytes) -> tuple[Record | None, str]:
    if not line.strip():
        return None, "blank line"
    try:
        record = json.loads(line.decode("utf-8"), object_pairs_hook=_once, parse_constant=_no_constant)
    except UnicodeDecodeError:
        return None, "not UTF-8"
    except ValueError as error:
        return None, f"not JSON: {error}"
    return (record, "") if isinstance(record, dict) else (None, "not a JSON object")


def _once(pairs: list[tuple[str, Any]]) -> Record:
    if len(dict(pairs)) < len(pairs):
        raise ValueError("a member stands twice")
    return dict(pairs)


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _record_problems(record: Record, rules: Model, images: ImageRules) -> Problems:
    if record.get("schemaVersion") != "bedrock-conversation-2024":
        yield "schemaVersion is not bedrock-conversation-2024"
    if unknown := record.keys() - {"schemaVersion", "system", "messages"}:
        yield f"unknown members {sorted(unknown)}"
    if "system" in record:
        if not isinstance(record["system"], list) or not record["system"]:
            yield "system is no list of blocks"
        else:
            yield from _blocks_problems("system", record["system"], ("text",))
    messages = record.get("messages")
    if not isinstance(messages, list) or not all(isinstance(message, dict) for message in messages):
        yield "messages are no list of objects"
        return
    yield from _turn_problems(messages)
    for message in messages:
        yield from _message_problems(message)
    yield from _text_problems(record, rules)
    if len(_images(record)) > MOST_IMAGES:
        yield f"{len(_images(record))} images, at most {MOST_IMAGES} are taken"
    for image in _images(record):
        yield from image_problems(image, images)
    yield from _target_problems(messages)


def _turn_problems(messages: list[Record]) -> Problems:
    roles = [message.get("role") for message in messages]
    if len(roles) < 2:
        yield "fewer than 2 messages"
    if any(role not in ("user", "assistant") for role in roles):
        yield f"roles {roles} are not only user and assistant"
    if roles[:1] != ["user"]:
        yield "the first message is not the user's"
    if roles[-1:] != ["assistant"]:
        yield "the last message is not the assistant's"
    if any(role == following for role, following in pairwise(roles)):
        yield "roles do not alternate"


def _message_problems(message: Record) -> Problems:
    if unknown := message.keys() - {"role", "content"}:
        yield f"unknown members {sorted(unknown)} of a message"
    content = message.get("content")
    if not isinstance(content, list) or not content:
        yield "a message without content"
        return
    kinds = ("text", "image") if message.get("role") == "user" else ("text",)
    yield from _blocks_problems(f"{message.get('role')} turn", content, kinds)


def _blocks_problems(place: str, blocks: list[Any], kinds: tuple[str, ...]) -> Problems:
    for block in blocks:
        if not isinstance(block, dict) or len(block) != 1:
            yield f"{place}: a block is not an object with one member"
        elif not block.keys() <= set(kinds):
            yield f"{place}: a block of {next(iter(block))}"
        elif "text" in block and (not isinstance(block["text"], str) or not block["text"].strip()):
            yield f"{place}: empty text"


def _blocks(record: Record) -> Iterator[Record]:
    """All blocks that are objects, wherever they stand."""
    places = [record.get("system")]
    if isinstance(record.get("messages"), list):
        places.extend(message.get("content") for message in record["messages"] if isinstance(message, dict))
    for place in places:
        if isinstance(place, list):
            yield from (block for block in place if isinstance(block, dict))


def _texts(record: Record) -> list[str]:
    return [block["text"] for block in _blocks(record) if isinstance(block.get("text"), str)]


def _images(record: Record) -> list[Any]:
    return [block["image"] for block in _blocks(record) if "image" in block]


def _text_problems(record: Record, rules: Model) -> Problems:
    for text in _texts(record):
        for word in RESERVED:
            if word.lower() in text.lower():
                yield f"reserved word {word}"
    # No tokenizer is published: about 4 characters of ASCII are a token, any other character may be two.
    text = "".join(_texts(record))
    beyond = sum(not character.isascii() for character in text)
    tokens = math.ceil((len(text) - beyond) / 4) + 2 * beyond + len(_images(record)) * rules.tokens_an_image
    if tokens > MOST_TOKENS:
        yield f"about {tokens} tokens, at most {MOST_TOKENS} are taken"


def _target_problems(messages: list[Record]) -> Problems:
    """What our records teach: exactly one class of the prompt's list, and a boundary."""
    asked = "\n".join(text for m in messages if m.get("role") == "user" for text in _texts({"messages": [m]}))
    classes = {match["name"] for match in CLASS_LINE.finditer(asked)}
    for message in messages:
        if message.get("role") != "assistant":
            continue
        texts = _texts({"messages": [message]})
        try:
            target = json.loads(texts[0], object_pairs_hook=_once) if len(texts) == 1 else None
        except ValueError:
            target = None
        if not isinstance(target, dict) or target.keys() != {"class", "document_boundary"}:
            yield "the target is not JSON of exactly class and document_boundary"
            continue
        if not isinstance(target["class"], str) or target["class"] not in classes:
            yield f"class {target['class']!r} is not in the prompt's list"
        if target["document_boundary"] not in BOUNDARIES:
            yield f"document_boundary is {target['document_boundary']!r}"
