"""Operations on configuration versions within the caller's scope."""

from __future__ import annotations

from idp_finetuning.adapters.services import Services
from idp_finetuning.adapters.tables.config_versions import refuse_stale
from idp_finetuning.adapters.tables.items import TransactionPart
from idp_finetuning.classification.config_versions import (
    DEFAULT_NAME,
    ConfigVersion,
    PromptDigests,
    default_version,
    require_usable,
)
from idp_finetuning.errors import ConfigVersionNotFound, Conflict, InvalidInput
from idp_finetuning.evaluation.gate import refuse_activation
from idp_finetuning.nova.prompt import Prompt
from idp_finetuning.operations.arguments import Input, JobArguments, NoArguments, PageArguments
from idp_finetuning.operations.config_version_inputs import (
    ActivationArguments,
    ClassificationConfigInput,
    CreateConfigVersionInput,
    UpdateConfigVersionInput,
    VersionArguments,
)
from idp_finetuning.operations.evaluation import read_report
from idp_finetuning.operations.identity import Identity, shown_name
from idp_finetuning.operations.model_choice import ChosenModel, find_model, require_model, require_prompt
from idp_finetuning.operations.scope import find_scope, require_in_scope
from idp_finetuning.pagination import Page
from idp_finetuning.wire import timestamp


def list_config_versions(arguments: PageArguments, identity: Identity, services: Services) -> Page[ConfigVersion]:
    """Return the versions in the caller's scope, newest first, `default` last."""
    scope = find_scope(identity, services)
    return services.config_versions.page(limit=arguments.size, next_token=arguments.next_token, allows=scope.allows)


def get_config_version(arguments: VersionArguments, identity: Identity, services: Services) -> ConfigVersion:
    """Return one version. Raises Unauthorized or ConfigVersionNotFound."""
    require_in_scope(identity, arguments.name, services)
    return services.config_versions.get(arguments.name)


def create_config_version(
    arguments: Input[CreateConfigVersionInput], identity: Identity, services: Services
) -> ConfigVersion:
    """Create a version with a name in the caller's scope.

    Settings that the request leaves out come from the job, else from `default`.
    """
    request = arguments.input
    if request.name == DEFAULT_NAME:
        raise InvalidInput(f"The name '{DEFAULT_NAME}' is reserved for the built-in version. Choose another name.")
    require_in_scope(identity, request.name, services)
    given = request.classification or ClassificationConfigInput()
    config, model = default_version(active=False).classification, None
    if request.from_job:
        model = require_model(services.jobs.get(request.from_job), identity, services)
        config = config.model_copy(update=dict(model.trained_prompt or ()))
    if given.model:
        model = find_model(given.model, identity, services)
    now, author = timestamp(), shown_name(identity, services)
    version = _with_model(
        ConfigVersion(
            name=request.name,
            description=request.description or "",
            classification=given.apply_to(config),
            revision=1,
            created_at=now,
            created_by=author,
            updated_at=now,
            updated_by=author,
        ),
        model,
    )
    require_usable(version)
    parts = [services.jobs.use(model.job_id, version.name)] if model and model.job_id else []
    services.config_versions.create(version, parts)
    return version


def update_config_version(
    arguments: Input[UpdateConfigVersionInput], identity: Identity, services: Services
) -> ConfigVersion:
    """Change a version. Raises Conflict if it no longer has the revision that the change is based on."""
    request = arguments.input
    require_in_scope(identity, request.name, services)
    _refuse_default(request.name, "changed")
    current = services.config_versions.get(request.name)
    if current.revision != request.revision:
        refuse_stale(current)
    given = request.classification or ClassificationConfigInput()
    changed = current.model_copy(
        update={
            "description": current.description if request.description is None else request.description,
            "classification": given.apply_to(current.classification),
            "revision": current.revision + 1,
            "updated_at": timestamp(),
            "updated_by": shown_name(identity, services),
        }
    )
    # A change that repeats the current model keeps it, without a look-up that could refuse this caller.
    if given.model and given.model != current.classification.model:
        changed = _with_model(changed, find_model(given.model, identity, services))
    require_usable(changed)
    services.config_versions.replace(
        changed, revision=current.revision, parts=_move_model_use(current, changed, services)
    )
    return changed


def activate_config_version(arguments: ActivationArguments, identity: Identity, services: Services) -> ConfigVersion:
    """Make a version the one that is used if a request names none. Idempotent.

    With `onlyIfBetter` it raises Conflict, with the verdict, unless the latest evaluation of the version's job proves
    it better than the active version.
    """
    require_in_scope(identity, arguments.name, services)
    if arguments.only_if_better:
        _require_better(services.config_versions.get(arguments.name), services)
    return services.config_versions.activate(arguments.name)


def _require_better(version: ConfigVersion, services: Services) -> None:
    job_id = version.classification.job_id
    if not job_id:
        raise Conflict(f"Configuration version '{version.name}' has a base model, which no job has evaluated.")
    report = read_report(services.jobs.get(job_id), services)
    active = services.config_versions.active()
    if reason := refuse_activation(report, version.classification, active.classification):
        raise Conflict(f"Configuration version '{version.name}' was not activated. {reason}")


def rollback_config_version(arguments: NoArguments, identity: Identity, services: Services) -> ConfigVersion:
    """Make the version active that was so before the last activation; a second call takes the first back.

    Raises Conflict if there is none, or it was deleted, Unauthorized if it is beyond the caller's scope.
    """
    before = services.config_versions.previous()
    if before is None:
        raise Conflict("No configuration version was active before. Activate one by its name.")
    require_in_scope(identity, before, services)
    try:
        return services.config_versions.activate(before)
    except ConfigVersionNotFound as gone:
        raise Conflict("The version that was active before was deleted. Activate another one by its name.") from gone


def delete_config_version(arguments: VersionArguments, identity: Identity, services: Services) -> bool:
    """Delete a version. Raises Conflict for the active and the built-in one."""
    require_in_scope(identity, arguments.name, services)
    _refuse_default(arguments.name, "deleted")
    version = services.config_versions.get(arguments.name)
    services.config_versions.delete(version, _move_model_use(version, None, services))
    return True


def get_finetuning_job_prompt(arguments: JobArguments, identity: Identity, services: Services) -> Prompt:
    """Return the prompt a job trains with. Raises Conflict if it does not exist yet."""
    return require_prompt(services.jobs.get(arguments.job_id), identity, services)


def _refuse_default(name: str, verb: str) -> None:
    if name == DEFAULT_NAME:
        raise Conflict(
            f"Configuration version '{DEFAULT_NAME}' is built in and cannot be {verb}. Create another version."
        )


def _with_model(version: ConfigVersion, model: ChosenModel | None) -> ConfigVersion:
    if not model:
        return version
    chosen = {"model": model.id, "model_name": model.name, "job_id": model.job_id}
    trained_with = PromptDigests.of(model.trained_prompt) if model.trained_prompt else None
    classification = version.classification.model_copy(update=chosen)
    return version.model_copy(update={"classification": classification, "trained_with": trained_with})


def _move_model_use(before: ConfigVersion, after: ConfigVersion | None, services: Services) -> list[TransactionPart]:
    """Return the parts of the transaction that update which versions use a job's model."""
    left, used = before.classification.job_id, after.classification.job_id if after else None
    if left == used:
        return []
    released = services.jobs.release(left, before.name) if left else None
    taken = services.jobs.use(used, before.name) if used else None
    return [part for part in (released, taken) if part]
