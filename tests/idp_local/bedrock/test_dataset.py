from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image

from idp_local.bedrock.dataset import RESERVED, DataRefused, Record, check
from idp_local.bedrock.foundation_models import MODELS
from idp_local.bedrock.s3 import Location
from tests.support.local.drawn import BUCKET, page, record

LITE = MODELS["amazon.nova-lite-v1:0:300k"]
NOVA_2 = MODELS["amazon.nova-2-lite-v1:0:256k"]
PAGE = page("letter", 1)
FILE = f"s3://{BUCKET}/train.jsonl"

Records = list[dict[str, Any]]


def file(name: str, **options: Any) -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (30, 30), "white").save(content, name, **options)
    return content.getvalue()


IMAGES = {
    "page.jpeg": PAGE,
    "page.png": file("PNG"),
    "page.gif": file("GIF"),
    "page.webp": file("WEBP"),
    "narrow.jpeg": page("letter", 1, size=(24, 800)),
    "smallest.jpeg": page("letter", 1, size=(25, 25)),
    "heavy.jpeg": PAGE + b"\0" * (10 * 1024 * 1024 - len(PAGE) + 1),
    "not-an-image.jpeg": b"%PDF-1.7",
}


def fetch(location: Location) -> bytes | None:
    return IMAGES.get(location.key)


def checked(lines: list[bytes], model: Any = LITE, **options: Any) -> list[Record]:
    return list(check(FILE, (line + b"\n" for line in lines), model, fetch, **options))


def lines_of(records: Records) -> list[bytes]:
    return [json.dumps(one).encode() for one in records]


def records(count: int = 8) -> Records:
    return [record("page.jpeg", "invoice") for _ in range(count)]


def user(one: dict[str, Any]) -> list[dict[str, Any]]:
    content: list[dict[str, Any]] = one["messages"][0]["content"]
    return content


def show(one: dict[str, Any], key: str, image_format: str = "jpeg", bucket: str = BUCKET) -> None:
    location = {"uri": f"s3://{bucket}/{key}"}
    user(one)[1] = {"image": {"format": image_format, "source": {"s3Location": location}}}


def test_a_valid_data_set_passes_with_its_images_and_answers() -> None:
    found = checked(lines_of(records(9)))
    assert [one.line for one in found] == list(range(1, 10))
    assert found[0].images == (PAGE,)
    assert json.loads(found[0].answer) == {"class": "invoice", "document_boundary": "start"}


Mutation = Callable[[dict[str, Any]], object]

BROKEN: list[tuple[str, Mutation, str]] = [
    ("other schema", lambda one: one.update(schemaVersion="bedrock-conversation-2023"), "schemaVersion"),
    ("no schema", lambda one: one.pop("schemaVersion"), "schemaVersion"),
    ("tools", lambda one: one.update(toolConfig={}), "unknown members"),
    ("system text alone", lambda one: one.update(system="You classify."), "system must be a list"),
    ("system image", lambda one: one.update(system=[user(one)[1]]), "system holds text blocks only"),
    ("no messages", lambda one: one.pop("messages"), "messages must be a list"),
    ("one message", lambda one: one["messages"].pop(), "at least"),
    ("assistant first", lambda one: one["messages"].reverse(), "first message must have the role user"),
    ("user last", lambda one: one["messages"].append(one["messages"][0]), "last message must have the role assistant"),
    ("user twice", lambda one: one["messages"].insert(0, one["messages"][0]), "must alternate"),
    ("system role", lambda one: one["messages"].insert(1, {"role": "system", "content": []}), "must alternate"),
    ("message name", lambda one: one["messages"][0].update(name="x"), "role and content"),
    ("no content", lambda one: one["messages"][0].update(content=[]), "content must not be empty"),
    ("empty text", lambda one: user(one)[0].update(text=""), "user text is empty"),
    ("spaces as text", lambda one: user(one)[0].update(text=" \n"), "user text is empty"),
    ("number as text", lambda one: user(one)[0].update(text=3), "user text is empty"),
    ("empty answer", lambda one: one["messages"][1].update(content=[{"text": ""}]), "assistant text is empty"),
    ("answered image", lambda one: one["messages"][1]["content"].append(user(one)[1]), "assistant message cannot"),
    ("two kinds in a block", lambda one: user(one)[1].update(text="x"), "neither text nor image"),
    ("video", lambda one: user(one).append({"video": {}}), "video cannot"),
    ("document", lambda one: user(one).append({"document": {}}), "documents are not supported"),
    ("tool use", lambda one: one["messages"][1]["content"].append({"toolUse": {}}), "tool use is not supported"),
    ("reasoning", lambda one: one["messages"][1]["content"].insert(0, {"reasoningContent": {}}), "reasoning"),
    ("tiff", lambda one: show(one, "page.tiff", "tiff"), "image format must be one of"),
    ("inline bytes", lambda one: user(one)[1]["image"].update(source={"bytes": "AAAA"}), "inline bytes"),
    ("owner", lambda one: user(one)[1]["image"]["source"]["s3Location"].update(bucketOwner="me"), "12 digits"),
    ("https", lambda one: user(one)[1]["image"]["source"]["s3Location"].update(uri="https://b/k"), "must be s3://"),
    ("key with a space", lambda one: show(one, "page 1.jpeg"), "letters, digits"),
    ("key with brackets", lambda one: show(one, "page(1).jpeg"), "letters, digits"),
    ("key with an umlaut", lambda one: show(one, "prüfung.jpeg"), "letters, digits"),
    ("no key", lambda one: show(one, ""), "letters, digits"),
    ("other bucket", lambda one: show(one, "page.jpeg", bucket="elsewhere"), "same bucket"),
    ("missing image", lambda one: show(one, "gone.jpeg"), "does not exist"),
    ("png called jpeg", lambda one: show(one, "page.png"), "declared as jpeg and is png"),
    ("pdf called jpeg", lambda one: show(one, "not-an-image.jpeg"), "declared as jpeg and is not an image"),
    ("narrow", lambda one: show(one, "narrow.jpeg"), "smaller than 25 px"),
    ("heavy", lambda one: show(one, "heavy.jpeg"), "larger than 10 MB"),
    ("eleven images", lambda one: user(one).extend([user(one)[1]] * 10), "11 images"),
    ("tokens", lambda one: user(one)[0].update(text="word " * 24_000), "token limit"),
]


