"""What one deployment consists of, for the stack, the local runtime and the functions alike."""

from __future__ import annotations

from idp_finetuning.deployment.api_limits import QUERY_DEPTH_LIMIT, RESOLVER_COUNT_LIMIT
from idp_finetuning.deployment.buckets import CLASSIFICATION_DAYS, LABEL_CACHE_DAYS
from idp_finetuning.deployment.environment import (
    CLASSIFICATIONS_PER_USER,
    DEPLOYMENT_HOURS,
    MAP_CONCURRENCY,
    NOT_STARTED_HOURS,
    POWERTOOLS_VARIABLES,
    TRAINING_HOURS,
    environment_variables,
)
from idp_finetuning.deployment.functions import FUNCTIONS, FunctionSpec, find_function
from idp_finetuning.deployment.state_machines import (
    DELETION,
    EVALUATION,
    FINETUNING,
    STATE_MACHINES,
    placeholders,
    render_definition,
    state_machine_name,
)
from idp_finetuning.deployment.tables import (
    CONFIG_VERSIONS_BY_CREATION,
    CONFIG_VERSIONS_TABLE,
    JOB_FILTER_INDEXES,
    JOBS_BY_BASE_MODEL,
    JOBS_BY_CREATION,
    JOBS_BY_DEPLOYMENT,
    JOBS_BY_STATUS,
    JOBS_BY_TEST_SET,
    JOBS_TABLE,
    TABLES,
    TEST_SETS_BY_CREATION,
    TEST_SETS_TABLE,
    UNFINISHED_JOBS,
    USERS_TABLE,
    IndexSpec,
    TableSpec,
)
from idp_finetuning.deployment.tags import DEPLOYMENT_TAG
from idp_finetuning.deployment.variables import BucketIs, DefaultScope, Variable

GROUPS: tuple[str, ...] = ("Admin", "Author", "Reviewer", "Viewer")

__all__ = [
    "CLASSIFICATIONS_PER_USER",
    "CLASSIFICATION_DAYS",
    "CONFIG_VERSIONS_BY_CREATION",
    "CONFIG_VERSIONS_TABLE",
    "DELETION",
    "DEPLOYMENT_HOURS",
    "DEPLOYMENT_TAG",
    "EVALUATION",
    "FINETUNING",
    "FUNCTIONS",
    "GROUPS",
    "JOBS_BY_BASE_MODEL",
    "JOBS_BY_CREATION",
    "JOBS_BY_DEPLOYMENT",
    "JOBS_BY_STATUS",
    "JOBS_BY_TEST_SET",
    "JOBS_TABLE",
    "JOB_FILTER_INDEXES",
    "LABEL_CACHE_DAYS",
    "MAP_CONCURRENCY",
    "NOT_STARTED_HOURS",
    "POWERTOOLS_VARIABLES",
    "QUERY_DEPTH_LIMIT",
    "RESOLVER_COUNT_LIMIT",
    "STATE_MACHINES",
    "TABLES",
    "TEST_SETS_BY_CREATION",
    "TEST_SETS_TABLE",
    "TRAINING_HOURS",
    "UNFINISHED_JOBS",
    "USERS_TABLE",
    "BucketIs",
    "DefaultScope",
    "FunctionSpec",
    "IndexSpec",
    "TableSpec",
    "Variable",
    "environment_variables",
    "find_function",
    "placeholders",
    "render_definition",
    "state_machine_name",
]
