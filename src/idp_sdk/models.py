"""`client.models`: the models that can be fine-tuned, and those that were."""

from __future__ import annotations

from idp_sdk import operations
from idp_sdk.api import Api
from idp_sdk.results import Result


class BaseModel(Result):
    """A model that can be fine-tuned.

    `label` is "recommended" or "legacy"; a job takes `minimum_records` to `maximum_records` training pages. `offered`
    says whether this account offers it; None where Bedrock did not say.
    """

    id: str
    name: str
    provider: str
    label: str
    minimum_records: int
    maximum_records: int
    validation_supported: bool
    offered: bool | None = None


class CustomModel(Result):
    """A fine-tuned model: `id` is the ARN of its deployment, `name` the job's, `base_model` a short name."""

    id: str
    name: str
    base_model: str
    status: str
    job_id: str


class AvailableModels(Result):
    """Base models, recommended before legacy, and custom models."""

    base_models: tuple[BaseModel, ...]
    custom_models: tuple[CustomModel, ...]


class Models:
    """The models one may name."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def list_available_models(self) -> AvailableModels:
        """Base models and custom models."""
        return AvailableModels.read(self._api.call(operations.LIST_MODELS))
