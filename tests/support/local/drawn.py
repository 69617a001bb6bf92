"""Drawn pages, and training records that show them."""

from __future__ import annotations

import copy
import io
import json
import random
from typing import Any

from PIL import Image, ImageDraw

CLASSES = ("letter", "table", "form")
BUCKET = "training-data"


def page(kind: str, seed: int, image_format: str = "JPEG", size: tuple[int, int] = (425, 550)) -> bytes:
    """Draw a page of one of the CLASSES, a little different for each seed."""
    chance = random.Random(seed)
    image = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(image)
    top = chance.randint(20, 60)
    for row in range(16):
        y = top + row * 28
        if kind == "letter":
            draw.line((40, y, 40 + chance.randint(180, 330), y), fill="black", width=4)
        elif kind == "table":
            for column in range(5):
                draw.rectangle((40 + column * 70, y, 110 + column * 70, y + 28), outline="black", width=2)
        else:
            draw.line((40, y + 20, 40 + chance.randint(60, 120), y), fill="black", width=4)
            draw.ellipse((250, y, 250 + chance.randint(15, 25), y + 18), outline="black", width=3)
    content = io.BytesIO()
    image.save(content, image_format)
    return content.getvalue()


def record(key: str, page_class: str, boundary: str = "start") -> dict[str, Any]:
    """Make a training record as the pipeline writes it, for the page image at a key of BUCKET."""
    uri = f"s3://{BUCKET}/{key}"
    prompt = "Choose a class.\n" + "".join(f"{name}  \t[ a {name} ]\n" for name in CLASSES)
    answer = json.dumps({"class": page_class, "document_boundary": boundary})
    content: dict[str, Any] = {
        "schemaVersion": "bedrock-conversation-2024",
        "system": [{"text": "You classify pages."}],
        "messages": [
            {
                "role": "user",
                "content": [
                    {"text": prompt},
                    {"image": {"format": "jpeg", "source": {"s3Location": {"uri": uri}}}},
                    {"text": "Answer in JSON."},
                ],
            },
            {"role": "assistant", "content": [{"text": answer}]},
        ],
    }
    return copy.deepcopy(content)


def jsonl(records: list[dict[str, Any]]) -> bytes:
    """Write records as a JSONL file."""
    return "".join(json.dumps(one) + "\n" for one in records).encode()
