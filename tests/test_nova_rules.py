"""The independent checker of training data passes what is fit and reports every rule that is broken."""

from __future__ import annotations

import copy
import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image, PngImagePlugin

from tests.support.nova_rules import check_dataset

BUCKET = "idp-finetuning-data-123456789012"
LITE_1, LITE_2, MICRO = "us.amazon.nova-lite-v1:0", "amazon.nova-2-lite-v1:0:256k", "amazon.nova-micro-v1:0:128k"
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


def check(content: bytes, model: str = LITE_1, **options: Any) -> list[str]:
    return check_dataset(content, model=model, bucket=BUCKET, read_object=OBJECTS.__getitem__, **options)


def dataset(count: int) -> bytes:
    return jsonl([RECORD] * count)


@pytest.mark.parametrize(("model", "count"), [(LITE_1, 8), (LITE_1, 20_000), (LITE_2, 200)])
def test_a_fit_data_set_of_the_smallest_and_the_largest_size_passes(model: str, count: int) -> None:
    assert check(dataset(count), model) == []


@pytest.mark.parametrize(("model", "count"), [(LITE_1, 7), (LITE_1, 20_001), (LITE_2, 199)])
def test_a_data_set_of_another_size_is_reported(model: str, count: int) -> None:
    (problem,) = check(dataset(count), model)
    assert problem.startswith(f"file: {count} records")


def test_an_empty_file_is_reported() -> None:
    assert check(b"") == ["file: 0 records, 8 to 20000 are taken"]


def test_a_validation_file_may_be_small_but_not_for_nova_2() -> None:
    assert check(dataset(1), LITE_1, validation=True) == []
    assert check(dataset(1), LITE_2, validation=True) == ["file: this model takes no validation set"]


def test_a_model_without_rules_is_an_error() -> None:
    with pytest.raises(ValueError, match="titan"):
        check(dataset(8), "amazon.titan-text-lite-v1:0:4k")


def test_the_last_line_may_end_without_a_newline() -> None:
    assert check(dataset(8).removesuffix(b"\n")) == []


FIRST, *_REST = dataset(8).splitlines(keepends=True)
REST = b"".join(_REST)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"\xef\xbb\xbf" + FIRST + REST, "file: begins with a byte order mark"),
        (FIRST[:-1] + b"\r\n" + REST, "file: has carriage returns"),
        (FIRST + b"\n" + REST, "line 2: blank line"),
        (FIRST + REST + b"\n", "line 9: blank line"),
        (FIRST + b" \t\n" + REST, "line 2: blank line"),
        (FIRST + FIRST.replace(b"pages", b"p\xe4ges") + REST, "line 2: not UTF-8"),
        (FIRST + FIRST[:-2] + b"\n" + REST, "line 2: not JSON"),
        (FIRST + FIRST.replace(b"[{", b"[\n{", 1) + REST, "line 2: not JSON"),
        (FIRST + FIRST[:-1] + FIRST + REST, "line 2: not JSON"),
        (FIRST + FIRST[:-2] + b', "system": []}\n' + REST, "line 2: not JSON: a member stands twice"),
        (FIRST + FIRST[:-2] + b', "weight": NaN}\n' + REST, "line 2: not JSON: NaN"),
        (FIRST + b"[" + FIRST[:-1] + b"]\n" + REST, "line 2: not a JSON object"),
    ],
)
def test_a_file_that_bedrock_cannot_parse_is_reported(content: bytes, problem: str) -> None:
    assert any(found.startswith(problem) for found in check(content))


