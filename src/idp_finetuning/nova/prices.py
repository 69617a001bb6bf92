"""What inference costs; the figures are in prices.json with their date and source, and an operator may edit them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import resources

from idp_finetuning.wire import WireModel

_TOKENS = 1_000_000


class Usage(WireModel):
    """How often models were asked, and the tokens that Bedrock counted for it."""

    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            calls=self.calls + other.calls,
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
        )


class InferencePrice(WireModel):
    """US dollars for a million tokens, on demand.

    A deployment of a custom model costs what its base model costs [docs:deploy-custom-model-on-demand].
    """

    input: float
    output: float
    source: str

    def cost(self, usage: Usage) -> float:
        """Return US dollars."""
        return (usage.input_tokens * self.input + usage.output_tokens * self.output) / _TOKENS


class Prices(WireModel):
    """Prices of one day in one Region, by the id of the base model; what is not in it is not known."""

    as_of: str
    region: str
    inference: Mapping[str, InferencePrice]


@cache
def prices() -> Prices:
    """Return the prices of prices.json."""
    text = resources.files("idp_finetuning.nova").joinpath("prices.json").read_text(encoding="utf-8")
    return Prices.model_validate_json(text)
