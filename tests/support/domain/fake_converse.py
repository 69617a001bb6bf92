"""bedrock-runtime in memory: a model that answers as it is told; requests are held against botocore's model."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from idp_finetuning.nova.prompt import Boundary, PageLabel
from tests.support.domain.fake_bedrock import client_error
from tests.support.domain.service_model import AnyClient, problems

# Of every request and every answer.
INPUT_TOKENS = 2_000
OUTPUT_TOKENS = 10

Reply = Callable[[dict[str, Any]], str]


def label(class_name: str, boundary: Boundary = Boundary.START) -> str:
    """An answer in the form that was asked for."""
    return PageLabel(class_name=class_name, boundary=boundary).to_answer()


class FakeConverse(AnyClient):  # type: ignore[misc]
    """Answers each request by `reply`; `failures` are error codes that come first; `most_at_once` counts callers."""

    def __init__(self, reply: Reply = lambda _: label("invoice")) -> None:
        self.reply = reply
        self.requests: list[dict[str, Any]] = []
        self.failures: list[str] = []
        self.seconds_each = 0.0
        self.most_at_once = 0
        self._at_once = 0
        self._lock = threading.Lock()

    def converse(self, **request: Any) -> dict[str, Any]:
        """Bedrock's Converse."""
        assert not (wrong := problems("bedrock-runtime", "Converse", "input", request)), wrong
        with self._lock:
            self.requests.append(request)
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
            failure = self.failures.pop(0) if self.failures else None
        time.sleep(self.seconds_each)
        with self._lock:
            self._at_once -= 1
        if failure:
            raise client_error("Converse", failure)
        return {
            "output": {"message": {"role": "assistant", "content": [{"text": self.reply(request)}]}},
            "usage": {"inputTokens": INPUT_TOKENS, "outputTokens": OUTPUT_TOKENS},
        }


def image_in(request: dict[str, Any]) -> bytes:
    """The page of a request."""
    blocks = request["messages"][0]["content"]
    page: bytes = next(block["image"]["source"]["bytes"] for block in blocks if "image" in block)
    return page


def texts_in(request: dict[str, Any]) -> list[str]:
    """Every text block of a request or a training record, the system's first."""
    blocks = [*request["system"], *request["messages"][0]["content"]]
    return [block["text"] for block in blocks if "text" in block]
