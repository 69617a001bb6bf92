from __future__ import annotations

import io
import json
from collections import Counter
from typing import Any

import pytest
from botocore.exceptions import ClientError
from PIL import Image

from idp_local.bedrock.converse import draw_answer
from idp_local.bedrock.trainer import classes_in
from tests.idp_local.bedrock.conftest import Job
from tests.support.local.drawn import BUCKET, CLASSES, page

BASE = "us.amazon.nova-lite-v1:0"
PROMPT = "Classes:\n" + "".join(f"{name}  \t[ a {name} ]\n" for name in CLASSES)

Blocks = list[dict[str, Any]]


def image(content: bytes, image_format: str = "jpeg") -> dict[str, Any]:
    return {"image": {"format": image_format, "source": {"bytes": content}}}


def ask(runtime: Any, model: str, *blocks: dict[str, Any], **more: Any) -> dict[str, Any]:
    answer: dict[str, Any] = runtime.converse(
        modelId=model, messages=[{"role": "user", "content": list(blocks)}], **more
    )
    return answer


def text_of(answer: dict[str, Any]) -> str:
    return str(answer["output"]["message"]["content"][0]["text"])


def refusal(runtime: Any, model: str, *blocks: dict[str, Any], **more: Any) -> str:
    with pytest.raises(ClientError) as refused:
        ask(runtime, model, *blocks, **more)
    assert refused.value.response["Error"]["Code"] == "ValidationException"
    return str(refused.value.response["Error"]["Message"])


def test_a_deployment_answers_with_class_and_boundary_and_counts_tokens(runtime: Any, deployed: str) -> None:
    system = [{"text": "You classify pages."}]
    settings = {"maxTokens": 100, "temperature": 0.0}
    shown = ({"text": PROMPT}, image(page("table", 900)), {"text": "Answer in JSON."})
    answer = ask(runtime, deployed, *shown, system=system, inferenceConfig=settings)
    assert set(json.loads(text_of(answer))) == {"class", "document_boundary"}
    assert answer["stopReason"] == "end_turn"
    usage = answer["usage"]
    assert usage["totalTokens"] == usage["inputTokens"] + usage["outputTokens"]
    assert ask(runtime, deployed, image(page("table", 900)))["usage"]["inputTokens"] < usage["inputTokens"]
    assert answer["metrics"]["latencyMs"] >= 0


def test_an_answer_longer_than_max_tokens_is_cut_and_says_so(runtime: Any, deployed: str) -> None:
    answer = ask(runtime, deployed, image(page("table", 900)), inferenceConfig={"maxTokens": 3})
    assert answer["stopReason"] == "max_tokens"
    assert len(text_of(answer)) == 12


def test_the_base_model_answers_at_chance_level_and_always_alike() -> None:
    answers = [json.loads(draw_answer(str(number).encode(), [PROMPT])) for number in range(600)]
    classes = Counter(answer["class"] for answer in answers)
    assert set(classes) == set(CLASSES)
    assert all(150 < count < 250 for count in classes.values())
    boundaries = Counter(answer["document_boundary"] for answer in answers)
    assert all(250 < boundaries[boundary] < 350 for boundary in ("start", "continue"))
    assert draw_answer(b"7", [PROMPT]) == draw_answer(b"7", [PROMPT])


@pytest.mark.parametrize(
    "model",
    [
        BASE,
        "us.amazon.nova-2-lite-v1:0",
        "us.amazon.nova-2-pro-v1:0",
        "us.amazon.nova-pro-v1:0",
        "amazon.nova-lite-v1:0",
        "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.amazon.nova-lite-v1:0",
        "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-pro-v1:0",
    ],
)
def test_base_models_answer_under_their_profiles_and_ids(runtime: Any, model: str) -> None:
    assert json.loads(text_of(ask(runtime, model, {"text": PROMPT}, image(page("form", 1)))))["class"] in CLASSES


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        ("amazon.nova-lite-v1:0:300k", "identifier is invalid"),
        ("amazon.nova-2-lite-v1:0:256k", "identifier is invalid"),
        ("amazon.nova-2-lite-v1:0", "inference profile"),
        ("trained-model", "identifier is invalid"),
        ("deployed", "identifier is invalid"),
    ],
)
def test_other_identifiers_are_refused(runtime: Any, trained: Job, deployed: str, model: str, reason: str) -> None:
    assert reason in refusal(runtime, model, {"text": PROMPT})


