"""From a GraphQL field to its operation, and from its outcome to the answer the API's resolver expects."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from idp_finetuning.adapters.services import Services
from idp_finetuning.errors import AwsCallRefused, FinetuningError, InternalError, InvalidInput, SettingMissing
from idp_finetuning.operations import (
    arguments,
    classification,
    config_version_inputs,
    config_versions,
    job_control,
    jobs,
    models,
    test_sets,
    users,
)
from idp_finetuning.operations.identity import Identity, authorize
from idp_finetuning.wire import WireModel

Operation = Callable[[Any, Identity, Services], Any]

OPERATIONS: Mapping[str, tuple[type[BaseModel], Operation]] = {
    "listFinetuningJobs": (arguments.PageArguments, jobs.list_finetuning_jobs),
    "getFinetuningJob": (arguments.JobArguments, jobs.get_finetuning_job),
    "getDatasetReport": (arguments.JobArguments, jobs.get_dataset_report),
    "startFinetuningJob": (job_control.StartArguments, job_control.start_finetuning_job),
    "createFinetuningJob": (job_control.StartArguments, job_control.start_finetuning_job),
    "listFinetuningJobEvents": (jobs.JobEventsArguments, jobs.list_finetuning_job_events),
    "stopFinetuningJob": (arguments.JobArguments, job_control.stop_finetuning_job),
    "retryFinetuningJob": (arguments.JobArguments, job_control.retry_finetuning_job),
    "deleteFinetuningJob": (arguments.JobArguments, job_control.delete_finetuning_job),
    "validateTestSetForFinetuning": (models.ValidateArguments, models.validate_test_set),
    "listAvailableModels": (arguments.NoArguments, models.list_available_models),
    "listTestSets": (arguments.PageArguments, test_sets.list_test_sets),
    "getTestSet": (test_sets.TestSetArguments, test_sets.get_test_set),
    "createTestSet": (test_sets.CreateTestSetArguments, test_sets.create_test_set),
    "createTestSetUploads": (test_sets.UploadsArguments, test_sets.create_test_set_uploads),
    "deleteTestSet": (test_sets.TestSetArguments, test_sets.delete_test_set),
    "completeTestSet": (test_sets.TestSetArguments, test_sets.complete_test_set),
    "getFinetuningJobPrompt": (arguments.JobArguments, config_versions.get_finetuning_job_prompt),
    "listConfigVersions": (arguments.PageArguments, config_versions.list_config_versions),
    "getConfigVersion": (config_version_inputs.VersionArguments, config_versions.get_config_version),
    "createConfigVersion": (config_version_inputs.CreateArguments, config_versions.create_config_version),
    "updateConfigVersion": (config_version_inputs.UpdateArguments, config_versions.update_config_version),
    "activateConfigVersion": (config_version_inputs.VersionArguments, config_versions.activate_config_version),
    "deleteConfigVersion": (config_version_inputs.VersionArguments, config_versions.delete_config_version),
    "createClassificationUpload": (
        classification.ClassificationUploadArguments,
        classification.create_classification_upload,
    ),
    "startClassification": (classification.StartClassificationArguments, classification.start_classification),
    "getClassification": (classification.ClassificationArguments, classification.get_classification),
    "getMyProfile": (arguments.NoArguments, users.get_my_profile),
    "listUsers": (arguments.PageArguments, users.list_users),
    "updateUser": (users.UpdateUserArguments, users.update_user),
}


class ResolverEvent(WireModel):
    """What graphql/resolver.js sends."""

    field: str
    arguments: dict[str, Any]
    identity: Identity


def answer(event: ResolverEvent, services: Services) -> Any:
    """JSON-ready data of the field. Raises a FinetuningError."""
    authorize(event.field, event.identity)
    arguments_model, operation = OPERATIONS[event.field]
    try:
        given = arguments_model.model_validate(event.arguments)
    except ValidationError as error:
        raise InvalidInput(_explained(error)) from error
    result = operation(given, event.identity, services)
    return result.to_wire() if isinstance(result, WireModel) else result


def error_answer(error: FinetuningError) -> dict[str, Any]:
    """The error a client sees; what only operators can mend is an InternalError without details."""
    if isinstance(error, AwsCallRefused | SettingMissing):
        error = InternalError("The service could not carry this out. Ask its operator to look at the resolver's log.")
    return {"error": {"type": error.code, "message": error.message}}


def _explained(error: ValidationError) -> str:
    """Each wrong argument with its rule, never with its value."""
    problems = []
    for problem in error.errors(include_input=False, include_url=False, include_context=False):
        place = ".".join(str(part) for part in problem["loc"])
        rule = problem["msg"].removeprefix("Value error, ")
        problems.append(f"{place}: {rule[:1].lower()}{rule[1:]}" if place else rule)
    return "; ".join(problems[:5]) + "."
