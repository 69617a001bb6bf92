"""The values of the functions' environment variables, from the names and options of one deployment."""

from __future__ import annotations

from collections.abc import Mapping

from idp_finetuning.deployment.functions import find_function
from idp_finetuning.deployment.state_machines import DELETION, EVALUATION, FINETUNING
from idp_finetuning.deployment.tables import CONFIG_VERSIONS_TABLE, JOBS_TABLE, TABLES, TEST_SETS_TABLE, USERS_TABLE
from idp_finetuning.deployment.variables import BucketIs, DefaultScope, Variable

# What Powertools reads in every function.
POWERTOOLS_VARIABLES: Mapping[str, str] = {"POWERTOOLS_SERVICE_NAME": "idp-finetuning", "LOG_LEVEL": "INFO"}

# Documents of a job that are converted at once unless the operator chooses another number or the account allows less.
MAP_CONCURRENCY = 40

# Deadlines unless the operator chooses others: a training that has not started in Bedrock, training as a whole, and
# the deployment including its waits.
NOT_STARTED_HOURS = 24
TRAINING_HOURS = 48
DEPLOYMENT_HOURS = 4

# Classifications that run at once for one user, unless the operator chooses another number: each asks a model page by
# page, and all of them share the account's quotas.
CLASSIFICATIONS_PER_USER = 4


def environment_variables(
    prefix: str,
    *,
    data_bucket: str,
    data_bucket_owner: str,
    test_set_bucket: str,
    test_set_bucket_is: BucketIs = BucketIs.OWNED,
    table_names: Mapping[str, str] | None = None,
    user_pool_id: str,
    default_scope: str = DefaultScope.ALL,
    state_machine_arns: Mapping[str, str],
    bedrock_role_arn: str,
    map_concurrency: int = MAP_CONCURRENCY,
    training_poll_seconds: int,
    deployment_poll_seconds: int,
    not_started_hours: int = NOT_STARTED_HOURS,
    training_hours: int = TRAINING_HOURS,
    deployment_hours: int = DEPLOYMENT_HOURS,
    classifications_per_user: int = CLASSIFICATIONS_PER_USER,
    notification_sender: str | None = None,
) -> dict[Variable, str]:
    """Return the value of every variable; a function gets those its specification lists.

    `data_bucket_owner` is an account id, `table_names` are by the name of the table's specification (default: those of
    the local runtime), `state_machine_arns` by the name of the state machine.
    """
    tables = table_names or {spec.name: spec.table_name(prefix) for spec in TABLES}
    return {
        Variable.DEPLOYMENT_NAME: prefix,
        Variable.DATA_BUCKET: data_bucket,
        Variable.DATA_BUCKET_OWNER: data_bucket_owner,
        Variable.TEST_SET_BUCKET: test_set_bucket,
        Variable.TEST_SET_BUCKET_IS: test_set_bucket_is,
        Variable.JOBS_TABLE: tables[JOBS_TABLE.name],
        Variable.TEST_SETS_TABLE: tables[TEST_SETS_TABLE.name],
        Variable.CONFIG_VERSIONS_TABLE: tables[CONFIG_VERSIONS_TABLE.name],
        Variable.USERS_TABLE: tables[USERS_TABLE.name],
        Variable.USER_POOL_ID: user_pool_id,
        Variable.DEFAULT_SCOPE: default_scope,
        Variable.READ_LABELS_FUNCTION: find_function("ReadLabels").function_name(prefix),
        Variable.COUNT_PAGES_FUNCTION: find_function("CountPages").function_name(prefix),
        Variable.CLASSIFY_DOCUMENT_FUNCTION: find_function("ClassifyDocument").function_name(prefix),
        Variable.DELETE_TEST_SET_FUNCTION: find_function("DeleteTestSet").function_name(prefix),
        Variable.CLASSIFICATIONS_PER_USER: str(classifications_per_user),
        Variable.FINETUNING_STATE_MACHINE_ARN: state_machine_arns[FINETUNING],
        Variable.DELETION_STATE_MACHINE_ARN: state_machine_arns[DELETION],
        Variable.EVALUATION_STATE_MACHINE_ARN: state_machine_arns[EVALUATION],
        Variable.BEDROCK_ROLE_ARN: bedrock_role_arn,
        Variable.MAP_CONCURRENCY: str(map_concurrency),
        Variable.TRAINING_POLL_SECONDS: str(training_poll_seconds),
        Variable.DEPLOYMENT_POLL_SECONDS: str(deployment_poll_seconds),
        Variable.NOT_STARTED_HOURS: str(not_started_hours),
        Variable.TRAINING_HOURS: str(training_hours),
        Variable.DEPLOYMENT_HOURS: str(deployment_hours),
        Variable.NOTIFICATION_SENDER: notification_sender or "",
    }
