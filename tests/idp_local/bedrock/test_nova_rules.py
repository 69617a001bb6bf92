"""The stand-in takes a data set that is fit and refuses one that breaks a rule, whatever the domain thinks of it."""

from __future__ import annotations

import copy
import io
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image, PngImagePlugin

from idp_finetuning.errors import DocumentRejected
from idp_finetuning.nova.prompt import DocumentClass, Prompt
from idp_finetuning.training_data.examples import require_trainable
from idp_local.bedrock.converse import check_image
from idp_local.bedrock.dataset import RESERVED, DataRefused, check
from idp_local.bedrock.errors import BedrockError
from idp_local.bedrock.foundation_models import MODELS, select_models
from idp_local.bedrock.s3 import Location
from idp_local.bedrock.training_process import read_examples

BUCKET = "idp-finetuning-data-123456789012"
FILE = f"s3://{BUCKET}/jobs/0f9c/dataset/train.jsonl"
LITE_1, LITE_2, MICRO = "amazon.nova-lite-v1:0:300k", "amazon.nova-2-lite-v1:0:256k", "amazon.nova-micro-v1:0:128k"
PAGE = "jobs/0f9c/pages/3b2a/1.jpeg"

Record = dict[str, Any]
Change = Callable[[Record], object]


def picture(form: str, width: int = 60, height: int = 80, **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), "white").save(buffer, form, **options)
    return buffer.getvalue()


def png_of_bytes(count: int) -> bytes:
    """A small PNG with so long a comment that the file has about this many bytes."""
    comment = PngImagePlugin.PngInfo()
    comment.add_text("Comment", "x" * count)
    return picture("PNG", pnginfo=comment)


OBJECTS = {
    PAGE: picture("JPEG"),
    "page.png": picture("PNG"),
    "page.gif": picture("GIF"),
    "page.webp": picture("WEBP"),
    "narrow.jpeg": picture("JPEG", width=24),
    "long.jpeg": picture("JPEG", height=8_001),
    "4MB.png": png_of_bytes(4_000_000),
    "11MB.png": png_of_bytes(11_000_000),
    "torn.jpeg": picture("JPEG")[:-40],
    "text.jpeg": b"no picture",
    "empty.jpeg": b"",
}


def image(uri: str = f"s3://{BUCKET}/{PAGE}", form: str = "jpeg", **more: str) -> Record:
    return {"image": {"format": form, "source": {"s3Location": {"uri": uri, **more}}}}


def target(**members: Any) -> Record:
    answer = {"class": "invoice", "document_boundary": "start", **members}
    return {"text": json.dumps({name: value for name, value in answer.items() if value is not None})}


RECORD: Record = {
    "schemaVersion": "bedrock-conversation-2024",
    "system": [{"text": "You classify pages."}],
    "messages": [
        {
            "role": "user",
            "content": [
                {"text": "Classes:\ninvoice  \t[ Asks for money. ]\nbank statement  \t[  ]\nThe page:"},
                image(),
                {"text": "Answer with JSON."},
            ],
        },
        {"role": "assistant", "content": [target()]},
    ],
}


def jsonl(records: list[Record]) -> bytes:
    return b"".join(json.dumps(record, ensure_ascii=False).encode() + b"\n" for record in records)


def fetch(location: Location) -> bytes | None:
    return OBJECTS.get(location.key)


def count_records(content: bytes, model: str = LITE_1, **options: Any) -> int:
    return sum(1 for _ in check(FILE, [content], MODELS[model], fetch, **options))


def refusal(content: bytes, model: str = LITE_1, **options: Any) -> str:
    """The rule that the file breaks, read as far as a training process reads it."""
    with pytest.raises(DataRefused) as refused:
        list(read_examples(FILE, [content], MODELS[model], fetch, **options))
    return str(refused.value).removeprefix(FILE).removeprefix(", ").strip()


def dataset(count: int) -> bytes:
    return jsonl([RECORD] * count)


@pytest.mark.parametrize(("model", "count"), [(LITE_1, 8), (LITE_1, 20_000), (LITE_2, 200)])
def test_a_fit_data_set_of_the_smallest_and_the_largest_size_passes(model: str, count: int) -> None:
    assert count_records(dataset(count), model) == count


@pytest.mark.parametrize(
    ("model", "count", "rule"),
    [
        (LITE_1, 7, "has 7 records; Nova Lite needs at least 8."),
        (LITE_1, 20_001, "has more than 20,000 records, the most Nova Lite takes."),
        (LITE_2, 199, "has 199 records; Nova 2 Lite needs at least 200."),
    ],
)
def test_a_data_set_of_another_size_is_refused(model: str, count: int, rule: str) -> None:
    with pytest.raises(DataRefused, match=f"{re.escape(FILE)} {re.escape(rule)}"):
        count_records(dataset(count), model)


