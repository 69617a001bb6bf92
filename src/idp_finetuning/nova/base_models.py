"""The base models that can be fine-tuned; their figures are in base_models.json, which an operator may edit."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Literal

from pydantic import TypeAdapter

from idp_finetuning.errors import InvalidInput
from idp_finetuning.nova.hyper_parameters import HyperParameters, HyperParameterSpec
from idp_finetuning.wire import WireModel


class BaseModelSpec(WireModel):
    """One base model: its ids and names, and what a customization job on it takes.

    `minimum_records` counts training records, `maximum_records` those of training and validation together.
    """

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
    hyper_parameters: tuple[HyperParameterSpec, ...]

    @property
    def foundation_model_id(self) -> str:
        """The id without the Region prefix, for example amazon.nova-pro-v1:0."""
        return self.id.removeprefix("us.")

    @property
    def ids(self) -> frozenset[str]:
        """The ids Bedrock may list it by: the plain one, and the one with the context length."""
        return frozenset({self.foundation_model_id, self.fine_tuning_id})

    @property
    def optional_hyper_parameters(self) -> frozenset[str]:
        """Names of those a job is created without if Bedrock refuses them."""
        return frozenset(item.name for item in self.hyper_parameters if item.optional)

    def choose_hyper_parameters(self, given: HyperParameters | None = None) -> HyperParameters:
        """Return what a job sends: the given values, and the defaults of those that are always sent.

        Raises InvalidInput, naming the model's hyperparameters, if a given one is none of them or out of range.
        """
        wanted = given.given if given else {}
        known = {item.name: item for item in self.hyper_parameters}
        takes = f"{self.name} takes {', '.join(f'{item.name} ({item.range})' for item in self.hyper_parameters)}."
        if unknown := [name for name in wanted if name not in known]:
            raise InvalidInput(f"{self.name} has no hyperparameter {' and no '.join(unknown)}. {takes}")
        for name, item in known.items():
            if name in wanted and not item.allows(wanted[name]):
                raise InvalidInput(f"The value of {name} is out of range. {takes}")
        return HyperParameters.model_validate(
            {name: wanted.get(name, item.default) for name, item in known.items() if item.sent or name in wanted}
        )

    def refuse_records(self, *, training_pages: int, held_out_pages: int, repeat: int, of: str) -> str | None:
        """Return why Bedrock would refuse so many records, or None if it takes them.

        Each training page is written `repeat` times; held-out pages are records if the model takes a validation file.
        `of` says what has the pages, for example "this test set".
        """
        validation = held_out_pages if self.validation_supported else 0
        total = training_pages * repeat + validation
        if total <= self.maximum_records:
            return None
        times = f" (each {repeat} times)" if repeat > 1 else ""
        and_held_out = f" and {validation} held-out pages" if validation else ""
        return (
            f"{self.name} takes at most {self.maximum_records} records; {of} makes {total}: {training_pages} training "
            f"pages{times}{and_held_out}. Remove documents{' or lower repeat' if repeat > 1 else ''}."
        )


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
        if identifier == model.id or identifier in model.ids:
            return model
    supported = ", ".join(model.id for model in base_models())
    raise InvalidInput(f"baseModel is not a model that can be fine-tuned. Choose one of: {supported}.")
