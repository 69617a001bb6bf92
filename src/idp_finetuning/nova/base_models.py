"""The base models that can be fine-tuned; their figures are in base_models.json, which an operator may edit."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Literal

from pydantic import Field, TypeAdapter, model_validator

from idp_finetuning.errors import InvalidInput
from idp_finetuning.wire import WireModel


class HyperParameters(WireModel):
    """Bedrock's hyperparameters for Nova with their ranges and defaults.

    Source: https://docs.aws.amazon.com/bedrock/latest/userguide/cm-hp-nova-mm.html. AWS publishes no table
    for Nova 2 on Bedrock; the same three are sent.
    """

    epoch_count: int = Field(default=2, ge=1, le=5)
    learning_rate: float = Field(default=1e-5, ge=1e-6, le=1e-4)
    learning_rate_warmup_steps: int = Field(default=10, ge=0, le=100)

    @model_validator(mode="before")
    @classmethod
    def _null_is_default(cls, values: object) -> object:
        return {k: v for k, v in values.items() if v is not None} if isinstance(values, dict) else values

    def for_bedrock(self) -> dict[str, str]:
        """Return the map of strings that CreateModelCustomizationJob takes."""
        return {
            "epochCount": str(self.epoch_count),
            "learningRate": f"{self.learning_rate:.10f}".rstrip("0"),
            "learningRateWarmupSteps": str(self.learning_rate_warmup_steps),
        }


class BaseModelSpec(WireModel):
    """One base model: its ids and names, and what a customization job on it takes."""

    id: str
    name: str
    short_name: str
    provider: str
    label: Literal["recommended", "legacy"]
    fine_tuning_id: str
    minimum_records: int
    maximum_records: int
    maximum_tokens_per_record: int
    validation_supported: bool

    @property
    def foundation_model_id(self) -> str:
        """The id without the Region prefix, for example amazon.nova-pro-v1:0."""
        return self.id.removeprefix("us.")


@cache
def base_models() -> tuple[BaseModelSpec, ...]:
    """Return the catalogue in the order shown to users: recommended before legacy."""
    text = resources.files("idp_finetuning.nova").joinpath("base_models.json").read_text(encoding="utf-8")
    return TypeAdapter(tuple[BaseModelSpec, ...]).validate_json(text)


def find_base_model(identifier: str) -> BaseModelSpec:
    """Return the model with this id: inference profile, plain or fine-tuning id.

    Raises InvalidInput, naming the supported ids, if there is none.
    """
    for model in base_models():
        if identifier in (model.id, model.foundation_model_id, model.fine_tuning_id):
            return model
    supported = ", ".join(model.id for model in base_models())
    raise InvalidInput(f"baseModel is not a model that can be fine-tuned. Choose one of: {supported}.")