def test_an_empty_file_is_refused() -> None:
    assert refusal(b"") == "has 0 records; Nova Lite needs at least 8."


def test_a_validation_file_may_be_small_but_not_for_nova_2() -> None:
    assert count_records(dataset(1), LITE_1, validation=True) == 1
    assert refusal(dataset(1), LITE_2, validation=True) == "Nova 2.0 doesn't support validation set"


def test_a_model_without_rules_is_an_error() -> None:
    with pytest.raises(ValueError, match="titan"):
        select_models(["amazon.titan-text-lite-v1:0:4k"])


def test_the_last_line_may_end_without_a_newline() -> None:
    assert count_records(dataset(8).removesuffix(b"\n")) == 8


def test_a_file_may_come_in_pieces_of_any_size() -> None:
    content = dataset(8)
    pieces = (content[start : start + 7] for start in range(0, len(content), 7))
    assert [record.line for record in check(FILE, pieces, MODELS[LITE_1], fetch)] == list(range(1, 9))


FIRST, *_REST = dataset(8).splitlines(keepends=True)
REST = b"".join(_REST)


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (b"\xef\xbb\xbf" + FIRST + REST, "line 1: {} the file begins with a byte order mark"),
        (FIRST[:-1] + b"\r\n" + REST, "line 1: {} a carriage return"),
        (FIRST + b"\n" + REST, "line 2: {} the line is blank"),
        (FIRST + REST + b"\n", "line 9: {} the line is blank"),
        (FIRST + b" \t\n" + REST, "line 2: {} the line is blank"),
        (FIRST + FIRST.replace(b"pages", b"p\xe4ges") + REST, "line 2: {} the line is not one JSON object"),
        (FIRST + FIRST[:-2] + b"\n" + REST, "line 2: {} the line is not one JSON object"),
        (FIRST + FIRST.replace(b"[{", b"[\n{", 1) + REST, "line 2: {} the line is not one JSON object"),
        (FIRST + FIRST[:-1] + FIRST + REST, "line 2: {} the line is not one JSON object"),
        (FIRST + FIRST[:-2] + b', "system": []}\n' + REST, "line 2: {} an object has a member twice"),
        (FIRST + FIRST[:-2] + b', "weight": NaN}\n' + REST, "line 2: {} the line is not one JSON object"),
        (FIRST + b"[" + FIRST[:-1] + b"]\n" + REST, "line 2: {} the line is not one JSON object"),
    ],
)
def test_a_file_that_bedrock_cannot_parse_is_refused(content: bytes, rule: str) -> None:
    assert refusal(content).startswith(rule.format("unable to parse as JSONL:"))


def test_only_newlines_end_a_line() -> None:
    record = copy.deepcopy(RECORD)
    record["system"][0]["text"] = "One\u2028two\x85three"
    assert count_records(jsonl([record] * 8)) == 8


def user(record: Record) -> Any:
    return record["messages"][0]["content"]


def assistant(record: Record) -> Any:
    return record["messages"][1]["content"]


def set_image(key: str, form: str) -> Change:
    return lambda r: user(r).__setitem__(1, image(f"s3://{BUCKET}/{key}", form))


def set_uri(uri: str) -> Change:
    return lambda r: user(r).__setitem__(1, image(uri))


def set_source(source: Any) -> Change:
    return lambda r: user(r)[1]["image"].update(source=source)


def add_block(block: Record) -> Change:
    return lambda r: user(r).append(block)


def set_target(**members: Any) -> Change:
    return lambda r: assistant(r).__setitem__(0, target(**members))


