"""The catalogue of base models."""

from __future__ import annotations

import pytest

from idp_finetuning.errors import InvalidInput
from idp_finetuning.nova.base_models import BaseModelSpec, base_models, find_base_model
from tests.support.domain.service_model import string_problem


def test_recommended_models_stand_before_legacy_ones_as_the_guide_lists_them() -> None:
    assert [(model.id, model.name, model.label) for model in base_models()] == [
        ("us.amazon.nova-2-lite-v1:0", "Nova 2 Lite", "recommended"),
        ("us.amazon.nova-2-pro-v1:0", "Nova 2 Pro", "recommended"),
        ("us.amazon.nova-lite-v1:0", "Nova Lite v1", "legacy"),
        ("us.amazon.nova-pro-v1:0", "Nova Pro v1", "legacy"),
    ]


@pytest.mark.parametrize("model", base_models(), ids=lambda model: model.short_name)
def test_a_model_is_found_by_each_of_its_ids_and_named_as_bedrock_wants(model: BaseModelSpec) -> None:
    assert string_problem("bedrock", "BaseModelIdentifier", model.fine_tuning_id) is None
    for identifier in (model.id, model.foundation_model_id, model.fine_tuning_id):
        assert find_base_model(identifier) is model


@pytest.mark.parametrize(
    "identifier",
    ["", "nova", "us.amazon.nova-premier-v1:0", "US.AMAZON.NOVA-LITE-V1:0", "eu.amazon.nova-lite-v1:0", "x" * 200],
)
def test_an_unknown_model_is_refused_by_argument_with_those_there_are_and_without_its_value(identifier: str) -> None:
    with pytest.raises(InvalidInput, match=r"^baseModel is not .* Choose one of: us\.amazon\.nova-2-lite") as refused:
        find_base_model(identifier)
    assert not identifier or identifier == "nova" or identifier not in refused.value.message
