"""What each Lambda function is called, gets and may take: the one table that stacks and the local runtime read."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict


class Variable(StrEnum):
    """Environment variables of the functions."""

    DATA_BUCKET = "DATA_BUCKET"
    TEST_SET_BUCKET = "TEST_SET_BUCKET"
    TEST_SET_BUCKET_IS = "TEST_SET_BUCKET_IS"
    JOBS_TABLE = "JOBS_TABLE"
    TEST_SETS_TABLE = "TEST_SETS_TABLE"
    CONFIG_VERSIONS_TABLE = "CONFIG_VERSIONS_TABLE"
    USERS_TABLE = "USERS_TABLE"
    USER_POOL_ID = "USER_POOL_ID"
    DEFAULT_SCOPE = "DEFAULT_SCOPE"
    FINETUNING_STATE_MACHINE_ARN = "FINETUNING_STATE_MACHINE_ARN"
    READ_LABELS_FUNCTION = "READ_LABELS_FUNCTION"
    CLASSIFY_DOCUMENT_FUNCTION = "CLASSIFY_DOCUMENT_FUNCTION"
    DELETION_STATE_MACHINE_ARN = "DELETION_STATE_MACHINE_ARN"
    BEDROCK_ROLE_ARN = "BEDROCK_ROLE_ARN"
    TRAINING_POLL_SECONDS = "TRAINING_POLL_SECONDS"
    DEPLOYMENT_POLL_SECONDS = "DEPLOYMENT_POLL_SECONDS"
    NOT_STARTED_HOURS = "NOT_STARTED_HOURS"
    TRAINING_HOURS = "TRAINING_HOURS"
    DEPLOYMENT_HOURS = "DEPLOYMENT_HOURS"


class BucketIs(StrEnum):
    """Values of TEST_SET_BUCKET_IS: made by this stack, or attached from another and never written."""

    OWNED = "owned"
    ATTACHED = "attached"


class DefaultScope(StrEnum):
    """Values of DEFAULT_SCOPE: what a user without a record of ours may see of the configuration versions."""

    ALL = "all"
    NONE = "none"


class FunctionSpec(BaseModel):
    """One Lambda function. The name is also its state, construct id and placeholder (`${<name>Arn}`).

    `event_retries` are Lambda's own, of a failed run that nobody waits for.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    variables: tuple[Variable, ...]
    timeout_seconds: int = 60
    memory_mb: int = 512
    bundle: Literal["core", "render"] = "core"
    event_retries: int = 2

    @property
    def module(self) -> str:
        """snake_case name: the file in lambdas/."""
        return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", self.name).lower()

    @property
    def handler(self) -> str:
        """Lambda handler string."""
        return f"lambdas.{self.module}.handler"

    def function_name(self, prefix: str) -> str:
        """`<prefix>-<stage>`, for example idp-finetuning-validate-test-set."""
        return f"{prefix}-{self.module.replace('_', '-')}"


V = Variable