BROKEN: list[tuple[str, Change, str]] = [
    (
        "schema_version_missing",
        lambda r: r.pop("schemaVersion"),
        "schemaVersion must be bedrock-conversation-2024",
    ),
    (
        "schema_version_of_another_kind",
        lambda r: r.update(schemaVersion="bedrock-conversation-2023"),
        "schemaVersion must be bedrock-conversation-2024",
    ),
    ("titan_record", lambda r: r.update(prompt="p", completion="c"), "unknown members ['completion', 'prompt']"),
    ("tool_config", lambda r: r.update(toolConfig={"tools": []}), "unknown members ['toolConfig']"),
    ("system_as_text", lambda r: r.update(system="You classify."), "system must be a list of blocks"),
    ("system_empty", lambda r: r.update(system=[]), "system must not be empty"),
    ("system_with_empty_text", lambda r: r.update(system=[{"text": " "}]), "a system text is empty"),
    ("system_with_image", lambda r: r["system"].append(image()), "system holds text blocks only"),
    ("messages_missing", lambda r: r.pop("messages"), "messages must be a list of blocks"),
    ("one_message", lambda r: r["messages"].pop(), "messages must hold a user message and an assistant message"),
    ("assistant_first", lambda r: r["messages"].reverse(), "the first message must have the role user"),
    ("user_last", lambda r: r["messages"].append(r["messages"][0]), "the last message must have the role assistant"),
    (
        "same_role_twice",
        lambda r: r["messages"].insert(1, r["messages"][0]),
        "the roles user and assistant must alternate",
    ),
    (
        "role_of_the_system",
        lambda r: r["messages"][0].update(role="system"),
        "the first message must have the role user",
    ),
    (
        "message_with_a_name",
        lambda r: r["messages"][0].update(name="Ann"),
        "a message holds role and content, nothing else",
    ),
    ("content_as_text", lambda r: r["messages"][1].update(content="invoice"), "content must be a list of blocks"),
    ("no_content", lambda r: user(r).clear(), "content must not be empty"),
    ("empty_text", add_block({"text": ""}), "a user text is empty"),
    ("text_of_spaces", add_block({"text": " \n"}), "a user text is empty"),
    ("text_no_string", add_block({"text": 1}), "a user text is empty"),
    ("two_members", add_block({"text": "a", **image()}), "a content block is neither text nor image"),
    ("document", add_block({"document": {"format": "pdf"}}), "documents are not supported"),
    ("video", add_block({"video": {"format": "mp4"}}), "video cannot be in a data set of images"),
    ("tool_result", add_block({"toolResult": {}}), "tool use is not supported"),
    ("tool_use", lambda r: assistant(r).append({"toolUse": {}}), "tool use is not supported"),
    ("image_by_assistant", lambda r: assistant(r).append(image()), "an assistant message cannot hold an image"),
    ("reasoning", lambda r: assistant(r).insert(0, {"reasoningContent": {}}), "reasoning is not supported"),
    (
        "image_without_format",
        lambda r: user(r)[1]["image"].pop("format"),
        "an image holds format and source, nothing else",
    ),
    ("image_bytes", set_source({"bytes": "aGk="}), "an image source must be an s3Location with a uri"),
    (
        "image_of_two_sources",
        set_source({"bytes": "", "s3Location": {"uri": "s3://b/k"}}),
        "an image source must be an s3Location with a uri",
    ),
    (
        "owner_no_account",
        lambda r: user(r).__setitem__(1, image(bucketOwner="me")),
        "bucketOwner must be an account id of 12 digits",
    ),
    ("format_tiff", set_image("page.png", "tiff"), "image format must be one of"),
    ("format_jpg", set_image(PAGE, "jpg"), "image format must be one of"),
    ("format_list", lambda r: user(r)[1]["image"].update(format=["png"]), "image format must be one of"),
    ("another_bucket", set_uri(f"s3://elsewhere-data/{PAGE}"), "images must be in the same bucket as the data set"),
    ("https_address", set_uri(f"https://{BUCKET}.s3.amazonaws.com/{PAGE}"), "an image uri must be s3://bucket/key"),
    ("space_in_key", set_uri(f"s3://{BUCKET}/scan 1.jpeg"), "an image uri must be s3://bucket/key"),
    ("parentheses_in_key", set_uri(f"s3://{BUCKET}/scan(1).jpeg"), "an image uri must be s3://bucket/key"),
    ("umlaut_in_key", set_uri(f"s3://{BUCKET}/prüfung.jpeg"), "an image uri must be s3://bucket/key"),
    ("double_slash_in_key", set_uri(f"s3://{BUCKET}/jobs//1.jpeg"), "an image uri must be s3://bucket/key"),
    ("no_key", set_uri(f"s3://{BUCKET}"), "an image uri must be s3://bucket/key"),
    ("long_key", set_uri(f"s3://{BUCKET}/{'k' * 1_000}.jpeg"), "an image uri must be s3://bucket/key"),
    ("missing_object", set_image("jobs/0f9c/pages/3b2a/2.jpeg", "jpeg"), "does not exist or cannot be read"),
    ("png_called_jpeg", set_image("page.png", "jpeg"), "is declared as jpeg and is png"),
    ("no_picture", set_image("text.jpeg", "jpeg"), "is declared as jpeg and is not an image"),
    ("empty_object", set_image("empty.jpeg", "jpeg"), "is declared as jpeg and is not an image"),
    ("torn_picture", set_image("torn.jpeg", "jpeg"), "the image is damaged"),
    ("more_than_10_mb", set_image("11MB.png", "png"), "is larger than 10 MB"),
    ("narrow", set_image("narrow.jpeg", "jpeg"), "is smaller than 25 px a side"),
    ("eleven_images", lambda r: user(r).extend([image()] * 10), "11 images"),
    ("too_many_tokens", add_block({"text": "word " * 25_000}), "tokens; a record can hold 32,000"),
    ("too_many_tokens_of_chinese", add_block({"text": "請" * 15_000}), "tokens; a record can hold 32,000"),
    ("target_as_word", lambda r: assistant(r).__setitem__(0, {"text": "invoice"}), "learns answers of the form"),
    ("target_in_two_blocks", lambda r: assistant(r).append(target()), "learns answers of the form"),
    ("target_without_boundary", set_target(document_boundary=None), "learns answers of the form"),
    ("target_with_more", set_target(confidence=1), "learns answers of the form"),
    ("target_as_list", lambda r: assistant(r).__setitem__(0, {"text": "[]"}), "learns answers of the form"),
    ("class_not_listed", set_target(**{"class": "bank"}), "the class 'bank' is not in the prompt's class list"),
    (
        "class_in_another_case",
        set_target(**{"class": "Invoice"}),
        "the class 'Invoice' is not in the prompt's",
    ),
    ("class_no_text", set_target(**{"class": ["invoice"]}), "learns answers of the form"),
    ("boundary_of_another_word", set_target(document_boundary="middle"), "learns answers of the form"),
    ("without_image", lambda r: user(r).pop(1), "the data set is not homogeneous"),
    ("without_system", lambda r: r.pop("system"), "the data set is not homogeneous"),
]


