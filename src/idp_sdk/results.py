"""What the API returns of models and configuration versions, and a page of any list. Times are UTC."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Generic, TypeVar

from idp_finetuning.classification.config_versions import ClassificationConfig
from idp_finetuning.nova.hyper_parameters import HyperParameterSpec
from idp_finetuning.nova.lifecycle import ModelLifecycle
from idp_finetuning.wire import UtcTime, WireModel

Item = TypeVar("Item")


class Page(WireModel, Generic[Item]):
    """A page of a list; `next_token` asks for the next one and is None on the last."""

    items: tuple[Item, ...]
    next_token: str | None = None


class BaseModel(WireModel):
    """A model that can be fine-tuned.

    `label` is "recommended" or "legacy"; a job takes at least `minimum_records` training pages, and at most
    `maximum_records` records of training and validation together. `offered` says whether this account offers it, and
    `lifecycle` where it is in its life; None if Bedrock did not say.
    """

    id: str
    name: str
    provider: str
    label: str
    minimum_records: int
    maximum_records: int
    validation_supported: bool
    hyper_parameters: tuple[HyperParameterSpec, ...] = ()
    offered: bool | None = None
    lifecycle: ModelLifecycle | None = None

    @property
    def lifecycle_warning(self) -> str | None:
        """What to know before training on it, if it is LEGACY or ends within a year."""
        return self.lifecycle.warn(self.name, datetime.now(UTC)) if self.lifecycle else None


class CustomModel(WireModel):
    """A fine-tuned model: `id` is the ARN of its deployment, `name` the job's, `base_model` a short name."""

    id: str
    name: str
    base_model: str
    status: str
    job_id: str


class AvailableModels(WireModel):
    """Base models, recommended before legacy, and custom models."""

    base_models: tuple[BaseModel, ...]
    custom_models: tuple[CustomModel, ...]


class ConfigVersion(WireModel):
    """A configuration version; `revision` grows with every change, `warnings` say what to know before using it."""

    name: str
    description: str
    active: bool
    built_in: bool
    classification: ClassificationConfig
    revision: int
    warnings: tuple[str, ...]
    created_at: UtcTime | None = None
    created_by: str | None = None
    updated_at: UtcTime | None = None
    updated_by: str | None = None