@pytest.mark.parametrize(("mutate", "rule"), [case[1:] for case in BROKEN], ids=[case[0] for case in BROKEN])
def test_a_broken_rule_is_named_with_its_line(mutate: Mutation, rule: str) -> None:
    broken = records()
    mutate(broken[4])
    with pytest.raises(DataRefused, match=rule) as refused:
        checked(lines_of(broken))
    assert str(refused.value).startswith(f"{FILE}, line 5: ")


@pytest.mark.parametrize("word", RESERVED)
def test_a_reserved_token_is_found_anywhere_in_any_text_and_case(word: str) -> None:
    for place in (
        lambda one: one["system"][0],
        lambda one: user(one)[2],
        lambda one: one["messages"][1]["content"][0],
    ):
        broken = records()
        place(broken[0])["text"] = f"Operating {word.upper()} 7"
        with pytest.raises(DataRefused, match=r"line 1: .* reserved token"):
            checked(lines_of(broken))


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        (b"", "blank"),
        (b"   ", "blank"),
        (b"{", "not one JSON object"),
        (b"[]", "not one JSON object"),
        (b'{"schemaVersion": NaN}', "not one JSON object"),
        (b'{"schemaVersion": "\xff"}', "not one JSON object"),
        (b"[" * 100_000, "not one JSON object"),
    ],
)
def test_a_line_that_is_no_record_is_named(line: bytes, rule: str) -> None:
    with pytest.raises(DataRefused, match=f"line 3: .*{rule}"):
        checked([*lines_of(records(2)), line, *lines_of(records(6))])


def test_a_byte_order_mark_is_refused() -> None:
    first, *others = lines_of(records())
    with pytest.raises(DataRefused, match=r"line 1: .*byte order mark"):
        checked([b"\xef\xbb\xbf" + first, *others])


@pytest.mark.parametrize(("model", "least"), [(LITE, 8), (NOVA_2, 200)])
def test_each_model_has_its_least_number_of_records(model: Any, least: int) -> None:
    assert len(checked(lines_of(records(least)), model)) == least
    with pytest.raises(DataRefused, match=f"has {least - 1} records; .* at least {least}"):
        checked(lines_of(records(least - 1)), model)


def test_more_than_twenty_thousand_records_are_refused_without_reading_on() -> None:
    small = LITE.model_copy(update={"maximum_records": 10})
    assert LITE.maximum_records == NOVA_2.maximum_records == 20_000
    with pytest.raises(DataRefused, match="more than 10 records"):
        checked([*lines_of(records(10)), b"never parsed"], small)


def test_a_validation_file_may_be_short_but_not_empty() -> None:
    assert len(checked(lines_of(records(1)), validation=True)) == 1
    with pytest.raises(DataRefused, match="has 0 records"):
        checked([], validation=True)


@pytest.mark.parametrize("image_format", ["png", "gif", "webp"])
def test_nova_1_takes_every_format_and_nova_2_no_webp(image_format: str) -> None:
    several = records(200)
    show(several[0], f"page.{image_format}", image_format)
    assert len(checked(lines_of(several))) == 200
    if image_format == "webp":
        with pytest.raises(DataRefused, match="line 1: image format must be one of png, jpeg, gif"):
            checked(lines_of(several), NOVA_2)
    else:
        assert len(checked(lines_of(several), NOVA_2)) == 200


def test_nova_micro_takes_no_image() -> None:
    with pytest.raises(DataRefused, match="line 1: Nova Micro takes text only"):
        checked(lines_of(records()), MODELS["amazon.nova-micro-v1:0:128k"])


def test_limits_themselves_are_allowed() -> None:
    several = records()
    show(several[0], "smallest.jpeg")
    user(several[1]).extend([user(several[1])[1]] * 9)
    user(several[2])[1]["image"]["source"]["s3Location"]["bucketOwner"] = "123456789012"
    assert [len(one.images) for one in checked(lines_of(several))][:3] == [1, 10, 1]
