"""Hyperparameters: which a model has, in which range, and how they are sent."""

from __future__ import annotations

import random
from typing import Any

import pytest
from pydantic import ValidationError

from idp_finetuning.errors import InvalidInput
from idp_finetuning.nova.base_models import base_models, find_base_model
from idp_finetuning.nova.hyper_parameters import HyperParameters
from tests.support.domain.service_model import problems

NOVA_1 = find_base_model("us.amazon.nova-lite-v1:0")
NOVA_2 = find_base_model("us.amazon.nova-2-lite-v1:0")


def sent(model: Any, **given: Any) -> dict[str, str]:
    """What Bedrock gets of these values."""
    values: dict[str, str] = model.choose_hyper_parameters(HyperParameters(**given)).for_bedrock()
    return values


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, {"epochCount": "2", "learningRate": "0.00001", "learningRateWarmupSteps": "10"}),
        (
            {"epoch_count": 5, "learning_rate": 1e-4, "learning_rate_warmup_steps": 0},
            {"epochCount": "5", "learningRate": "0.0001", "learningRateWarmupSteps": "0"},
        ),
        (
            {"epoch_count": None, "learning_rate": 1e-6, "learning_rate_warmup_steps": 100},
            {"epochCount": "2", "learningRate": "0.000001", "learningRateWarmupSteps": "100"},
        ),
        ({"learning_rate": 2.5e-5}, {"epochCount": "2", "learningRate": "0.000025", "learningRateWarmupSteps": "10"}),
    ],
)
def test_nova_1_gets_its_three_as_plain_decimal_strings(given: dict[str, Any], expected: dict[str, str]) -> None:
    assert sent(NOVA_1, **given) == expected


def test_nova_2_gets_a_batch_size_and_a_warm_up_only_if_it_is_given() -> None:
    assert sent(NOVA_2) == {"epochCount": "2", "batchSize": "1", "learningRate": "0.00001"}
    assert sent(NOVA_2, learning_rate_warmup_steps=0)["learningRateWarmupSteps"] == "0"


def test_a_learning_rate_in_range_stays_in_range_when_it_is_written_down() -> None:
    rng = random.Random(6)
    for _ in range(1000):
        rate = rng.uniform(1e-6, 1e-4)
        written = sent(NOVA_1, learning_rate=rate)["learningRate"]
        assert 1e-6 <= float(written) <= 1e-4
        assert abs(float(written) - rate) < 1e-10
        assert "e" not in written


@pytest.mark.parametrize(
    ("model", "given"),
    [
        (NOVA_1, {"epoch_count": 0}),
        (NOVA_1, {"epoch_count": 6}),
        (NOVA_1, {"learning_rate": 9.9e-7}),
        (NOVA_1, {"learning_rate": 1.1e-4}),
        (NOVA_1, {"learning_rate": float("nan")}),
        (NOVA_1, {"learning_rate": float("inf")}),
        (NOVA_1, {"learning_rate_warmup_steps": -1}),
        (NOVA_1, {"learning_rate_warmup_steps": 101}),
        (NOVA_1, {"batch_size": 1}),
        (NOVA_2, {"batch_size": 2}),
        (NOVA_2, {"learning_rate_warmup_steps": 101}),
    ],
)
def test_what_the_model_does_not_have_or_not_so_is_refused_with_what_it_has(model: Any, given: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match=f"{model.name} takes epochCount \\(1 to 5\\)") as refused:
        model.choose_hyper_parameters(HyperParameters(**given))
    assert next(iter(HyperParameters(**given).given)) in refused.value.message


def test_a_count_is_a_whole_number() -> None:
    with pytest.raises(ValidationError):
        HyperParameters.model_validate({"epochCount": 1.5})


@pytest.mark.parametrize("model", base_models(), ids=lambda model: model.short_name)
def test_the_catalogue_is_consistent_and_bedrock_takes_its_names_and_values(model: Any) -> None:
    for item in model.hyper_parameters:
        assert item.allows(item.default)
        assert item.kind == "number" or item.default == int(item.default)
    request = {"hyperParameters": model.choose_hyper_parameters().for_bedrock()}
    wrong = problems("bedrock", "CreateModelCustomizationJob", "input", request)
    assert not [problem for problem in wrong if "hyperParameters" in str(problem)]
    assert model.optional_hyper_parameters.isdisjoint({"epochCount", "learningRate"})
