"""The table of operations: who may call each field of the API, with which arguments, and what carries it out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from idp_finetuning.adapters.services import Services
from idp_finetuning.operations.arguments import Input, JobArguments, NoArguments, PageArguments
from idp_finetuning.operations.baselines import (
    BaselineArguments,
    BaselinePagesArguments,
    StartBaselineArguments,
    get_baseline_evaluation,
    list_baseline_pages,
    start_baseline_evaluation,
)
from idp_finetuning.operations.classification import (
    ClassificationArguments,
    ClassificationUploadInput,
    StartClassificationInput,
    create_classification_upload,
    get_classification,
    start_classification,
)
from idp_finetuning.operations.config_version_inputs import (
    ActivationArguments,
    CreateConfigVersionInput,
    UpdateConfigVersionInput,
    VersionArguments,
)
from idp_finetuning.operations.config_versions import (
    activate_config_version,
    create_config_version,
    delete_config_version,
    get_config_version,
    get_finetuning_job_prompt,
    list_config_versions,
    rollback_config_version,
    update_config_version,
)
from idp_finetuning.operations.evaluation import (
    ComparisonArguments,
    EstimateArguments,
    EvaluateArguments,
    EvaluatedPagesArguments,
    GateArguments,
    compare_finetuning_jobs,
    estimate_evaluation,
    evaluate_finetuning_job,
    gate_finetuning_job,
    get_evaluation_report,
    list_evaluated_pages,
)
from idp_finetuning.operations.identity import ADMINS, AUTHORS, SIGNED_IN, Identity
from idp_finetuning.operations.job_control import (
    StartFinetuningJobInput,
    delete_finetuning_job,
    retry_finetuning_job,
    start_finetuning_job,
    stop_finetuning_job,
)
from idp_finetuning.operations.jobs import (
    DatasetDocumentsArguments,
    JobEventsArguments,
    ListJobsArguments,
    get_dataset_report,
    get_finetuning_job,
    get_loss_curve,
    list_dataset_documents,
    list_finetuning_job_events,
    list_finetuning_jobs,
)
from idp_finetuning.operations.models import ValidateArguments, list_available_models, validate_test_set
from idp_finetuning.operations.test_sets import (
    CreateTestSetInput,
    RemovalArguments,
    TestSetArguments,
    UploadsArguments,
    complete_test_set,
    create_test_set,
    create_test_set_uploads,
    delete_test_set,
    get_test_set,
    list_test_sets,
    remove_test_set_documents,
)
from idp_finetuning.operations.users import UpdateUserInput, get_my_profile, list_users, update_user
from idp_finetuning.wire import WireModel

Result = WireModel | Sequence[WireModel] | bool
A = TypeVar("A", bound=WireModel)


class Operation(NamedTuple):
    """One row: the groups of which the caller needs one (none: any signed-in user), arguments and function."""

    groups: frozenset[str]
    arguments: type[WireModel]
    function: Callable[[Any, Identity, Services], Result]


def _operation(
    groups: frozenset[str], arguments: type[A], function: Callable[[A, Identity, Services], Result]
) -> Operation:
    return Operation(groups, arguments, function)


# AppSync enforces @aws_auth of the schema; the groups are checked again behind it, and a test holds both equal.
OPERATIONS: Mapping[str, Operation] = {
    "listFinetuningJobs": _operation(SIGNED_IN, ListJobsArguments, list_finetuning_jobs),
    "getFinetuningJob": _operation(SIGNED_IN, JobArguments, get_finetuning_job),
    "getDatasetReport": _operation(SIGNED_IN, JobArguments, get_dataset_report),
    "getLossCurve": _operation(SIGNED_IN, JobArguments, get_loss_curve),
    "listDatasetDocuments": _operation(SIGNED_IN, DatasetDocumentsArguments, list_dataset_documents),
    "listFinetuningJobEvents": _operation(SIGNED_IN, JobEventsArguments, list_finetuning_job_events),
    "getFinetuningJobPrompt": _operation(SIGNED_IN, JobArguments, get_finetuning_job_prompt),
    "startFinetuningJob": _operation(AUTHORS, Input[StartFinetuningJobInput], start_finetuning_job),
    "createFinetuningJob": _operation(AUTHORS, Input[StartFinetuningJobInput], start_finetuning_job),
    "stopFinetuningJob": _operation(AUTHORS, JobArguments, stop_finetuning_job),
    "retryFinetuningJob": _operation(AUTHORS, JobArguments, retry_finetuning_job),
    "deleteFinetuningJob": _operation(AUTHORS, JobArguments, delete_finetuning_job),
    "validateTestSetForFinetuning": _operation(SIGNED_IN, ValidateArguments, validate_test_set),
    "listAvailableModels": _operation(SIGNED_IN, NoArguments, list_available_models),
    "listTestSets": _operation(SIGNED_IN, PageArguments, list_test_sets),
    "evaluateFinetuningJob": _operation(AUTHORS, EvaluateArguments, evaluate_finetuning_job),
    "estimateEvaluation": _operation(SIGNED_IN, EstimateArguments, estimate_evaluation),
    "getEvaluationReport": _operation(SIGNED_IN, JobArguments, get_evaluation_report),
    "listEvaluatedPages": _operation(SIGNED_IN, EvaluatedPagesArguments, list_evaluated_pages),
    "compareFinetuningJobs": _operation(SIGNED_IN, ComparisonArguments, compare_finetuning_jobs),
    "gateFinetuningJob": _operation(SIGNED_IN, GateArguments, gate_finetuning_job),
    "startBaselineEvaluation": _operation(AUTHORS, StartBaselineArguments, start_baseline_evaluation),
    "getBaselineEvaluation": _operation(SIGNED_IN, BaselineArguments, get_baseline_evaluation),
    "listBaselinePages": _operation(SIGNED_IN, BaselinePagesArguments, list_baseline_pages),
    "getTestSet": _operation(SIGNED_IN, TestSetArguments, get_test_set),
    "createTestSet": _operation(AUTHORS, Input[CreateTestSetInput], create_test_set),
    "createTestSetUploads": _operation(AUTHORS, UploadsArguments, create_test_set_uploads),
    "completeTestSet": _operation(AUTHORS, TestSetArguments, complete_test_set),
    "removeTestSetDocuments": _operation(AUTHORS, RemovalArguments, remove_test_set_documents),
    "deleteTestSet": _operation(AUTHORS, TestSetArguments, delete_test_set),
    "listConfigVersions": _operation(SIGNED_IN, PageArguments, list_config_versions),
    "getConfigVersion": _operation(SIGNED_IN, VersionArguments, get_config_version),
    "createConfigVersion": _operation(AUTHORS, Input[CreateConfigVersionInput], create_config_version),
    "updateConfigVersion": _operation(AUTHORS, Input[UpdateConfigVersionInput], update_config_version),
    "activateConfigVersion": _operation(AUTHORS, ActivationArguments, activate_config_version),
    "rollbackConfigVersion": _operation(AUTHORS, NoArguments, rollback_config_version),
    "deleteConfigVersion": _operation(AUTHORS, VersionArguments, delete_config_version),
    "createClassificationUpload": _operation(AUTHORS, Input[ClassificationUploadInput], create_classification_upload),
    "startClassification": _operation(AUTHORS, Input[StartClassificationInput], start_classification),
    "getClassification": _operation(SIGNED_IN, ClassificationArguments, get_classification),
    "getMyProfile": _operation(SIGNED_IN, NoArguments, get_my_profile),
    "listUsers": _operation(ADMINS, PageArguments, list_users),
    "updateUser": _operation(ADMINS, Input[UpdateUserInput], update_user),
}
