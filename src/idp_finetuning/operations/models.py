"""Operations on models and on what they could be trained with."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TypeVar

from pydantic import Field, field_serializer

from idp_finetuning.adapters.aws_calls import aws_calls
from idp_finetuning.adapters.services import Services
from idp_finetuning.errors import FinetuningError
from idp_finetuning.jobs.job import JobStatus
from idp_finetuning.nova.base_models import BaseModelSpec, base_models
from idp_finetuning.operations.arguments import BaseModelId, Id, NoArguments
from idp_finetuning.operations.identity import Identity
from idp_finetuning.stages.read_labels import read_test_set_or_start
from idp_finetuning.test_sets.split import DEFAULT_TRAIN_SPLIT
from idp_finetuning.test_sets.test_set import TestSetStatus
from idp_finetuning.test_sets.validation import Validation, validate
from idp_finetuning.wire import WireModel

T = TypeVar("T")


class ValidateArguments(WireModel):
    """Arguments of validateTestSetForFinetuning."""

    test_set_id: Id
    base_model: BaseModelId | None = None
    train_split: float | None = Field(default=None, ge=0.5, le=0.95)


class BaseModelView(WireModel):
    """A base model as the API shows it."""

    id: str
    name: str
    provider: str
    label: str
    minimum_records: int
    maximum_records: int
    validation_supported: bool
    offered: bool | None


class CustomModelView(WireModel):
    """A deployed custom model; the id is the deployment's ARN."""

    id: str
    name: str
    base_model: str
    status: str
    job_id: str


class AvailableModels(WireModel):
    """What a configuration may select."""

    base_models: tuple[BaseModelView, ...]
    custom_models: tuple[CustomModelView, ...]


class FinetuningValidation(Validation):
    """A verdict as the API shows it: the distribution as AWSJSON, without the paths of the held-out documents."""

    held_out_paths: frozenset[str] = Field(exclude=True)

    @field_serializer("class_distribution")
    def _to_json(self, value: dict[str, int]) -> str:
        return json.dumps(value, ensure_ascii=False)


def validate_test_set(arguments: ValidateArguments, identity: Identity, services: Services) -> FinetuningValidation:
    """Return the verdict on a test set, by the same rules and the same split as a job's."""
    test_set = services.test_sets.get(arguments.test_set_id)
    read = read_test_set_or_start(
        test_set.id, bucket=services.test_set_bucket, data=services.data, background=services.label_reader
    )
    verdict = validate(
        read.labels,
        train_split=DEFAULT_TRAIN_SPLIT if arguments.train_split is None else arguments.train_split,
        base_model=arguments.base_model,
        uploading=read.listing.uploading or test_set.status is not TestSetStatus.READY,
    )
    return FinetuningValidation(**dict(verdict))


def list_available_models(arguments: NoArguments, identity: Identity, services: Services) -> AvailableModels:
    """The catalogue, and the deployments of completed jobs, newest first, with the status Bedrock lists them with.

    A deployment Bedrock does not list is left out: somebody removed it. Where it does not answer, the records speak.
    """
    offered = _said_by(services.bedrock.fine_tunable_models)
    listed = _said_by(services.bedrock.deployment_statuses)
    return AvailableModels(
        base_models=tuple(_base_model(model, offered) for model in base_models()),
        custom_models=tuple(
            CustomModelView(
                id=arn,
                name=job.job_name,
                base_model=job.base_model_name,
                status=listed[arn] if listed else "Active",
                job_id=job.id,
            )
            for job in services.jobs.all()
            if job.status is JobStatus.COMPLETED
            and (arn := job.custom_model_deployment_arn)
            and (listed is None or arn in listed)
        ),
    )


def _said_by(call: Callable[[], T]) -> T | None:
    """What Bedrock answers; None where it does not, for the list shall not fail with it."""
    try:
        with aws_calls():
            return call()
    except FinetuningError:
        return None


def _base_model(model: BaseModelSpec, offered: frozenset[str] | None) -> BaseModelView:
    ids = {model.fine_tuning_id, model.foundation_model_id}
    return BaseModelView(
        **model.model_dump(include=set(BaseModelView.model_fields)),
        offered=None if offered is None else bool(ids & offered),
    )