def test_only_newlines_end_a_line() -> None:
    record = copy.deepcopy(RECORD)
    record["system"][0]["text"] = "One\u2028two\x85three"
    assert check(jsonl([record] * 8)) == []


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
    ("schema_version_missing", lambda r: r.pop("schemaVersion"), "schemaVersion"),
    ("schema_version_of_another_kind", lambda r: r.update(schemaVersion="bedrock-conversation-2023"), "schemaVersion"),
    ("titan_record", lambda r: r.update(prompt="p", completion="c"), "unknown members ['completion', 'prompt']"),
    ("tool_config", lambda r: r.update(toolConfig={"tools": []}), "unknown members ['toolConfig']"),
    ("system_as_text", lambda r: r.update(system="You classify."), "system is no list"),
    ("system_empty", lambda r: r.update(system=[]), "system is no list"),
    ("system_with_empty_text", lambda r: r.update(system=[{"text": " "}]), "system: empty text"),
    ("system_with_image", lambda r: r["system"].append(image()), "system: a block of image"),
    ("messages_missing", lambda r: r.pop("messages"), "messages are no list"),
    ("one_message", lambda r: r["messages"].pop(), "fewer than 2 messages"),
    ("assistant_first", lambda r: r["messages"].reverse(), "the first message is not the user's"),
    ("user_last", lambda r: r["messages"].append(r["messages"][0]), "the last message is not the assistant's"),
    ("same_role_twice", lambda r: r["messages"].insert(1, r["messages"][0]), "roles do not alternate"),
    ("role_of_the_system", lambda r: r["messages"][0].update(role="system"), "not only user and assistant"),
    ("message_with_a_name", lambda r: r["messages"][0].update(name="Ann"), "unknown members ['name'] of a message"),
    ("content_as_text", lambda r: r["messages"][1].update(content="invoice"), "a message without content"),
    ("no_content", lambda r: user(r).clear(), "a message without content"),
    ("empty_text", add_block({"text": ""}), "user turn: empty text"),
    ("text_of_spaces", add_block({"text": " \n"}), "user turn: empty text"),
    ("text_no_string", add_block({"text": 1}), "user turn: empty text"),
    ("two_members", add_block({"text": "a", **image()}), "not an object with one member"),
    ("document", add_block({"document": {"format": "pdf"}}), "user turn: a block of document"),
    ("video", add_block({"video": {"format": "mp4"}}), "user turn: a block of video"),
    ("tool_result", add_block({"toolResult": {}}), "user turn: a block of toolResult"),
    ("tool_use", lambda r: assistant(r).append({"toolUse": {}}), "assistant turn: a block of toolUse"),
    ("image_by_assistant", lambda r: assistant(r).append(image()), "assistant turn: a block of image"),
    ("reasoning", lambda r: assistant(r).insert(0, {"reasoningContent": {}}), "a block of reasoningContent"),
    ("image_without_format", lambda r: user(r)[1]["image"].pop("format"), "not of exactly format and source"),
    ("image_bytes", set_source({"bytes": "aGk="}), "not an s3Location"),
    ("image_of_two_sources", set_source({"bytes": "", "s3Location": {"uri": "s3://b/k"}}), "not an s3Location"),
    ("owner_no_account", lambda r: user(r).__setitem__(1, image(bucketOwner="me")), "the account of its owner"),
    ("format_tiff", set_image("page.png", "tiff"), "image format 'tiff'"),
    ("format_jpg", set_image(PAGE, "jpg"), "image format 'jpg'"),
    ("format_list", lambda r: user(r)[1]["image"].update(format=["png"]), "image format ['png']"),
    ("another_bucket", set_uri(f"s3://elsewhere-data/{PAGE}"), "lies in bucket 'elsewhere-data'"),
    ("https_address", set_uri(f"https://{BUCKET}.s3.amazonaws.com/{PAGE}"), "not an S3 URI"),
    ("space_in_key", set_uri(f"s3://{BUCKET}/scan 1.jpeg"), "characters that media may not have"),
    ("parentheses_in_key", set_uri(f"s3://{BUCKET}/scan(1).jpeg"), "characters that media may not have"),
    ("umlaut_in_key", set_uri(f"s3://{BUCKET}/prüfung.jpeg"), "characters that media may not have"),
    ("double_slash_in_key", set_uri(f"s3://{BUCKET}/jobs//1.jpeg"), "not an S3 URI"),
    ("no_key", set_uri(f"s3://{BUCKET}"), "characters that media may not have"),
    ("long_key", set_uri(f"s3://{BUCKET}/{'k' * 1_000}.jpeg"), "not an S3 URI"),
    ("missing_object", set_image("jobs/0f9c/pages/3b2a/2.jpeg", "jpeg"), "cannot be read (KeyError)"),
    ("png_called_jpeg", set_image("page.png", "jpeg"), "is png, not jpeg"),
    ("no_picture", set_image("text.jpeg", "jpeg"), "is no readable image"),
    ("empty_object", set_image("empty.jpeg", "jpeg"), "is no readable image"),
    ("torn_picture", set_image("torn.jpeg", "jpeg"), "is no readable image"),
    ("more_than_10_mb", set_image("11MB.png", "png"), "training takes 10000000"),
    ("more_than_converse_takes", set_image("4MB.png", "png"), "Converse takes 3750000"),
    ("narrow", set_image("narrow.jpeg", "jpeg"), "24 by 80 pixels"),
    ("too_long_for_converse", set_image("long.jpeg", "jpeg"), "60 by 8001 pixels"),
    ("eleven_images", lambda r: user(r).extend([image()] * 10), "11 images"),
    ("too_many_tokens", add_block({"text": "word " * 25_000}), "tokens, at most 32000"),
    ("too_many_tokens_of_chinese", add_block({"text": "請" * 15_000}), "tokens, at most 32000"),
    ("target_as_word", lambda r: assistant(r).__setitem__(0, {"text": "invoice"}), "not JSON of exactly"),
    ("target_in_two_blocks", lambda r: assistant(r).append(target()), "not JSON of exactly"),
    ("target_without_boundary", set_target(document_boundary=None), "not JSON of exactly"),
    ("target_with_more", set_target(confidence=1), "not JSON of exactly"),
    ("target_as_list", lambda r: assistant(r).__setitem__(0, {"text": "[]"}), "not JSON of exactly"),
    ("class_not_listed", set_target(**{"class": "bank"}), "class 'bank' is not in the prompt's list"),
    ("class_in_another_case", set_target(**{"class": "Invoice"}), "class 'Invoice' is not in the prompt's list"),
    ("class_no_text", set_target(**{"class": ["invoice"]}), "is not in the prompt's list"),
    ("boundary_of_another_word", set_target(document_boundary="middle"), "document_boundary is 'middle'"),
    ("without_image", lambda r: user(r).pop(1), "not homogeneous: lines 1, 3"),
    ("without_system", lambda r: r.pop("system"), "not homogeneous: lines 1, 3"),
]