FUNCTIONS: tuple[FunctionSpec, ...] = (
    # AppSync gives up after 30 s [facts §9]; the function ends before that.
    FunctionSpec(
        name="Resolver",
        timeout_seconds=28,
        memory_mb=1769,  # one whole vCPU: validation reads thousands of labels
        variables=(
            V.DATA_BUCKET,
            V.TEST_SET_BUCKET,
            V.TEST_SET_BUCKET_IS,
            V.JOBS_TABLE,
            V.TEST_SETS_TABLE,
            V.CONFIG_VERSIONS_TABLE,
            V.USERS_TABLE,
            V.USER_POOL_ID,
            V.DEFAULT_SCOPE,
            V.FINETUNING_STATE_MACHINE_ARN,
            V.DELETION_STATE_MACHINE_ARN,
            V.READ_LABELS_FUNCTION,
            V.CLASSIFY_DOCUMENT_FUNCTION,
            V.TRAINING_POLL_SECONDS,
            V.DEPLOYMENT_POLL_SECONDS,
        ),
    ),
    # Reads the labels of a test set that is too large for one request of the API.
    FunctionSpec(name="ReadLabels", timeout_seconds=900, memory_mb=1769, variables=(V.DATA_BUCKET, V.TEST_SET_BUCKET)),
    FunctionSpec(
        name="ValidateTestSet",
        timeout_seconds=900,
        memory_mb=1769,
        variables=(V.DATA_BUCKET, V.TEST_SET_BUCKET, V.TEST_SET_BUCKET_IS, V.JOBS_TABLE, V.TEST_SETS_TABLE),
    ),
    # An 8,000 px square page is 256 MB as RGBA [build notes].
    FunctionSpec(
        name="GenerateExample",
        timeout_seconds=900,
        memory_mb=2048,
        bundle="render",
        variables=(V.DATA_BUCKET, V.TEST_SET_BUCKET, V.JOBS_TABLE),
    ),
    FunctionSpec(name="RejectDocument", variables=(V.DATA_BUCKET,)),
    FunctionSpec(name="AssembleDataset", timeout_seconds=900, memory_mb=1769, variables=(V.DATA_BUCKET, V.JOBS_TABLE)),
    FunctionSpec(name="CreateCustomizationJob", variables=(V.DATA_BUCKET, V.JOBS_TABLE, V.BEDROCK_ROLE_ARN)),
    FunctionSpec(name="GetCustomizationJob", variables=(V.JOBS_TABLE,)),
    FunctionSpec(name="CreateModelDeployment", variables=(V.JOBS_TABLE,)),
    FunctionSpec(name="GetModelDeployment", variables=(V.JOBS_TABLE,)),
    FunctionSpec(name="CompleteJob", variables=(V.JOBS_TABLE,)),
    FunctionSpec(name="EndJob", variables=(V.JOBS_TABLE,)),
    FunctionSpec(name="DeleteModelDeployment", variables=(V.JOBS_TABLE,)),
    FunctionSpec(name="DeleteCustomModel", variables=(V.JOBS_TABLE,)),
    # Runs every 5 minutes, and when an execution ends.
    FunctionSpec(
        name="ReconcileJobs",
        timeout_seconds=300,
        variables=(
            V.DATA_BUCKET,
            V.JOBS_TABLE,
            V.FINETUNING_STATE_MACHINE_ARN,
            V.DELETION_STATE_MACHINE_ARN,
            V.TRAINING_POLL_SECONDS,
            V.DEPLOYMENT_POLL_SECONDS,
            V.NOT_STARTED_HOURS,
            V.TRAINING_HOURS,
            V.DEPLOYMENT_HOURS,
        ),
    ),
    # Asks a model about each page of one document. Not tried again: a run that failed says why, and costs money.
    FunctionSpec(
        name="ClassifyDocument",
        timeout_seconds=900,
        memory_mb=2048,
        bundle="render",
        variables=(V.DATA_BUCKET, V.TEST_SET_BUCKET),
        event_retries=0,
    ),
    FunctionSpec(name="DeleteJobData", timeout_seconds=900, variables=(V.DATA_BUCKET, V.JOBS_TABLE)),
)


class TableSpec(BaseModel):
    """One DynamoDB table: string keys, on-demand, with its global secondary indexes."""

    model_config = ConfigDict(frozen=True)

    name: str
    partition_key: str
    sort_key: str | None = None
    indexes: tuple[IndexSpec, ...] = ()

    def table_name(self, prefix: str) -> str:
        """`<prefix>-<name>`, for example idp-finetuning-jobs."""
        return f"{prefix}-{self.name}"


class IndexSpec(BaseModel):
    """One global secondary index with the attributes it projects beside the keys (none: keys only)."""

    model_config = ConfigDict(frozen=True)

    name: str
    partition_key: str
    sort_key: str
    projected: tuple[str, ...]


JOBS_BY_CREATION = IndexSpec(
    name="ByCreation",
    partition_key="kind",
    sort_key="createdAt",
    projected=(
        "jobName",
        "testSetId",
        "testSetName",
        "baseModel",
        "baseModelName",
        "status",
        "updatedAt",
        "customModelName",
        "customModelDeploymentArn",
        "errorMessage",
    ),
)
# Sparse: only jobs that have not ended carry `unfinished`.
UNFINISHED_JOBS = IndexSpec(name="Unfinished", partition_key="unfinished", sort_key="createdAt", projected=())
TEST_SETS_BY_CREATION = IndexSpec(
    name="ByCreation",
    partition_key="kind",
    sort_key="createdAt",
    projected=("name", "description", "fileCount", "status"),
)

# Keys only: a version may be large, and lists read those they show.
CONFIG_VERSIONS_BY_CREATION = IndexSpec(name="ByCreation", partition_key="kind", sort_key="createdAt", projected=())

# Items of the Jobs table by (id, item): (<job id>, "job"), (<job id>, "event#<time>#…"), (<token>, "token").
JOBS_TABLE = TableSpec(name="jobs", partition_key="id", sort_key="item", indexes=(JOBS_BY_CREATION, UNFINISHED_JOBS))
TEST_SETS_TABLE = TableSpec(name="test-sets", partition_key="id", indexes=(TEST_SETS_BY_CREATION,))
CONFIG_VERSIONS_TABLE = TableSpec(name="config-versions", partition_key="name", indexes=(CONFIG_VERSIONS_BY_CREATION,))
USERS_TABLE = TableSpec(name="users", partition_key="id")
TABLES: tuple[TableSpec, ...] = (JOBS_TABLE, TEST_SETS_TABLE, CONFIG_VERSIONS_TABLE, USERS_TABLE)

# Documents sent to be classified and the results are removed from the data bucket after so many days.
CLASSIFICATION_DAYS = 30

GROUPS: tuple[str, ...] = ("Admin", "Author", "Reviewer", "Viewer")
