"""The model a caller names: a base model of the catalogue, or the deployment of a job."""

from __future__ import annotations

from idp_finetuning.adapters.services import Services
from idp_finetuning.errors import Conflict, InvalidInput
from idp_finetuning.jobs.job import FinetuningJob, JobStatus
from idp_finetuning.jobs.layout import JobLayout
from idp_finetuning.nova.base_models import find_base_model
from idp_finetuning.nova.prompt import Prompt
from idp_finetuning.operations.identity import Identity
from idp_finetuning.operations.scope import require_in_scope
from idp_finetuning.wire import WireModel


class ChosenModel(WireModel):
    """A model by the `modelId` that Converse takes; a custom model has its job and the prompt it was trained with."""

    id: str
    name: str
    job_id: str | None = None
    trained_prompt: Prompt | None = None


def find_model(identifier: str, identity: Identity, services: Services) -> ChosenModel:
    """Return the base model with this id, or the custom model with this deployment ARN.

    Raises InvalidInput if there is none, Unauthorized if a custom model was trained with a configuration version
    beyond the caller's scope.
    """
    if not identifier.startswith("arn:"):
        try:
            model = find_base_model(identifier)
        except InvalidInput as error:
            raise _unknown_model() from error
        return ChosenModel(id=model.id, name=model.name)
    found = services.jobs.find_deployed(identifier)
    if found is None:
        raise _unknown_model()
    return require_model(services.jobs.get(found.id), identity, services)


def require_model(job: FinetuningJob, identity: Identity, services: Services) -> ChosenModel:
    """Return the deployed model of a completed job. Raises Conflict if it has none, Unauthorized as `find_model`."""
    _require_in_scope(job, identity, services)
    if job.status is not JobStatus.COMPLETED or not job.custom_model_deployment_arn:
        raise Conflict(f"Job '{job.id}' is {job.status} and has no deployed model. Wait until it is COMPLETED.")
    return ChosenModel(
        id=job.custom_model_deployment_arn,
        name=job.job_name,
        job_id=job.id,
        trained_prompt=require_prompt(job, identity, services),
    )


def require_prompt(job: FinetuningJob, identity: Identity, services: Services) -> Prompt:
    """Return the prompt a job trains with.

    Raises Unauthorized if it came from a configuration version beyond the caller's scope, Conflict if it does not
    exist yet.
    """
    _require_in_scope(job, identity, services)
    prompt = services.data.read_model(JobLayout(job_id=job.id).prompt, Prompt)
    if prompt is None:
        raise Conflict(
            f"Job '{job.id}' is {job.status} and has no prompt yet. It has one as soon as the test set is validated."
        )
    return prompt


def _require_in_scope(job: FinetuningJob, identity: Identity, services: Services) -> None:
    if job.config_version:
        require_in_scope(identity, job.config_version, services)


def _unknown_model() -> InvalidInput:
    return InvalidInput(
        "model is neither a base model's id nor the deployment ARN of a completed job. listAvailableModels shows the "
        "available models."
    )