def test_without_a_class_list_or_a_page_the_stand_in_says_so_in_a_sentence(runtime: Any) -> None:
    assert text_of(ask(runtime, BASE, {"text": "What is this?"}, image(page("form", 1)))).endswith(".")
    assert text_of(ask(runtime, BASE, {"text": PROMPT})).endswith(".")


def test_the_class_list_is_read_from_the_prompt_line_by_line() -> None:
    text = "Pick one:\nbank statement  \t[ monthly, of an account ]\nw2  \t[]\nno list line [x]\nw2  \t[ again ]\r\n"
    assert classes_in(["nothing", text, "Other  \t[ x ]"]) == ["bank statement", "w2", "Other"]


def test_an_image_can_lie_in_s3(runtime: Any, deployed: str) -> None:
    location = {"uri": f"s3://{BUCKET}/jobs/1/pages/0/1.jpeg"}
    answer = ask(runtime, deployed, {"image": {"format": "jpeg", "source": {"s3Location": location}}})
    assert json.loads(text_of(answer))["class"] == CLASSES[0]


def blank(width: int, height: int) -> bytes:
    content = io.BytesIO()
    Image.new("1", (width, height), 1).save(content, "PNG")
    return content.getvalue()


PAGE = page("letter", 5)


@pytest.mark.parametrize(
    ("blocks", "reason"),
    [
        ([image(PAGE)] * 21, "20 images"),
        ([image(PAGE + b"\0" * int(3.75 * 1024 * 1024))], "3.75 MB"),
        ([image(blank(8001, 10), "png")], "8000 pixels"),
        ([image(PAGE, "png")], "declared with, png"),
        ([image(b"%PDF-1.7", "png")], "declared with, png"),
        ([image(PAGE, "tiff")], "enum value set"),
        ([{"text": " "}], "is blank"),
        ([], "must not be empty"),
        ([{"image": {"format": "jpeg", "source": {"s3Location": {"uri": "s3://nowhere/x.jpeg"}}}}], "s3Location"),
        ([{"document": {"format": "pdf", "name": "d", "source": {"bytes": b"x"}}}], "only text, and images"),
    ],
    ids=["21 images", "heavy", "wide", "jpeg as png", "pdf as png", "tiff", "blank", "empty", "gone", "document"],
)
def test_what_converse_does_not_take_is_refused_with_its_reason(runtime: Any, blocks: Blocks, reason: str) -> None:
    assert reason in refusal(runtime, BASE, *blocks)


def test_twenty_images_of_eight_thousand_pixels_are_taken(runtime: Any) -> None:
    blocks = [image(blank(8000, 10), "png")] * 20
    assert ask(runtime, BASE, {"text": PROMPT}, *blocks)["stopReason"] == "end_turn"


@pytest.mark.parametrize(
    "roles", [["assistant"], ["user", "user"], ["user", "assistant"], ["user", "assistant", "assistant", "user"]]
)
def test_a_conversation_alternates_and_ends_with_the_user(runtime: Any, roles: list[str]) -> None:
    messages = [{"role": role, "content": [{"text": "x"}]} for role in roles]
    with pytest.raises(ClientError, match="A conversation must"):
        runtime.converse(modelId=BASE, messages=messages)


def test_an_assistant_cannot_show_images(runtime: Any) -> None:
    first = {"role": "user", "content": [{"text": "x"}]}
    messages = [first, {"role": "assistant", "content": [image(PAGE)]}, first]
    with pytest.raises(ClientError, match="only text, and images of a user"):
        runtime.converse(modelId=BASE, messages=messages)


def test_tools_are_refused_rather_than_ignored(runtime: Any) -> None:
    tool = {"toolSpec": {"name": "t", "inputSchema": {"json": {"type": "object"}}}}
    assert "toolConfig" in refusal(runtime, BASE, {"text": "x"}, toolConfig={"tools": [tool]})
