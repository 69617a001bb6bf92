"""A test set in the making: documents whose pages have the colours of their classes."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import Any

from PIL import Image

from idp_finetuning.evaluation.report import EvaluationReport
from tests.support.domain.fake_converse import image_in
from tests.support.domain.samples import coloured_pdf

RED, BLUE = (1.0, 0.0, 0.0), (0.0, 0.0, 1.0)
CLASSES = {"invoice": RED, "letter": BLUE}


def shade(class_name: str, number: int) -> tuple[float, float, float]:
    """A colour of the class, another one for each number."""
    red, green, blue = CLASSES[class_name]
    return (red, green + number / 100, blue)


class ColouredTestSet:
    """The objects of the test set in its bucket."""

    def __init__(self, s3: Any, test_set_id: str = "extra") -> None:
        self._s3 = s3
        self._id = test_set_id

    def add(self, path: str, content: bytes, sections: Mapping[str, list[int] | None] | None) -> str:
        """Put a document with its labels into the bucket; the answer is its ETag."""
        for number, (name, pages) in enumerate((sections or {}).items(), 1):
            result: dict[str, Any] = {"document_class": {"type": name}}
            if pages is not None:
                result["split_document"] = {"page_indices": pages}
            key = f"{self._id}/baseline/{path}/sections/{number}/result.json"
            self._s3.put_object(Bucket="documents", Key=key, Body=json.dumps(result).encode())
        put = self._s3.put_object(Bucket="documents", Key=f"{self._id}/input/{path}", Body=content)
        return str(put["ETag"]).strip('"')

    def add_usual(self, documents: int = 8) -> None:
        """Documents of two pages, of both classes in turn."""
        for number in range(documents):
            name = ("invoice", "letter")[number % 2]
            self.add(f"{number}.pdf", coloured_pdf(shade(name, number), shade(name, number + 50)), {name: [0, 1]})


def class_by_colour(request: Mapping[str, Any]) -> str:
    """The class of the page that a model is asked about."""
    red, _, blue = Image.open(io.BytesIO(image_in(dict(request)))).convert("RGB").getpixel((5, 5))  # type: ignore[misc]
    return "invoice" if red > blue else "letter"


def reasons(report: EvaluationReport) -> dict[str, str]:
    """Why documents were left out."""
    return {item.path: item.reason for item in report.left_out}