def broken(change: Change) -> bytes:
    """Ten records, the third one changed."""
    records = [copy.deepcopy(RECORD) for _ in range(10)]
    change(records[2])
    return jsonl(records)


@pytest.mark.parametrize(("change", "problem"), [pytest.param(c, p, id=name) for name, c, p in BROKEN])
def test_a_broken_rule_is_reported_where_it_is_broken(change: Change, problem: str) -> None:
    found = check(broken(change))
    place = "file: " if problem.startswith("not homogeneous") else "line 3: "
    assert any(line.startswith(place) and problem in line for line in found)
    assert {line.split(":")[0] for line in found} <= {"line 3", "file"}


RESERVED = ["System:", "User:", "Bot:", "Assistant:", "[EOS]", "<image>", "<video>", "Thought:", "<unk>"]


@pytest.mark.parametrize("word", RESERVED)
@pytest.mark.parametrize("spelled", [str, str.upper, str.lower, "x{}y".format])
def test_a_reserved_word_is_reported_in_any_spelling(word: str, spelled: Callable[[str], str]) -> None:
    assert f"line 3: reserved word {word}" in check(broken(add_block({"text": spelled(word)})))


@pytest.mark.parametrize("place", [user, assistant, lambda r: r["system"]], ids=["user", "assistant", "system"])
def test_a_reserved_word_is_reported_in_every_text(place: Callable[[Record], Any]) -> None:
    content = broken(lambda record: place(record)[0].update(text="Operating System: Linux"))
    assert "line 3: reserved word System:" in check(content)


@pytest.mark.parametrize(("key", "form"), [("page.png", "png"), ("page.gif", "gif"), (PAGE, "jpeg")])
@pytest.mark.parametrize(("model", "count"), [(LITE_1, 8), (LITE_2, 200)])
def test_every_other_format_that_models_share_passes(key: str, form: str, model: str, count: int) -> None:
    record = copy.deepcopy(RECORD)
    set_image(key, form)(record)
    assert check(jsonl([record] * count), model) == []


def test_webp_is_for_nova_1_only() -> None:
    record = copy.deepcopy(RECORD)
    set_image("page.webp", "webp")(record)
    assert check(jsonl([record] * 8), LITE_1) == []
    assert all("image format 'webp'" in problem for problem in check(jsonl([record] * 200), LITE_2))
    assert len(check(jsonl([record] * 200), LITE_2)) == 200


def test_micro_takes_no_images() -> None:
    assert any("image format" in problem for problem in check(dataset(8), MICRO))


def test_an_image_is_read_once_however_often_it_stands_in_the_file() -> None:
    read: list[str] = []

    def read_object(key: str) -> bytes:
        read.append(key)
        return OBJECTS[key]

    check_dataset(dataset(8), model=LITE_1, bucket=BUCKET, read_object=read_object)
    assert read == [PAGE]