def broken(change: Change) -> bytes:
    """Ten records, the third one changed."""
    records = [copy.deepcopy(RECORD) for _ in range(10)]
    change(records[2])
    return jsonl(records)


@pytest.mark.parametrize(("change", "rule"), [pytest.param(c, rule, id=name) for name, c, rule in BROKEN])
def test_a_broken_rule_is_named_with_its_line(change: Change, rule: str) -> None:
    found = refusal(broken(change))
    assert found.startswith("line 3: ")
    assert rule in found


@pytest.mark.parametrize(
    ("key", "image_format", "rule"),
    [
        pytest.param("4MB.png", "png", "3.75 MB", id="more_than_converse_takes"),
        pytest.param("long.jpeg", "jpeg", "8000 pixels a side", id="too_long_for_converse"),
    ],
)
def test_an_image_that_trains_may_be_too_large_for_converse(key: str, image_format: str, rule: str) -> None:
    record = copy.deepcopy(RECORD)
    set_image(key, image_format)(record)
    assert count_records(jsonl([record] * 8)) == 8
    with pytest.raises(BedrockError, match=rule):
        check_image(image_format, OBJECTS[key])


PROMPT_WITH_TEXT = Prompt(task_prompt="{DOCUMENT_TEXT}{DOCUMENT_IMAGE}", classes=(DocumentClass(name="invoice"),))


@pytest.mark.parametrize("text", ["word " * 25_000, "請" * 15_000], ids=["english", "chinese"])
def test_the_domain_rejects_a_page_of_too_many_tokens_before_bedrock_does(text: str) -> None:
    with pytest.raises(DocumentRejected, match="more than the 32000 tokens"):
        require_trainable(PROMPT_WITH_TEXT, text, page=1, maximum_tokens=32_000)


@pytest.mark.parametrize("word", RESERVED)
@pytest.mark.parametrize("spelled", [str, str.upper, str.lower, "x{}y".format])
def test_a_reserved_word_is_refused_in_any_spelling_and_earlier_by_the_domain(
    word: str, spelled: Callable[[str], str]
) -> None:
    text = spelled(word)
    assert refusal(broken(add_block({"text": text}))) == f"line 3: a user text holds the reserved token {word}"
    with pytest.raises(DocumentRejected, match=re.escape(word.lower())):
        require_trainable(PROMPT_WITH_TEXT, text, page=1, maximum_tokens=32_000)


@pytest.mark.parametrize("place", [user, assistant, lambda r: r["system"]], ids=["user", "assistant", "system"])
def test_a_reserved_word_is_refused_in_every_text(place: Callable[[Record], Any]) -> None:
    content = broken(lambda record: place(record)[0].update(text="Operating System: Linux"))
    assert refusal(content).endswith("text holds the reserved token System:")


@pytest.mark.parametrize(("key", "form"), [("page.png", "png"), ("page.gif", "gif"), (PAGE, "jpeg")])
@pytest.mark.parametrize(("model", "count"), [(LITE_1, 8), (LITE_2, 200)])
def test_every_other_format_that_models_share_passes(key: str, form: str, model: str, count: int) -> None:
    record = copy.deepcopy(RECORD)
    set_image(key, form)(record)
    assert count_records(jsonl([record] * count), model) == count


def test_webp_is_for_nova_1_only() -> None:
    record = copy.deepcopy(RECORD)
    set_image("page.webp", "webp")(record)
    assert count_records(jsonl([record] * 8), LITE_1) == 8
    assert refusal(jsonl([record] * 200), LITE_2).startswith("line 1: image format must be one of png, jpeg, gif for")


def test_micro_takes_no_images() -> None:
    assert refusal(dataset(8), MICRO) == "line 1: Nova Micro takes text only, no image"
