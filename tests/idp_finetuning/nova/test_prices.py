"""The price file: every base model with a price has its own, and a cost is what a hand comes to."""

from __future__ import annotations

from datetime import date

import pytest

from idp_finetuning.nova.base_models import base_models
from idp_finetuning.nova.prices import Usage, prices


def test_prices_are_of_a_day_and_of_models_that_are_offered_with_their_sources() -> None:
    found = prices()
    assert date.fromisoformat(found.as_of) <= date(2026, 11, 27)
    assert found.region == "us-east-1"
    assert set(found.inference) <= {model.id for model in base_models()}
    assert all(0 < price.input < price.output and price.source for price in found.inference.values())


def test_tokens_cost_what_a_hand_comes_to() -> None:
    price = prices().inference["us.amazon.nova-pro-v1:0"]
    assert price.cost(Usage(calls=1, input_tokens=1_000_000, output_tokens=500_000)) == pytest.approx(0.8 + 1.6)


def test_usages_add_up() -> None:
    one = Usage(calls=1, input_tokens=2_000, output_tokens=10)
    assert one + one == Usage(calls=2, input_tokens=4_000, output_tokens=20)
