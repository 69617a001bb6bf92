"""The Nova base models the local Bedrock knows: what each takes for fine-tuning and under which ids it answers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict

from idp_local.bedrock.errors import invalid

# The ids an account is offered for fine-tuning [docs: custom-model-fine-tuning, us-east-1].
DEFAULT_FINE_TUNABLE = (
    "amazon.nova-2-lite-v1:0:256k",
    "amazon.nova-lite-v1:0:300k",
    "amazon.nova-micro-v1:0:128k",
    "amazon.nova-pro-v1:0:300k",
)


class FineTunableModel(BaseModel):
    """What Bedrock takes to fine-tune one base model; sizes are records, image limits are in `dataset`."""

    model_config = ConfigDict(frozen=True)

    id: str
    name: str
    minimum_records: int = 8  # [docs: nova/fine-tune-prepare-data-understanding]
    maximum_records: int = 20_000
    image_formats: tuple[str, ...] = ("png", "jpeg", "gif", "webp")
    validation_set: bool = True
    # The most a page costs [docs: nova modalities-image]; Nova 2 counts every image alike.
    tokens_per_image: int = 2_600

    @property
    def plain_id(self) -> str:
        """Id without the context length: what baseModelName shows and inference takes."""
        return self.id.rpartition(":")[0]

    def arn(self, region: str) -> str:
        """ARN of the foundation model under its fine-tuning id."""
        return f"arn:aws:bedrock:{region}::foundation-model/{self.id}"


def _nova_2(model_id: str, name: str) -> FineTunableModel:
    # 200 records and no webp: AWS's Nova validators; no validation set: docs nova-2-sft-data-prep.
    return FineTunableModel(
        id=model_id,
        name=name,
        minimum_records=200,
        image_formats=("png", "jpeg", "gif"),
        validation_set=False,
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
ON_DEMAND_IDS = frozenset(model.plain_id for model in MODELS.values() if model.validation_set)


def offered(ids: Sequence[str]) -> dict[str, FineTunableModel]:
    """The fine-tunable models an account is offered; ValueError for an id this server does not know."""
    unknown = [model_id for model_id in ids if model_id not in MODELS]
    if unknown:
        raise ValueError(f"unknown fine-tunable models {unknown}; known are {sorted(MODELS)}")
    return {model_id: MODELS[model_id] for model_id in ids}


# Hyperparameters of Nova fine-tuning: parser, least, most, default [docs: cm-hp-nova-mm]. No table is published for
# Nova 2; it takes the same here.
_HYPERPARAMETERS: Mapping[str, tuple[type[int] | type[float], float, float, str]] = {
    "epochCount": (int, 1, 5, "2"),
    "learningRate": (float, 1e-6, 1e-4, "0.00001"),
    "learningRateWarmupSteps": (int, 0, 100, "10"),
}
# Python's own parsers also take spaces, underscores and words.
_NUMBER = re.compile(r"[0-9.eE+-]+")


def hyperparameters(given: Mapping[str, str]) -> dict[str, str]:
    """Every hyperparameter as a string, defaults filled in; ValidationException for a name or value Nova refuses."""
    for name, text in given.items():
        if name not in _HYPERPARAMETERS:
            allowed = ", ".join(_HYPERPARAMETERS)
            raise invalid(f"The hyperparameter {name} is not valid for this model. Valid hyperparameters: {allowed}.")
        parse, least, most, _ = _HYPERPARAMETERS[name]
        try:
            value = parse(text) if _NUMBER.fullmatch(text) else None
        except ValueError:
            value = None
        if value is None or not least <= value <= most:
            kind = "an integer" if parse is int else "a number"
            raise invalid(f"The hyperparameter {name} must be {kind} from {least:g} to {most:g}; it is {text!r}.")
    return {name: given.get(name, default) for name, (_, _, _, default) in _HYPERPARAMETERS.items()}


def summary(model: FineTunableModel, region: str) -> dict[str, Any]:
    """One row of ListFoundationModels."""
    return {
        "modelArn": model.arn(region),
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
