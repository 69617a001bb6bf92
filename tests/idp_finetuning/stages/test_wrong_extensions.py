"""A document is what its content says, whatever its name ends with."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from PIL import Image

from tests.support.domain.pipeline import Pipeline
from tests.support.domain.samples import coloured_pdf, image_bytes, job, result_json

BLUE = (20, 40, 200)
ROOT = f"jobs/{job().id}/"


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("sub 1/scan.pdf", image_bytes(Image.new("RGB", (60, 50), BLUE), "PNG")),
        ("sub 1/scan.png", coloured_pdf((20 / 255, 40 / 255, 200 / 255))),
        ("sub 1/scan.docx", image_bytes(Image.new("RGB", (60, 50), BLUE), "TIFF")),
        ("sub 1/scan", image_bytes(Image.new("RGB", (60, 50), BLUE), "JPEG")),
    ],
)
def test_a_document_named_for_another_type_is_taken_with_its_pixels(
    pipeline: Pipeline, s3: Any, event: dict[str, Any], path: str, content: bytes
) -> None:
    s3.put_object(Bucket="documents", Key=f"docsplit/input/{path}", Body=content)
    labels = f"docsplit/baseline/{path}/sections/1/result.json"
    s3.put_object(Bucket="documents", Key=labels, Body=result_json("letter", [0]))
    pipeline.run("ValidateTestSet", event)
    manifest = json.loads(s3.get_object(Bucket="data", Key=f"{ROOT}manifest.json")["Body"].read())
    (document,) = (found for found in manifest if found["key"].endswith(f"/input/{path}"))
    pipeline.run("GenerateExample", event | {"document": document})
    page = s3.get_object(Bucket="data", Key=f"{ROOT}pages/{document['documentId']}/1.jpeg")["Body"].read()
    assert Image.open(io.BytesIO(page)).resize((1, 1)).getpixel((0, 0)) == pytest.approx(BLUE, abs=4)
