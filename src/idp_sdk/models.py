"""`client.models`: the models that can be fine-tuned, and those that were."""

from __future__ import annotations

from idp_sdk import operations
from idp_sdk.api import Api
from idp_sdk.results import AvailableModels


class Models:
    """Lists models."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def list_available_models(self) -> AvailableModels:
        """Return the base models and the custom models."""
        return self._api.call(operations.LIST_MODELS)
