"""Operations on models, and on whether a test set can train one."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TypeVar

from pydantic import Field, field_serializer

from idp_finetuning.adapters.aws_calls import aws_calls
from idp_finetuning.adapters.services import Services
from idp_finetuning.errors import FinetuningError
from idp_finetuning.evaluation.expectation import ExpectedEvaluation, expect
from idp_finetuning.jobs.evaluation import JobEvaluation
from idp_finetuning.jobs.job import JobStatus
from idp_finetuning.nova.base_models import BaseModelSpec, base_models
from idp_finetuning.nova.hyper_parameters import HyperParameterSpec
from idp_finetuning.nova.lifecycle import ModelLifecycle
from idp_finetuning.operations.arguments import BaseModelId, Id, NoArguments
from idp_finetuning.operations.identity import Identity
from idp_finetuning.stages.page_counts import read_page_counts_or_start
from idp_finetuning.stages.read_labels import REQUEST_SECONDS, read_labels_or_start
from idp_finetuning.test_sets.split import DEFAULT_TRAIN_SPLIT, Repeat, TrainSplit
from idp_finetuning.test_sets.test_set import TestSetStatus
from idp_finetuning.test_sets.validation import Validation, validate
from idp_finetuning.wire import WireModel

T = TypeVar("T")


class ValidateArguments(WireModel):
    """Arguments of validateTestSetForFinetuning."""

    test_set_id: Id
    base_model: BaseModelId | None = None
    train_split: TrainSplit | None = None
    repeat: Repeat | None = None


class BaseModelView(WireModel):
    """A base model as the API shows it; `offered` and `lifecycle` are None if Bedrock did not say."""

    id: str
    name: str
    provider: str
    label: str
    minimum_records: int
    maximum_records: int
    validation_supported: bool
    hyper_parameters: tuple[HyperParameterSpec, ...]
    offered: bool | None
    lifecycle: ModelLifecycle | None


class CustomModelView(WireModel):
    """A deployed custom model; the id is the deployment's ARN."""

    id: str
    name: str
    base_model: str
    status: str
    job_id: str


class AvailableModels(WireModel):
    """The models a configuration version may use."""

    base_models: tuple[BaseModelView, ...]
    custom_models: tuple[CustomModelView, ...]


# Whose evaluations say how much models differ here.
_EARLIER_JOBS = 20
NOT_COUNTED = (
    "The pages of the documents are not counted yet, so only the labels say how many there are. Validate again in a "
    "few minutes."
)


class FinetuningValidation(Validation):
    """A verdict as the API shows it: the distribution as AWSJSON, without the paths of the held-out documents.

    With a base model it says what the held-out documents can prove.
    """

    held_out_paths: frozenset[str] = Field(exclude=True)
    evaluation: ExpectedEvaluation | None = None

    @field_serializer("class_distribution")
    def _to_json(self, value: dict[str, int]) -> str:
        return json.dumps(value, ensure_ascii=False)


def validate_test_set(arguments: ValidateArguments, identity: Identity, services: Services) -> FinetuningValidation:
    """Return the verdict on a test set, with the rules and the split that a job applies.

    With a base model, the real pages of the documents count if the test set is complete; without, only labels do.
    A test set that is being deleted is not read: its labels would be those of what is left, and be stored once more.
    Raises ValidationRunning while labels are read or pages are counted.
    """
    test_set = services.test_sets.get(arguments.test_set_id)
    if test_set.status is TestSetStatus.DELETING:
        return _refuse_deleting()
    read = read_labels_or_start(
        test_set,
        bucket=services.test_set_bucket,
        data=services.data,
        background=services.label_reader,
        within_seconds=REQUEST_SECONDS - services.seconds_used(),
    )
    counts = None
    if arguments.base_model:
        counts = read_page_counts_or_start(test_set, data=services.data, background=services.page_counter)
    verdict = validate(
        read.labels,
        train_split=DEFAULT_TRAIN_SPLIT if arguments.train_split is None else arguments.train_split,
        base_model=arguments.base_model,
        repeat=arguments.repeat or 1,
        uploading=read.uploading or test_set.status is not TestSetStatus.READY,
        counts=counts,
    )
    if arguments.base_model and counts is None and test_set.sealed_as:
        verdict = verdict.model_copy(update={"warnings": (*verdict.warnings, NOT_COUNTED)})
    evaluation = expect(verdict.validation_count, _earlier_evaluations(services)) if arguments.base_model else None
    return FinetuningValidation(**dict(verdict), evaluation=evaluation)


def _earlier_evaluations(services: Services) -> list[JobEvaluation]:
    """Return the evaluations of the newest jobs, of those that are completed."""
    newest = services.jobs.list(limit=_EARLIER_JOBS, next_token=None).items
    return [job.evaluation for job in newest if job.status is JobStatus.COMPLETED and job.evaluation]


def _refuse_deleting() -> FinetuningValidation:
    """Return the verdict on a test set that is being deleted."""
    return FinetuningValidation(
        is_valid=False,
        document_count=0,
        class_count=0,
        class_distribution={},
        train_count=0,
        validation_count=0,
        held_out_paths=frozenset(),
        warnings=(),
        errors=("The test set is not ready: it is being deleted. Choose another test set.",),
    )


def list_available_models(arguments: NoArguments, identity: Identity, services: Services) -> AvailableModels:
    """Return the catalogue, and the deployments of completed jobs, newest first, with their status in Bedrock.

    A deployment that Bedrock does not list was removed and is left out. If Bedrock does not respond, the job records
    decide.
    """
    offered = _ask(services.bedrock.fine_tunable_models)
    listed = _ask(services.bedrock.deployment_statuses)
    return AvailableModels(
        base_models=tuple(_show_base_model(model, offered) for model in base_models()),
        custom_models=tuple(
            CustomModelView(
                id=job.custom_model_deployment_arn,
                name=job.job_name,
                base_model=job.base_model_name,
                status="Active" if listed is None else listed[job.custom_model_deployment_arn],
                job_id=job.id,
            )
            for job in services.jobs.deployed()
            if listed is None or job.custom_model_deployment_arn in listed
        ),
    )


def _ask(call: Callable[[], T]) -> T | None:
    """Return the result of a call of Bedrock, or None if it fails: the list must not fail with it."""
    try:
        with aws_calls():
            return call()
    except FinetuningError:
        return None


def _show_base_model(model: BaseModelSpec, offered: Mapping[str, ModelLifecycle] | None) -> BaseModelView:
    listed = sorted(model.ids & (offered or {}).keys())
    return BaseModelView(
        id=model.id,
        name=model.name,
        provider=model.provider,
        label=model.label,
        minimum_records=model.minimum_records,
        maximum_records=model.maximum_records,
        validation_supported=model.validation_supported,
        hyper_parameters=model.hyper_parameters,
        offered=None if offered is None else bool(listed),
        lifecycle=offered[listed[0]] if offered and listed else None,
    )
