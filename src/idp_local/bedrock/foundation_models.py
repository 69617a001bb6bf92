"""The Nova base models: what each takes for fine-tuning, its ids for inference, and ListFoundationModels."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from idp_local.bedrock.errors import invalid

# What an account in us-east-1 can fine-tune (Bedrock user guide, "custom-model-fine-tuning").
DEFAULT_FINE_TUNABLE = (
    "amazon.nova-2-lite-v1:0:256k",
    "amazon.nova-lite-v1:0:300k",
    "amazon.nova-micro-v1:0:128k",
    "amazon.nova-pro-v1:0:300k",
)


# Hyperparameters of Nova fine-tuning: parser, least, most, default. All but batchSize are those of Nova v1 (Bedrock
# user guide, "cm-hp-nova-mm"). No table is published for Nova 2: AWS's own sample (amazon-nova-samples, Nova 2 Lite)
# sends a batchSize of 1 and no learningRateWarmupSteps, and it is not known whether Nova 2 takes the latter.
_HYPERPARAMETERS: Mapping[str, tuple[type[int] | type[float], float, float, str]] = {
    "epochCount": (int, 1, 5, "2"),
    "batchSize": (int, 1, 256, "1"),
    "learningRate": (float, 1e-6, 1e-4, "0.00001"),
    "learningRateWarmupSteps": (int, 0, 100, "10"),
}
Nova2HyperParameter = Literal["batchSize", "learningRateWarmupSteps"]


class FineTunableModel(BaseModel):
    """What Bedrock takes to fine-tune one base model; limits that all of them share are in `dataset`."""

    model_config = ConfigDict(frozen=True)

    id: str
    name: str
    minimum_records: int = 8  # Nova user guide, "fine-tune-prepare-data-understanding"
    maximum_records: int = 20_000
    image_formats: tuple[str, ...] = ("png", "jpeg", "gif", "webp")
    validation_set: bool = True
    hyperparameters: tuple[str, ...] = ("epochCount", "learningRate", "learningRateWarmupSteps")
    is_nova_2: bool = False
    # The most a page costs (Nova user guide, "modalities-image"); Nova 2 counts every image alike.
    tokens_per_image: int = 2_600

    @property
    def plain_id(self) -> str:
        """Id without the context length: baseModelName shows it and inference takes it."""
        return self.id.rpartition(":")[0]

    def default(self, hyperparameter: str) -> str | None:
        """Return Bedrock's default, or None if the hyperparameter stays unset unless it is given."""
        is_unset = self.is_nova_2 and hyperparameter == "learningRateWarmupSteps"
        return None if is_unset else _HYPERPARAMETERS[hyperparameter][3]

    def arn(self, region: str) -> str:
        """Return the ARN of the foundation model under its fine-tuning id."""
        return f"arn:aws:bedrock:{region}::foundation-model/{self.id}"


def _nova_2(model_id: str, name: str) -> FineTunableModel:
    # 200 records and no webp: AWS's Nova validators (nova-samples); no validation set: Nova 2 guide,
    # "nova-2-sft-data-prep".
    return FineTunableModel(
        id=model_id,
        name=name,
        minimum_records=200,
        image_formats=("png", "jpeg", "gif"),
        validation_set=False,
        hyperparameters=("epochCount", "batchSize", "learningRate", "learningRateWarmupSteps"),
        is_nova_2=True,
        tokens_per_image=230,
    )


MODELS = {
    model.id: model
    for model in (
        _nova_2("amazon.nova-2-lite-v1:0:256k", "Nova 2 Lite"),
        _nova_2("amazon.nova-2-pro-v1:0:256k", "Nova 2 Pro"),
        FineTunableModel(id="amazon.nova-lite-v1:0:300k", name="Nova Lite"),
        FineTunableModel(id="amazon.nova-pro-v1:0:300k", name="Nova Pro"),
        FineTunableModel(id="amazon.nova-micro-v1:0:128k", name="Nova Micro", image_formats=()),
    )
}

# Converse takes the cross-Region profiles and, for the first generation, the plain ids too.
INFERENCE_PROFILES = frozenset(f"us.{model.plain_id}" for model in MODELS.values())
ON_DEMAND_IDS = frozenset(model.plain_id for model in MODELS.values() if not model.is_nova_2)


def select_models(ids: Sequence[str]) -> dict[str, FineTunableModel]:
    """Return the fine-tunable models with these ids; ValueError for an id that is not in MODELS."""
    unknown = [model_id for model_id in ids if model_id not in MODELS]
    if unknown:
        raise ValueError(f"unknown fine-tunable models {unknown}; known are {sorted(MODELS)}")
    return {model_id: MODELS[model_id] for model_id in ids}


# Python's own parsers also take spaces, underscores and words.
_NUMBER = re.compile(r"[0-9.eE+-]+")


def complete_hyperparameters(model: FineTunableModel, given: Mapping[str, str]) -> dict[str, str]:
    """Return every hyperparameter as a string, defaults filled in; ValidationException for a wrong name or value."""
    for name, text in given.items():
        if name not in model.hyperparameters:
            allowed = ", ".join(model.hyperparameters)
            raise invalid(f"The hyperparameter {name} is not valid for this model. Valid hyperparameters: {allowed}.")
        parse, least, most, _ = _HYPERPARAMETERS[name]
        try:
            value = parse(text) if _NUMBER.fullmatch(text) else None
        except ValueError:
            value = None
        if value is None or not least <= value <= most:
            kind = "an integer" if parse is int else "a number"
            raise invalid(f"The hyperparameter {name} must be {kind} from {least:g} to {most:g}; it is {text!r}.")
    values = {name: given.get(name, model.default(name)) for name in model.hyperparameters}
    return {name: value for name, value in values.items() if value is not None}


class FoundationModels:
    """ListFoundationModels, over the models the account can fine-tune."""

    def __init__(self, region: str, models: Mapping[str, FineTunableModel]) -> None:
        self._region = region
        self._models = models

    def list(self, request: dict[str, Any]) -> dict[str, Any]:
        """ListFoundationModels, with all its filters."""
        rows = [self._summary(model) for model in self._models.values()]
        filters: Mapping[str, Callable[[dict[str, Any], str], bool]] = {
            "byProvider": lambda row, provider: str(row["providerName"]).lower() == provider.lower(),
            "byCustomizationType": lambda row, kind: kind in row["customizationsSupported"],
            "byOutputModality": lambda row, modality: modality in row["outputModalities"],
            "byInferenceType": lambda row, kind: kind in row["inferenceTypesSupported"],
        }
        kept = [row for row in rows if all(filters[name](row, value) for name, value in request.items())]
        return {"modelSummaries": kept}

    def _summary(self, model: FineTunableModel) -> dict[str, Any]:
        return {
            "modelArn": model.arn(self._region),
            "modelId": model.id,
            "modelName": model.name,
            "providerName": "Amazon",
            "inputModalities": ["TEXT", "IMAGE"] if model.image_formats else ["TEXT"],
            "outputModalities": ["TEXT"],
            "responseStreamingSupported": True,
            "customizationsSupported": ["FINE_TUNING"],
            "inferenceTypesSupported": ["PROVISIONED"],
            "modelLifecycle": {"status": "ACTIVE"},
        }
